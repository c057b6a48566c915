"""Which account a subject of an OpenID provider opens.

An administrator links a subject, or its owner does from within a session; a provider whose `match`
is set links by a claim that names an existing account, once: afterwards the subject alone counts.
No account is created unless the provider's groups are mapped to grants, and then the groups say at
each login what it is granted.
"""

import hashlib
import re
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.access import passwords, users
from vigie.core.access.model import Username
from vigie.core.access.providers import Provider
from vigie.core.access.rules import RESERVED_USERNAMES
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Invalid, NotFound
from vigie.core.ids import secret, uuid7
from vigie.core.journal import Change, Personal
from vigie.core.scope import Grant
from vigie.core.text import checked_name


class NewIdentity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A provider's subject (`sub`) that opens an account."""

    provider: Annotated[str, Meta(max_length=31)]
    subject: Annotated[str, Meta(min_length=1, max_length=255)]
    label: Annotated[str, Meta(max_length=120)] = ""


class Identity(msgspec.Struct, frozen=True):
    """An account's subject at a provider; `managed`: its groups say what the account is granted."""

    id: UUID
    provider: str
    subject: str
    label: str
    managed: bool
    linked_by: str
    created: datetime
    used: datetime | None


class Account(msgspec.Struct, frozen=True):
    """Whom a login opens; `refused` says why nobody."""

    id: UUID
    username: str
    refused: str = ""


_NOBODY = UUID(int=0)
_SELECT = "select id, provider, subject, label, managed, linked_by, created, used"


async def listed(unit: Unit, account: UUID) -> list[Identity]:
    """The subjects that open an account."""
    found = await unit.execute(
        text(f"{_SELECT} from access.identity where account = :account order by id"),
        {"account": account},
    )
    return [msgspec.convert(dict(row), Identity) for row in found.mappings()]


async def owner_of(unit: Unit, provider: str, subject: str) -> UUID | None:
    """The account that a subject opens."""
    found = await unit.execute(
        text(
            "select account from access.identity where provider = :provider and subject = :subject"
        ),
        {"provider": provider, "subject": subject},
    )
    return found.scalar_one_or_none()


async def link(
    unit: Unit,
    account: UUID,
    provider: str,
    subject: str,
    label: str,
    by: str,
    *,
    managed: bool = False,
) -> None:
    """Let a subject open an account. Raises Conflict for one that opens another."""
    made = await unit.execute(
        text(
            "insert into access.identity (id, provider, subject, account, label, managed,"
            " linked_by, created) values (:id, :provider, :subject, :account, :label, :managed,"
            " :by, :now) on conflict (provider, subject) do nothing"
        ),
        {
            "id": uuid7(),
            "provider": provider,
            "subject": subject,
            "account": account,
            "label": label,
            "managed": managed,
            "by": by,
            "now": clock.now(),
        },
    )
    if made.rowcount == 0:
        if await owner_of(unit, provider, subject) == account:
            return
        raise Conflict(
            "identity_taken",
            "This login already opens another account: unlink it there first.",
            {"provider": provider},
        )
    await journal.record(
        unit,
        "access.identity_linked",
        params={"user": str(account), "provider": provider, "by": by},
        personal={"subject": Personal(subject, f"user:{account}")},
    )


async def link_for(unit: Unit, user: UUID, new: NewIdentity, known: frozenset[str]) -> None:
    """An administrator links somebody's subject. Raises as `link`, Forbidden for an account that
    holds more than they do."""
    if new.provider not in known:
        raise Invalid(
            "provider_unknown",
            f"There is no login service {new.provider!r}.",
            {"provider": new.provider},
            errors=[{"field": "provider", "code": "unknown", "message": "no such login service"}],
        )
    account = await users.read_user(unit, user, lock=True)
    users.demand_reach(unit, account)
    label = checked_name("label", new.label) if new.label else ""
    await link(
        unit, user, new.provider, checked_name("subject", new.subject), label, "administrator"
    )


async def unlink(unit: Unit, account: UUID, identity: UUID) -> None:
    """A subject opens the account no more. Raises NotFound."""
    gone = await unit.execute(
        text(
            "delete from access.identity where id = :id and account = :account"
            " returning provider, subject"
        ),
        {"id": identity, "account": account},
    )
    row = gone.one_or_none()
    if row is None:
        raise NotFound("identity_not_found", "There is no such link.", {"id": str(identity)})
    await journal.record(
        unit,
        "access.identity_unlinked",
        params={"user": str(account), "provider": row.provider},
        personal={"subject": Personal(row.subject, f"user:{account}")},
    )


