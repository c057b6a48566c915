"""What `vigie doctor` says of the providers: configured, and the mail server answers."""

import asyncio
import re
import smtplib
from typing import Literal

import msgspec

from vigie.core.settings import Settings
from vigie.notify.channels.failures import NotSent


class Finding(msgspec.Struct, frozen=True):
    """One provider."""

    name: str
    status: Literal["ok", "warning", "failed"]
    detail: str


async def check(settings: Settings) -> list[Finding]:
    """One finding a channel; nothing is sent."""
    return [await _mail(settings), _sms(settings), _push(settings), _links(settings)]


async def _mail(settings: Settings) -> Finding:
    from vigie.notify.channels import smtp

    if not settings.smtp_url:
        return Finding("mail", "warning", "no mail is sent: set VIGIE_SMTP_URL")
    if not settings.mail_from:
        return Finding("mail", "failed", "set VIGIE_MAIL_FROM, the sender of mails")

    def look() -> None:
        server = smtp.connect(settings)
        try:
            server.noop()
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()

    try:
        await asyncio.to_thread(look)
    except NotSent as error:
        return Finding("mail", "failed", str(error))
    return Finding("mail", "ok", "the server answers")


def _sms(settings: Settings) -> Finding:
    if not settings.sms_url:
        return Finding("sms", "warning", "no SMS is sent: set VIGIE_SMS_URL")
    if "{text}" not in settings.sms_url + settings.sms_body:
        return Finding("sms", "failed", "neither VIGIE_SMS_URL nor VIGIE_SMS_BODY holds {text}")
    try:
        re.compile(settings.sms_success)
    except re.error as error:
        return Finding("sms", "failed", f"VIGIE_SMS_SUCCESS is no regular expression: {error}")
    return Finding("sms", "ok", "configured; only a real SMS shows more")


def _push(settings: Settings) -> Finding:
    from vigie.notify.channels import push

    if not settings.push_contact:
        return Finding("push", "warning", "no push messages: set VIGIE_PUSH_CONTACT")
    return Finding("push", "ok", f"the key of this installation is {push.public_key(settings)}")


def _links(settings: Settings) -> Finding:
    if not settings.public_url:
        return Finding(
            "links", "warning", "links in messages lead to this machine: set VIGIE_PUBLIC_URL"
        )
    return Finding("links", "ok", settings.public_url)
