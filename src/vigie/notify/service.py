"""Messages to people: written in the sender's transaction, sent by jobs afterwards."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import column, table, text

from vigie.core import clock, jobs, journal, states
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Forbidden, Invalid, NotFound
from vigie.core.ids import uuid7
from vigie.core.journal import Change
from vigie.core.templates import Template, check, render
from vigie.notify import contacts, rules
from vigie.notify.contacts import Reach
from vigie.notify.listing import shown
from vigie.notify.model import Channel, MessageDetail, Outcome, OwnMessage, Send, Sent
from vigie.notify.rules import MESSAGE

MESSAGES = table("message", column("id"), schema="notify")
SEND_JOB = "notify.send"

_INSERT = text(
    """
    insert into notify.message
        (id, key, contact, template, channel, urgent, language, subject, body, short, state,
         municipality, trade, due, created, created_by, request_id, sent, cascade, step)
    values
        (:id, :key, :contact, :template, :channel, :urgent, :language, :subject, :body, :short,
         :state, :municipality, :trade, :due, :now, :by, :request, :sent, :cascade, :step)
    on conflict (key) do nothing
    """
)
LISTED = (
    "select m.id, m.template, c.name, m.channel, m.state, m.urgent, m.municipality, m.trade, m.due,"
    " m.created, m.sent, m.delivered, m.error_code, m.maybe_twice, m.cascade, m.version,"
    " coalesce(c.mail, c.phone) as address"
)
JOINED = "from notify.message m join notify.contact c on c.id = m.contact"


async def send(unit: Unit, new: Send) -> Sent:
    """Write a message to each recipient and have it sent after this transaction.

    Raises Invalid for an unknown template, wrong parameters or recipients, Forbidden outside the
    sender's scope, NotFound for people who do not exist.
    """
    template = template_of(unit, new.template)
    params = check(template, new.params)
    demand_scope(unit, new.municipality, new.trade)
    named = [await contacts.resolve(unit, to) for to in new.to]
    messages = await write(
        unit,
        template,
        params,
        list(dict.fromkeys(named)),
        channel=new.channel,
        urgent=template.urgent if new.urgent is None else new.urgent,
        municipality=new.municipality,
        trade=new.trade,
        key=new.key,
    )
    return Sent([messages[contact] for contact in named])


async def write(
    unit: Unit,
    template: Template,
    params: dict[str, Any],
    to: list[UUID],
    *,
    channel: Channel | None,
    urgent: bool,
    municipality: str,
    trade: str,
    key: str | None = None,
    cascade: UUID | None = None,
    step: int | None = None,
) -> dict[UUID, UUID]:
    """The messages by contact; those of a key that was used before are the same as then."""
    now = clock.now()
    reached = await contacts.reach(unit, to)
    written: dict[UUID, UUID] = {}
    fresh: list[UUID] = []
    for contact in to:
        who = reached[contact]
        row = _row(unit, template, params, who, channel, urgent, now)
        row |= {
            "key": f"{key}:{contact}" if key else None,
            "municipality": municipality, "trade": trade, "cascade": cascade, "step": step,
        }  # fmt: skip
        inserted = await unit.execute(_INSERT, row)
        if not inserted.rowcount:
            written[contact] = await _of_key(unit, row["key"])
            continue
        written[contact] = row["id"]
        fresh.append(row["id"])
        if row["channel"] in ("mail", "sms", "push"):
            await jobs.defer(
                unit, SEND_JOB, {"message": str(row["id"])}, at=row["due"], key=str(row["id"])
            )
    if fresh:
        await journal.record(
            unit,
            "notify.queued",
            params={"template": template.name, "total": len(fresh)},
            changes=[
                Change("notify.message", str(message), None, {"template": template.name},
                       scope(municipality, trade))
                for message in fresh
            ],
        )  # fmt: skip
    return written


def _row(
    unit: Unit,
    template: Template,
    params: dict[str, Any],
    who: Reach,
    channel: Channel | None,
    urgent: bool,
    now: datetime,
) -> dict[str, Any]:
    zone = unit.house.zone
    language = "en" if who.language == "en" else "fr"
    words = render(template, params, language, zone)
    chosen = rules.choose(channel, who.preferred, template.name, who.possible)
    here = chosen == "app"
    quiet = not urgent and not here
    return {
        "id": uuid7(), "contact": who.id, "template": template.name, "channel": chosen,
        "urgent": urgent, "language": language, "subject": words.subject, "body": words.body,
        "short": words.short, "state": "sent" if here else MESSAGE.initial, "now": now,
        "due": rules.after_quiet(now, who.quiet_from, who.quiet_to, zone) if quiet else now,
        "sent": now if here else None, "by": unit.principal.id, "request": unit.request_id,
    }  # fmt: skip


async def _of_key(unit: Unit, key: str) -> UUID:
    found = await unit.execute(text("select id from notify.message where key = :key"), {"key": key})
    message: UUID | None = found.scalar_one_or_none()
    if message is None:
        raise Conflict("notify_key", "This key names messages that you may not see: use another.")
    return message


async def read_message(unit: Unit, message: UUID) -> MessageDetail:
    """One message with its words; that they were read is recorded. Raises NotFound."""
    found = await unit.execute(
        text(f"{LISTED}, m.subject, m.body, m.provider_id, m.error {JOINED} where m.id = :id"),
        {"id": message},
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("object_not_found", f"There is no notify.message {message}.",
                       {"type": "notify.message", "id": str(message)})  # fmt: skip
    fields = dict(row)
    rest = {name: fields.pop(name) for name in ("subject", "body", "provider_id", "error")}
    await journal.record(
        unit,
        "notify.message_read",
        params={"message": str(message)},
        scopes=[scope(row["municipality"], row["trade"])],
    )
    possible = [v for v in MESSAGE.verbs_from(row["state"]) if v == "cancel"]
    if row["channel"] == "hand" and row["state"] == "queued":
        possible.append("outcome")
    return MessageDetail(shown(fields), **rest, possible=possible)


async def cancel(unit: Unit, message: UUID, version: int | None = None) -> None:
    """Take back a message that waits. Raises Conflict when it is being sent or was."""
    done = await states.step(unit, MESSAGE, MESSAGES, message, "cancel", version=version)
    if done.changed:
        await record_step(unit, "notify.message_cancelled", done)


async def outcome(unit: Unit, message: UUID, said: Outcome, version: int | None = None) -> None:
    """What a call by hand came to. Raises Conflict for a message of another channel."""
    verb = "deliver" if said.reached else "refuse"
    sets: dict[str, Any] = {"delivered" if said.reached else "error_code":
                            clock.now() if said.reached else "not_reached"}  # fmt: skip
    done = await states.step(unit, MESSAGE, MESSAGES, message, verb, version=version, sets=sets)
    if done.row["channel"] != "hand":
        raise Conflict(
            "not_by_hand", "Only calls by hand have an outcome that a person writes down."
        )
    if done.changed:
        await record_step(unit, "notify.called_by_hand", done, reached=said.reached)
    if not said.reached:
        await hurry_cascade(unit, done.row)


async def own_messages(unit: Unit, contact: UUID) -> list[OwnMessage]:
    """The newest messages to oneself, by whatever channel."""
    found = await unit.execute(
        text(
            "select id, template, subject, body, channel, created, delivered, cascade"
            " from notify.message where contact = :contact and state <> 'cancelled'"
            " order by created desc, id desc limit 100"
        ),
        {"contact": contact},
    )
    return [OwnMessage(*row) for row in found]


async def mark_read(unit: Unit, contact: UUID, message: UUID) -> None:
    """A message was read in the console. Raises NotFound for another's."""
    mine = await unit.execute(
        text("select state from notify.message where id = :id and contact = :contact"),
        {"id": message, "contact": contact},
    )
    state: str | None = mine.scalar_one_or_none()
    if state is None:
        raise NotFound("object_not_found", f"There is no notify.message {message}.",
                       {"type": "notify.message", "id": str(message)})  # fmt: skip
    if MESSAGE.table[state, "deliver"] == "delivered":
        await states.step(
            unit, MESSAGE, MESSAGES, message, "deliver", sets={"delivered": clock.now()}
        )


