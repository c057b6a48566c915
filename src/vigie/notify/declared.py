"""What the room offers to others: verbs, jobs, objects, its own words of messages."""

from collections.abc import Collection
from datetime import time, timedelta
from typing import Annotated, Any

import msgspec
from sqlalchemy import text

from vigie.core import clock
from vigie.core.database import Unit
from vigie.core.jobs import Job
from vigie.core.objects import ObjectType, Title
from vigie.core.templates import Template, Text
from vigie.core.verbs import Verb
from vigie.notify import cascades, sending, service
from vigie.notify.model import NewCascade, Send, Sent, Started

# ruff: noqa: S608
KEPT_DAYS = 180
_AT_ONCE = 5000


class Note(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message in the sender's own words."""

    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=150)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]


class Call(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call to someone on duty in the caller's own words."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]


async def prune(unit: Unit, _payload: Any) -> None:
    """Forget old messages, then addresses that were only for them; a bounded number at once."""
    old = {"before": clock.now() - timedelta(days=KEPT_DAYS), "most": _AT_ONCE}
    for table, date in (("message", "created"), ("cascade", "ended")):
        await unit.execute(
            text(
                f"delete from notify.{table} where id in (select id from notify.{table}"
                f" where {date} < :before limit :most)"
            ),
            old,
        )
    await unit.execute(
        text(
            "delete from notify.contact c where id in (select id from notify.contact"
            " where not kept and created < :before limit :most)"
            " and not exists (select from notify.message m where m.contact = c.id)"
        ),
        old,
    )


async def message_titles(unit: Unit, ids: Collection[str]) -> dict[str, Title]:
    """Messages by their template: their words are not for a list."""
    return await _titles(unit, "message", ids)


async def cascade_titles(unit: Unit, ids: Collection[str]) -> dict[str, Title]:
    """Cascades by their template."""
    return await _titles(unit, "cascade", ids)


async def _titles(unit: Unit, table: str, ids: Collection[str]) -> dict[str, Title]:
    rows = await unit.execute(
        text(
            "select id::text, template, created, municipality, trade, state"
            f" from notify.{table} where id::text = any(:ids)"
        ),
        {"ids": list(ids)},
    )
    return {
        row.id: Title(row.template, "", row.created, row.municipality, row.trade, state=row.state)
        for row in rows
    }


JOBS = (
    Job(
        service.SEND_JOB, sending.run, payload=sending.SendJob, tries=10, concurrency=8,
        timeout_s=90.0, first_pause_s=5.0, longest_pause_s=1800.0, on_dead=sending.dead,
    ),
    Job(cascades.STEP_JOB, cascades.run_step, payload=cascades.StepJob, inside=True, tries=20,
        longest_pause_s=60.0),
    Job("notify.prune", prune, inside=True, daily=time(3, 55), concurrency=1),
)  # fmt: skip
VERBS = (
    Verb("notify.send", Send, Sent, "notify.send", "Send a message to people.", service.send),
    Verb("notify.cascade", NewCascade, Started, "notify.send",
         "Call people one after another until someone answers.", cascades.start),
)  # fmt: skip
OBJECTS = (
    ObjectType("notify.message", "notify.read", message_titles, "/messages/{id}"),
    ObjectType("notify.cascade", "notify.read", cascade_titles, "/cascades/{id}"),
)
TEMPLATES = (
    Template(
        "notify.note",
        Note,
        fr=Text("{subject}", "{text}", "{subject} : {text}"),
        en=Text("{subject}", "{text}", "{subject}: {text}"),
    ),
    Template(
        "notify.call",
        Call,
        fr=Text("Appel du centre : {reason}", "Le centre de supervision vous appelle : {reason}"),
        en=Text("Call from the centre: {reason}", "The control centre calls you: {reason}"),
        urgent=True,
    ),
)
