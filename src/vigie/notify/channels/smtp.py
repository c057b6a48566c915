"""Mail by SMTP, with the standard library in a thread."""

import asyncio
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from vigie.core import clock
from vigie.core.settings import Settings
from vigie.notify.channels.failures import NotSent, Refused

if TYPE_CHECKING:
    from vigie.notify.channels import Outgoing

TIMEOUT_S = 20.0
_ANSWER = {
    "fr": "Pour répondre à cet appel : {link}",
    "en": "To answer this call: {link}",
}


async def send(settings: Settings, out: "Outgoing") -> str:
    """Hand a mail to the server; its Message-ID."""
    if not settings.smtp_url or not settings.mail_from:
        raise Refused("mail_not_configured", "set VIGIE_SMTP_URL and VIGIE_MAIL_FROM")
    message = compose(settings, out)
    await asyncio.to_thread(_deliver, settings, message, out.to)
    return message["Message-ID"]


def compose(settings: Settings, out: "Outgoing") -> EmailMessage:
    """The mail; sent twice, it has the same Message-ID. Raises Refused for a wrong address."""
    message = EmailMessage()
    _, sender = parseaddr(settings.mail_from)
    try:
        message["From"] = settings.mail_from
        message["To"] = Address(out.name.replace("\n", " "), addr_spec=out.to)
        message["Subject"] = " ".join(out.subject.split())
    except (ValueError, IndexError) as error:
        raise Refused("address_refused", str(error)) from error
    message["Message-ID"] = f"<{out.id}@{sender.rpartition('@')[2] or 'vigie'}>"
    message["Date"] = format_datetime(clock.now())
    message["Auto-Submitted"] = "auto-generated"
    if out.urgent:
        message["Importance"] = "high"
    answer = _ANSWER.get(out.language, _ANSWER["en"]).format(link=out.link)
    message.set_content(f"{out.body}\n\n{answer}\n" if out.link else f"{out.body}\n")
    return message


def connect(settings: Settings) -> smtplib.SMTP:
    """A server that knows us. Raises NotSent."""
    address = urlsplit(settings.smtp_url)
    host = address.hostname or "localhost"
    context = ssl.create_default_context()
    try:
        if address.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, address.port or 465, timeout=TIMEOUT_S, context=context
            )
        else:
            server = smtplib.SMTP(host, address.port or 587, timeout=TIMEOUT_S)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent("mail_server_unreachable", f"{type(error).__name__}: {error}") from error
    return server


def _deliver(settings: Settings, message: EmailMessage, to: str) -> None:
    server = connect(settings)
    _, sender = parseaddr(settings.mail_from)
    try:
        server.send_message(message, from_addr=sender, to_addrs=[to])
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()), (550, b""))
        _refused(code, said)
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        _refused(error.smtp_code, error.smtp_error)
    except smtplib.SMTPNotSupportedError as error:
        raise Refused("address_refused", str(error)) from error
    finally:
        # The mail is taken: how the farewell goes does not matter.
        try:
            server.quit()
        except (OSError, smtplib.SMTPException):
            server.close()


def _refused(code: int, said: bytes | str) -> None:
    """4xx is for now (greylisting, a full box), 5xx for good (RFC 5321, 4.2.1)."""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if 400 <= code < 500:
        raise NotSent("mail_deferred", f"{code} {words}")
    raise Refused("mail_refused", f"{code} {words}")