async def account_for(unit: Unit, name: str, provider: Provider, claims: dict[str, Any]) -> Account:
    """The account that a valid login opens; one is linked or created where the settings say so."""
    subject: str = claims["sub"]
    await unit.execute(
        text("select pg_advisory_xact_lock(7710425, hashtext(:who))"), {"who": f"{name}\n{subject}"}
    )
    found = await _by_subject(unit, name, subject)
    if found is None and (match := _match(provider, claims)) is not None:
        rows = await unit.execute(
            # Once: an address that was given to somebody else later opens nothing.
            text(
                "select a.id from access.account a where a.username = :match and not exists"
                " (select from access.identity i where i.account = a.id and i.provider = :name)"
            ),
            {"match": match, "name": name},
        )
        account = rows.scalar_one_or_none()
        if account is not None:
            await link(unit, account, name, subject, label_of(claims), "match")
            found = await _by_subject(unit, name, subject)
    wanted = granted(provider, claims)
    if found is None and wanted:
        await _create(unit, name, claims, wanted)
        found = await _by_subject(unit, name, subject)
    if found is None:
        return Account(_NOBODY, "", "oidc_no_account")
    if not found["active"]:
        return Account(found["account"], found["username"], "oidc_no_account")
    if found["managed"]:
        await _sync(unit, found["account"], wanted)
        if not wanted:
            return Account(found["account"], found["username"], "oidc_no_account")
    await unit.execute(
        text("update access.identity set used = :now where id = :id"),
        {"now": clock.now(), "id": found["id"]},
    )
    return Account(found["account"], found["username"])


def granted(provider: Provider, claims: dict[str, Any]) -> list[Grant]:
    """What a person's groups give them, as the settings map them."""
    told = claims.get(provider.groups_claim)
    groups = {told} if isinstance(told, str) else set()
    if isinstance(told, list):
        groups = {group for group in told if isinstance(group, str)}
    grants = [Grant(g.role, g.municipality, g.trade) for g in provider.grants if g.group in groups]
    return sorted(set(grants), key=lambda g: (g.role, g.municipality, g.trade))


def _match(provider: Provider, claims: dict[str, Any]) -> str | None:
    """The user name that a claim names. An e-mail address counts only when the provider verified
    it: anybody could write a colleague's."""
    value = claims.get(provider.match) if provider.match else None
    if not isinstance(value, str) or not value:
        return None
    if provider.match == "email" and claims.get("email_verified") is not True:
        return None
    return value.strip().lower()


def label_of(claims: dict[str, Any]) -> str:
    """What its owner knows the login by."""
    for claim in ("email", "preferred_username", "name"):
        try:
            return checked_name(claim, claims[claim])[:120]
        except (KeyError, TypeError, AttributeError, Invalid):
            continue
    return ""


def username_for(name: str, claims: dict[str, Any]) -> list[str]:
    """User names to try for a new account, best first; the last one is free."""
    mark = hashlib.sha256(claims["sub"].encode()).hexdigest()[:12]
    found: list[str] = []
    for claim in ("preferred_username", "email"):
        value = str(claims.get(claim) or "").strip().lower()
        value = re.sub(r"[^a-z0-9._@-]", "-", value)[:64]
        try:
            found.append(msgspec.convert(value, Username))
        except msgspec.ValidationError:
            continue
    usable = [one for one in found if one not in RESERVED_USERNAMES]
    return [*usable, f"{name}-{mark}"]


async def _by_subject(unit: Unit, name: str, subject: str) -> Any:
    found = await unit.execute(
        text(
            "select i.id, i.account, i.managed, a.username, a.active from access.identity i"
            " join access.account a on a.id = i.account"
            " where i.provider = :name and i.subject = :subject"
        ),
        {"name": name, "subject": subject},
    )
    return found.mappings().one_or_none()


async def _create(unit: Unit, name: str, claims: dict[str, Any], grants: list[Grant]) -> None:
    user, now = uuid7(), clock.now()
    # Nobody knows it: who has no password comes by the provider or a passkey.
    unknown = await passwords.hash_password(secret())
    try:
        display_name = checked_name("name", claims.get("name"))[:120]  # type: ignore[arg-type]
    except (Invalid, TypeError, AttributeError):
        display_name = ""
    username = ""
    for username in username_for(name, claims):
        made = await unit.execute(
            text(
                "insert into access.account (id, username, display_name, password,"
                " password_changed, must_change_password, created) values (:id, :username,"
                " :display_name, :password, :now, false, :now) on conflict (username) do nothing"
            ),
            {
                "id": user,
                "username": username,
                "display_name": display_name or username,
                "password": unknown,
                "now": now,
            },
        )
        if made.rowcount:
            break
    await users.give(unit, user, _known(unit, grants))
    await journal.record(
        unit,
        "access.user_created",
        params={"user": str(user), "provider": name},
        changes=[Change("user", str(user), None, {"grants": grants})],
        personal={"username": Personal(username, f"user:{user}")},
    )
    await link(unit, user, name, claims["sub"], label_of(claims), "groups", managed=True)


async def _sync(unit: Unit, account: UUID, wanted: list[Grant]) -> None:
    """The account's grants are those of the groups, no more and no less."""
    user = await users.read_user(unit, account, lock=True)
    after = _known(unit, wanted)
    if set(user.grants) == set(after):
        return
    await unit.execute(text("delete from access.granted where account = :id"), {"id": account})
    await users.give(unit, account, after)
    await unit.execute(
        text("update access.account set version = version + 1 where id = :id"), {"id": account}
    )
    await journal.record(
        unit,
        "access.user_updated",
        params={"user": str(account), "fields": ["grants"]},
        changes=[Change("user", str(account), {"grants": user.grants}, {"grants": after})],
        personal={"username": Personal(user.username, f"user:{account}")},
    )


def _known(unit: Unit, grants: list[Grant]) -> list[Grant]:
    """Without roles that there are not: the settings may name one that was removed."""
    return [grant for grant in grants if grant.role in unit.house.catalogue.roles]
