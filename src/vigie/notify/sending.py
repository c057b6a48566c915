"""The job that brings one message to its provider: at least once, and it says when it may be twice.

The message is marked `sending` before the provider is called and `sent` after. Whoever finds it
`sending` already comes after a try of which nobody knows the end: it is sent again, under the same
Message-ID or idempotency key, and the row says `maybe_twice`.
"""

import traceback
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, states
from vigie.core.database import Unit
from vigie.core.errors import Conflict, NotFound
from vigie.core.jobs import Claimed
from vigie.core.runtime import Runtime
from vigie.notify import acknowledging, channels, contacts
from vigie.notify.channels import NotSent, Outgoing, Refused, Uncertain
from vigie.notify.rules import MESSAGE
from vigie.notify.service import MESSAGES, hurry_cascade, record_step


class SendJob(msgspec.Struct, frozen=True):
    """Which message."""

    message: UUID


async def run(runtime: Runtime, claimed: Claimed) -> None:
    """Send one message. What fails for now is raised: the job tries again."""
    message: UUID = claimed.payload.message
    out = await _take(runtime, message, claimed.request_id)
    if out is None:
        return
    try:
        provider_id = await channels.send(runtime, out)
    except Refused as error:
        await _refuse(runtime, out, error.code, str(error), claimed.request_id)
        return
    except NotSent as error:
        await _release(runtime, out, error.code, str(error))
        # Providers repeat the address in what they say: the row keeps it without, a log nothing.
        raise NotSent(error.code) from None
    except Exception as error:
        # It may have arrived: it stays `sending`.
        last = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__}: {error} ({last.filename}:{last.lineno})"
        await _note(runtime, out, "uncertain", said)
        raise Uncertain(type(error).__name__) from None
    async with runtime.database.unit(request_id=claimed.request_id) as unit:
        done = await states.step(
            unit, MESSAGE, MESSAGES, message, "accept",
            sets={"sent": clock.now(), "provider_id": provider_id[:200], "error": "",
                  "error_code": ""},
        )  # fmt: skip
        await _forget_gone(unit, out)
        if done.changed:
            await record_step(unit, "notify.sent", done, maybe_twice=done.row["maybe_twice"])


async def dead(unit: Unit, payload: SendJob, _error: str) -> None:
    """The job was given up on: the message failed."""
    row = (
        await unit.execute(
            text("select error_code from notify.message where id = :id"), {"id": payload.message}
        )
    ).one_or_none()
    if row is not None:
        await _failed(unit, payload.message, {"error_code": row.error_code or "gave_up"})


async def _take(runtime: Runtime, message: UUID, request_id: str) -> Outgoing | None:
    """Mark it as being sent, and gather what is needed; None when there is nothing to do."""
    async with runtime.database.unit(request_id=request_id) as unit:
        try:
            done = await states.step(unit, MESSAGE, MESSAGES, message, "take")
        except (Conflict, NotFound):
            # Sent, cancelled, or its recipient forgotten meanwhile.
            return None
        row = done.row
        if done.before == "sending":
            await unit.execute(
                text("update notify.message set maybe_twice = true where id = :id"), {"id": message}
            )
        who = (await contacts.reach(unit, [row["contact"]]))[row["contact"]]
        if row["channel"] not in who.possible:
            await _failed(unit, message, {"error_code": "no_address"})
            return None
        subscriptions: list[dict[str, Any]] = []
        if row["channel"] == "push":
            found = await unit.execute(
                text("select id, endpoint, p256dh, auth from notify.subscription"
                     " where contact = :contact"),
                {"contact": who.id},
            )  # fmt: skip
            subscriptions = [dict(s) for s in found.mappings()]
        return Outgoing(
            id=message,
            channel=row["channel"],
            to=(who.phone if row["channel"] == "sms" else who.mail) or "",
            name=who.name,
            language=row["language"],
            subject=row["subject"],
            body=row["body"],
            short=row["short"],
            urgent=row["urgent"],
            link=acknowledging.link(runtime.settings, message) if row["cascade"] else "",
            subscriptions=subscriptions,
        )


async def _refuse(runtime: Runtime, out: Outgoing, code: str, error: str, request_id: str) -> None:
    async with runtime.database.unit(request_id=request_id) as unit:
        await _forget_gone(unit, out)
        await _failed(unit, out.id, {"error_code": code, "error": _without(error, out)})


async def _forget_gone(unit: Unit, out: Outgoing) -> None:
    if out.gone:
        await unit.execute(
            text("delete from notify.subscription where id = any(:ids)"), {"ids": out.gone}
        )


async def _failed(unit: Unit, message: UUID, sets: dict[str, Any]) -> None:
    try:
        done = await states.step(unit, MESSAGE, MESSAGES, message, "refuse", sets=sets)
    except (Conflict, NotFound):
        return
    if done.changed:
        await record_step(unit, "notify.failed", done, code=sets["error_code"])
        await hurry_cascade(unit, done.row)


async def _release(runtime: Runtime, out: Outgoing, code: str, error: str) -> None:
    async with runtime.database.unit() as unit:
        await states.step(
            unit, MESSAGE, MESSAGES, out.id, "release",
            sets={"error_code": code, "error": _without(error, out)},
        )  # fmt: skip


async def _note(runtime: Runtime, out: Outgoing, code: str, error: str) -> None:
    async with runtime.database.unit() as unit:
        await unit.execute(
            text("update notify.message set error_code = :code, error = :error where id = :id"),
            {"code": code, "error": _without(error, out), "id": out.id},
        )


def _without(error: str, out: Outgoing) -> str:
    """What a provider said, without the address that it repeats."""
    for address in (out.to, out.to.lstrip("+")):
        if address:
            error = error.replace(address, "…")
    return error.replace("\0", "")[:500]
