"""Writing acts and reading them. An act is written in the transaction of what it tells of."""

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import text

from vigie.core import clock
from vigie.core.database import Unit
from vigie.core.errors import Invalid
from vigie.core.ids import uuid7
from vigie.core.journal.model import Change, Personal
from vigie.core.journal.rules import personal_digest
from vigie.core.scope import Principal

REASON = "reason"
ACTOR = "actor"

# Changes by COPY from this many on: below, one statement with arrays is as fast.
_COPY_FROM = 50

_ENTRY = text(
    "with kept as ("
    " insert into journal.personal (entry, recorded, field, subject, value, salt)"
    " select :id, :recorded, * from unnest(cast(:fields as text[]), cast(:subjects as text[]),"
    " cast(:values as text[]), cast(:salts as bytea[]))),"
    " queued as (insert into journal.pending (entry, recorded) values (:id, :recorded))"
    " insert into journal.entry (id, recorded, occurred, act, actor_kind, actor_id, actor_name,"
    " role, request_id, params, personal, scopes, changes, tally, caused_by, chain) values (:id,"
    " :recorded, :occurred, :act, :kind, :actor, :name, :role, :request, cast(:params as jsonb),"
    " cast(:personal as jsonb), :scopes, :changes, cast(:tally as jsonb), :caused_by, :chain)"
)
_CHANGES = text(
    "insert into journal.change"
    " (entry, recorded, ordinal, object_type, object_id, scope, before, after)"
    " select :id, :recorded, ordinal - 1, object_type, object_id, scope,"
    " cast(before as jsonb), cast(after as jsonb)"
    " from unnest(cast(:types as text[]), cast(:objects as text[]), cast(:scopes as text[]),"
    " cast(:before as text[]), cast(:after as text[])) with ordinality"
    " as row (object_type, object_id, scope, before, after, ordinal)"
)
_COPY = (
    "copy journal.change (entry, recorded, ordinal, object_type, object_id, scope, before, after)"
    " from stdin"
)


async def record(
    unit: Unit,
    act: str,
    *,
    params: Mapping[str, Any] | None = None,
    changes: Iterable[Change] = (),
    reason: str | None = None,
    personal: Mapping[str, str | Personal] | None = None,
    occurred: datetime | None = None,
    role: str = "",
    scopes: Iterable[str] = (),
) -> UUID:
    """Write one act; its id.

    Whoever is granted one of `scopes` ("21231/lighting"), or a scope of a change, sees it. The
    reason and `personal` go to the erasable table; the name of a person who acts too. Raises
    Invalid when a text holds a NUL character, which PostgreSQL cannot keep.
    """
    entry, recorded = uuid7(), clock.now()
    rows = changes if isinstance(changes, list) else list(changes)
    if rows:
        await _write_changes(unit, entry, recorded, rows)
    kept = _personal(unit.principal, reason, personal or {})
    salts = [secrets.token_bytes(16) for _ in kept]
    tally = Counter(change.scope for change in rows)
    digests = {
        field: personal_digest(salt, field, value.value)
        for (field, value), salt in zip(kept.items(), salts, strict=True)
    }
    await unit.execute(
        _ENTRY,
        {
            "id": entry,
            "recorded": recorded,
            "occurred": occurred or recorded,
            "act": act,
            "kind": unit.principal.kind,
            "actor": unit.principal.id,
            "name": "" if subject_of(unit.principal) else unit.principal.name,
            "role": role or _roles(unit.principal),
            "request": unit.request_id,
            "params": json_text(params or {}),
            "personal": json_text(digests),
            "scopes": sorted({key for scope in tally for key in scope.split()} | set(scopes)),
            "changes": len(rows),
            "tally": json_text(tally),
            "caused_by": unit.cause and unit.cause.entry,
            "chain": unit.cause.chain if unit.cause else 0,
            "fields": list(kept),
            "subjects": [value.subject for value in kept.values()],
            "values": [without_nul(value.value) for value in kept.values()],
            "salts": salts,
        },
    )
    unit.wake("journal")
    return entry


def _roles(principal: Principal) -> str:
    """The roles that someone acts in; a rule has none, only what it may do."""
    if principal.kind == "rule":
        return ""
    return ",".join(sorted({grant.role for grant in principal.grants}))


def json_text(value: Any) -> str:
    """JSON that a jsonb column takes. Raises Invalid for a NUL character."""
    encoded = msgspec.json.encode(value)
    if b"\\u0000" in encoded and "\0" in "".join(_strings(msgspec.json.decode(encoded))):
        raise nul_character()
    return encoded.decode()


def without_nul(value: str) -> str:
    """The same text. Raises Invalid for a NUL character."""
    if "\0" in value:
        raise nul_character()
    return value


def nul_character() -> Invalid:
    """PostgreSQL keeps every character but one."""
    return Invalid("nul_character", "A text holds the character U+0000: remove it.")


def subject_of(principal: Principal) -> str:
    """The key under which a principal's personal values are kept; empty for what is no person's.

    A token is named after its owner, and is forgotten with them.
    """
    person = principal.owner if principal.kind == "token" else principal.id
    return f"user:{person}" if principal.kind in ("user", "token") else ""


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            yield key
            yield from _strings(item)
    elif isinstance(value, list):
        for item in cast("list[Any]", value):
            yield from _strings(item)


def _personal(
    principal: Principal, reason: str | None, personal: Mapping[str, str | Personal]
) -> dict[str, Personal]:
    author = subject_of(principal)
    kept = {
        field: value if isinstance(value, Personal) else Personal(value, author)
        for field, value in personal.items()
    }
    if reason:
        kept[REASON] = Personal(reason, author)
    if author:
        kept[ACTOR] = Personal(principal.name, author)
    return kept


async def _write_changes(unit: Unit, entry: UUID, recorded: datetime, rows: list[Change]) -> None:
    if len(rows) < _COPY_FROM:
        await unit.execute(
            _CHANGES,
            {
                "id": entry,
                "recorded": recorded,
                "types": [row.object_type for row in rows],
                "objects": [without_nul(row.object_id) for row in rows],
                "scopes": [row.scope for row in rows],
                "before": [_optional(row.before) for row in rows],
                "after": [_optional(row.after) for row in rows],
            },
        )
        return
    head = f"{entry}\t{recorded.isoformat()}\t"
    lines = [
        f"{head}{ordinal}\t{_escape(row.object_type)}\t{_escape(row.object_id)}"
        f"\t{_escape(row.scope)}\t{_field(row.before)}\t{_field(row.after)}\n"
        for ordinal, row in enumerate(rows)
    ]
    connection = await unit.raw()
    async with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for start in range(0, len(lines), 2000):
            await copy.write("".join(lines[start : start + 2000]).encode())


def _optional(value: Any) -> str | None:
    return None if value is None else json_text(value)


def _field(value: Any) -> str:
    return "\\N" if value is None else _escape(json_text(value))


def _escape(value: str) -> str:
    without_nul(value)
    if "\\" in value or "\t" in value or "\n" in value or "\r" in value:
        value = value.replace("\\", "\\\\").replace("\t", "\\t")
        value = value.replace("\n", "\\n").replace("\r", "\\r")
    return value
