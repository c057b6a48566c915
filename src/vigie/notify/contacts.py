"""Who can be reached, where, and how they wish it. Addresses are personal: they never leave this
room but to a provider, and their changes are journalled without their values."""

from collections.abc import Mapping
from datetime import time
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Invalid, NotFound
from vigie.core.ids import uuid7
from vigie.core.journal import Change, Personal
from vigie.core.paging import Cursor, Page
from vigie.core.scope import Principal
from vigie.core.settings import Settings
from vigie.core.states import demand_version
from vigie.notify.model import (
    Channel,
    Contact,
    ContactInput,
    NewSubscription,
    Preferences,
    Subscription,
    To,
)

AFTER = Cursor("notify.contacts", UUID)
MOST_SUBSCRIPTIONS = 20

_CONTACT = "select id, account, name, language, mail, phone, version from notify.contact"
_REACH = text(
    """
    select c.id, c.name, c.language, c.mail, c.phone, c.quiet_from, c.quiet_to, c.account,
        (select coalesce(jsonb_object_agg(kind, channel), '{}') from notify.preference p
            where p.contact = c.id) as preferred,
        exists (select from notify.subscription s where s.contact = c.id) as push
    from notify.contact c
    where c.id = any(:ids)
    """
)


class Reach(msgspec.Struct, frozen=True):
    """Everything about someone that decides how a message goes."""

    id: UUID
    name: str
    language: str
    mail: str | None
    phone: str | None
    quiet_from: time | None
    quiet_to: time | None
    account: UUID | None
    preferred: Mapping[str, Channel]
    push: bool

    @property
    def possible(self) -> frozenset[Channel]:
        """Channels that have an address."""
        found: set[Channel] = {"hand"}
        if self.mail:
            found.add("mail")
        if self.phone:
            found.add("sms")
        if self.push:
            found.add("push")
        if self.account:
            found.add("app")
        return frozenset(found)


def person(principal: Principal) -> UUID:
    """The account of who acts. Raises NotFound for what is no person's."""
    found = principal.owner if principal.kind == "token" else principal.id
    if principal.kind not in ("user", "token") or found is None:
        raise NotFound("contact_not_found", "This log-in is no person's.")
    return found


async def of_account(unit: Unit, account: UUID) -> UUID:
    """The contact of an account, added when there is none. Raises NotFound for no account."""
    await unit.execute(
        text(
            "insert into notify.contact (id, account, name, language, created)"
            " select :id, id, display_name, language, :now from access.account where id = :account"
            " on conflict (account) do nothing"
        ),
        {"id": uuid7(), "account": account, "now": clock.now()},
    )
    found = await unit.execute(
        text("select id from notify.contact where account = :account"), {"account": account}
    )
    contact: UUID | None = found.scalar_one_or_none()
    if contact is None:
        raise _no_contact(account)
    return contact


async def resolve(unit: Unit, to: To) -> UUID:
    """The contact that a recipient names; an address alone becomes one that is not kept.

    Raises Invalid unless exactly one is named, NotFound when they do not exist.
    """
    named = [v for v in (to.account, to.contact, to.mail, to.phone) if v is not None]
    if len(named) != 1:
        raise Invalid(
            "recipient_ambiguous",
            "Name each recipient by one of account, contact, mail or phone.",
            errors=[{"field": "to", "code": "invalid", "message": "exactly one of four"}],
        )
    if to.account is not None:
        return await of_account(unit, to.account)
    if to.contact is not None:
        found = await unit.execute(
            text("select id from notify.contact where id = :id"), {"id": to.contact}
        )
        if found.scalar_one_or_none() is None:
            raise _no_contact(to.contact)
        return to.contact
    # The same address again is the same recipient: a key then finds the same message.
    found = await unit.execute(
        text(
            "select id from notify.contact where not kept and coalesce(mail, phone) = :address"
            " order by id limit 1"
        ),
        {"address": to.mail or to.phone},
    )
    known: UUID | None = found.scalar_one_or_none()
    if known is not None:
        return known
    return await _add(unit, to.name, to.language, to.mail, to.phone, kept=False)


async def reach(unit: Unit, contacts: list[UUID]) -> dict[UUID, Reach]:
    """How each contact can be reached."""
    rows = await unit.execute(_REACH, {"ids": contacts})
    return {row["id"]: Reach(**row) for row in rows.mappings()}