async def hurry_cascade(unit: Unit, row: Any) -> None:
    """Nobody of a cascade's step can be reached any more: its next step need not wait."""
    if row["cascade"] is None:
        return
    left = await unit.execute(
        text("select count(*) from notify.message where cascade = :cascade and step = :step"
             " and state <> 'failed'"),
        {"cascade": row["cascade"], "step": row["step"]},
    )  # fmt: skip
    if left.scalar_one() == 0:
        following = row["step"] + 1
        await jobs.defer(
            unit,
            "notify.cascade_step",
            {"cascade": str(row["cascade"]), "ordinal": following},
            key=f"{row['cascade']}:{following}:now",
        )


def template_of(unit: Unit, name: str) -> Template:
    """A declared template. Raises Invalid for a name that there is not."""
    found: Template | None = unit.house.part("templates").get(name)
    if found is None:
        raise Invalid(
            "template_unknown", f"There is no message {name!r}.", {"template": name},
            errors=[{"field": "template", "code": "invalid", "message": "no such message"}],
        )  # fmt: skip
    return found


def demand_scope(unit: Unit, municipality: str, trade: str) -> None:
    """Raises Forbidden when the sender may not speak for that part of the city."""
    if not unit.scope.allows(municipality, trade):
        raise Forbidden(
            "message_outside_scope",
            "Say for which municipality and trade of yours this message is.",
            {"municipality": municipality, "trade": trade},
        )


def scope(municipality: str, trade: str) -> str:
    """A scope key."""
    return f"{municipality}/{trade}"


async def record_step(unit: Unit, act: str, done: states.Step, **params: Any) -> None:
    """Journal a step of a message."""
    row = done.row
    await journal.record(
        unit,
        act,
        params={"message": str(row["id"]), "channel": row["channel"], **params},
        changes=[
            Change("notify.message", str(row["id"]), {"state": done.before},
                   {"state": done.after}, scope(row["municipality"], row["trade"]))
        ],
    )  # fmt: skip