async def create(unit: Unit, new: ContactInput) -> Contact:
    """Someone without an account."""
    contact = await _add(unit, new.name, new.language, new.mail, new.phone, kept=True)
    await journal.record(
        unit,
        "notify.contact_created",
        params={"contact": str(contact)},
        changes=[Change("notify.contact", str(contact), None, _fields(new))],
        personal={"contact": Personal(new.name, f"contact:{contact}")},
    )
    return await read(unit, contact)


async def update(
    unit: Unit, contact: UUID, new: ContactInput, version: int | None = None
) -> Contact:
    """Replace someone's addresses. Raises NotFound, Conflict for an account's own contact (people
    look after theirs themselves), PreconditionFailed."""
    found = await unit.execute(
        text("select * from notify.contact where id = :id and kept for update"), {"id": contact}
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise _no_contact(contact)
    demand_version(row["version"], version)
    if row["account"] is not None:
        raise Conflict(
            "contact_of_account",
            "This is the contact of an account: its owner sets it under preferences.",
        )
    await unit.execute(
        text(
            "update notify.contact set name = :name, language = :language, mail = :mail,"
            " phone = :phone, version = version + 1 where id = :id"
        ),
        {"id": contact, **msgspec.structs.asdict(new)},
    )
    await journal.record(
        unit,
        "notify.contact_updated",
        params={"contact": str(contact)},
        changes=[Change("notify.contact", str(contact), {}, _fields(new))],
        personal={"contact": Personal(new.name, f"contact:{contact}")},
    )
    return await read(unit, contact)


async def delete(unit: Unit, contact: UUID) -> None:
    """Forget someone without an account, with the messages to them."""
    gone = await unit.execute(
        text("delete from notify.contact where id = :id and account is null"), {"id": contact}
    )
    if not gone.rowcount:
        raise _no_contact(contact)
    await journal.record(
        unit,
        "notify.contact_deleted",
        params={"contact": str(contact)},
        changes=[Change("notify.contact", str(contact), {}, None)],
    )


async def read(unit: Unit, contact: UUID) -> Contact:
    """One contact with its addresses. Raises NotFound."""
    found = await unit.execute(text(f"{_CONTACT} where id = :id"), {"id": contact})
    row = found.mappings().one_or_none()
    if row is None:
        raise _no_contact(contact)
    return Contact(**row)


async def list_contacts(unit: Unit, cursor: str | None, limit: int) -> Page[Contact]:
    """Everyone who is kept, newest first. That they were read is recorded."""
    after = AFTER.decode(cursor)
    before = "and id < :before" if after else ""
    found = await unit.execute(
        text(f"{_CONTACT} where kept {before} order by id desc limit :limit"),
        {"before": after[0] if after else None, "limit": limit + 1},
    )
    rows = [Contact(**row) for row in found.mappings()]
    if after is None:
        await journal.record(unit, "notify.contacts_read")
    return AFTER.page(rows, limit, lambda row: [row.id])


async def read_preferences(unit: Unit, contact: UUID) -> tuple[Preferences, list[Subscription]]:
    """How someone wishes to be reached, and their browsers."""
    row = (
        await unit.execute(
            text("select language, mail, phone, quiet_from, quiet_to from notify.contact"
                 " where id = :id"),
            {"id": contact},
        )
    ).one()  # fmt: skip
    channels = await unit.execute(
        text("select kind, channel from notify.preference where contact = :id order by kind"),
        {"id": contact},
    )
    subscriptions = await unit.execute(
        text("select id, endpoint, created from notify.subscription where contact = :id"
             " order by id"),
        {"id": contact},
    )  # fmt: skip
    return (
        Preferences(*row, channels={c.kind: c.channel for c in channels}),
        [Subscription(s.id, urlsplit(s.endpoint).hostname or "", s.created) for s in subscriptions],
    )


async def set_preferences(unit: Unit, contact: UUID, new: Preferences) -> None:
    """Replace how someone wishes to be reached. Raises Invalid for half of the quiet hours, or a
    kind of message that there is not."""
    if (new.quiet_from is None) is not (new.quiet_to is None):
        raise Invalid(
            "quiet_hours", "Quiet hours have a beginning and an end: give both, or neither.",
            errors=[{"field": "quiet_to", "code": "required", "message": "give both or neither"}],
        )  # fmt: skip
    known = {"*", *unit.house.part("templates")}
    if unknown := sorted(set(new.channels) - known):
        raise Invalid(
            "template_unknown", f"There is no message {unknown[0]!r}.", {"template": unknown[0]},
            errors=[{"field": f"channels.{unknown[0]}", "code": "invalid",
                     "message": "no such message"}],
        )  # fmt: skip
    fields = msgspec.structs.asdict(new)
    await unit.execute(
        text(
            "update notify.contact set language = :language, mail = :mail, phone = :phone,"
            " quiet_from = :quiet_from, quiet_to = :quiet_to, version = version + 1 where id = :id"
        ),
        {**fields, "id": contact},
    )
    await unit.execute(text("delete from notify.preference where contact = :id"), {"id": contact})
    if new.channels:
        await unit.execute(
            text("insert into notify.preference values (:contact, :kind, :channel)"),
            [{"contact": contact, "kind": k, "channel": c} for k, c in new.channels.items()],
        )
    await journal.record(
        unit,
        "notify.preferences_set",
        params={"contact": str(contact)},
        changes=[Change("notify.contact", str(contact), {}, _fields(new))],
    )


async def subscribe(unit: Unit, settings: Settings, contact: UUID, new: NewSubscription) -> UUID:
    """Add a browser; the same one twice is one. Raises Invalid for a push service that is none of
    the installation's: the address is one that we will call."""
    if not allowed_service(settings, new.endpoint):
        raise Invalid(
            "push_service",
            "This browser names a push service that this installation does not call: an "
            "administrator adds it to VIGIE_PUSH_SERVICES.",
            {"service": urlsplit(new.endpoint).hostname or ""},
        )
    await unit.execute(
        text(
            "delete from notify.subscription where id in (select id from notify.subscription"
            " where contact = :contact order by id desc offset :most)"
        ),
        {"contact": contact, "most": MOST_SUBSCRIPTIONS - 1},
    )
    found = await unit.execute(
        text(
            "insert into notify.subscription (id, contact, endpoint, p256dh, auth, created)"
            " values (:id, :contact, :endpoint, :p256dh, :auth, :now)"
            " on conflict (endpoint) do update set contact = excluded.contact,"
            " p256dh = excluded.p256dh, auth = excluded.auth returning id"
        ),
        {"id": uuid7(), "contact": contact, "now": clock.now(), **msgspec.structs.asdict(new)},
    )
    subscription = found.scalar_one()
    await journal.record(
        unit,
        "notify.push_subscribed",
        params={"contact": str(contact)},
        changes=[Change("notify.contact", str(contact), None, {"push": str(subscription)})],
    )
    return subscription


async def unsubscribe(unit: Unit, contact: UUID, subscription: UUID) -> None:
    """Take a browser away. Raises NotFound for another's."""
    gone = await unit.execute(
        text("delete from notify.subscription where id = :id and contact = :contact"),
        {"id": subscription, "contact": contact},
    )
    if not gone.rowcount:
        raise NotFound("subscription_not_found", "There is no such browser of yours.")
    await journal.record(
        unit,
        "notify.push_unsubscribed",
        params={"contact": str(contact)},
        changes=[Change("notify.contact", str(contact), {"push": str(subscription)}, None)],
    )


def allowed_service(settings: Settings, endpoint: str) -> bool:
    """True for an address under one of the push services; https unless the origin is given."""
    found = urlsplit(endpoint)
    host = (found.hostname or "").lower()
    for service in (s.strip().lower() for s in settings.push_services.split(",")):
        if "://" in service:
            if f"{found.scheme}://{found.netloc.lower()}" == service.rstrip("/"):
                return True
        elif service and (host == service or host.endswith(f".{service}")):
            return found.scheme == "https" and found.port in (None, 443) and not found.username
    return False


async def _add(
    unit: Unit, name: str, language: str, mail: str | None, phone: str | None, *, kept: bool
) -> UUID:
    contact = uuid7()
    await unit.execute(
        text(
            "insert into notify.contact (id, name, language, mail, phone, kept, created)"
            " values (:id, :name, :language, :mail, :phone, :kept, :now)"
        ),
        {"id": contact, "name": name, "language": language, "mail": mail, "phone": phone,
         "kept": kept, "now": clock.now()},
    )  # fmt: skip
    return contact


def _fields(new: Any) -> dict[str, Any]:
    """What the journal keeps for ever: which addresses there are, not what they are."""
    fields = msgspec.to_builtins(new)
    return {
        name: bool(value) if name in ("mail", "phone", "name") else value
        for name, value in fields.items()
    }


def _no_contact(contact: UUID) -> NotFound:
    return NotFound("contact_not_found", f"There is nobody {contact} to be reached.",
                    {"contact": str(contact)})  # fmt: skip
