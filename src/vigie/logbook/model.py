"""The log's tables and structs."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Integer, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from vigie.core.objects import Ref

_META = MetaData(schema="logbook")
_PLACE = ("municipality", "trade", "compartment")
SHIFT = Table(
    "shift",
    _META,
    Column("id", Uuid, primary_key=True),
    Column("number", Integer),
    Column("state", Text),
    Column("version", Integer),
    *(Column(name, Text) for name in _PLACE),
    Column("opened", DateTime(timezone=True)),
    Column("opened_by", Text),
    Column("handed", DateTime(timezone=True)),
    Column("handed_by", Text),
    Column("note", Text),
)
ENTRY = Table(
    "entry",
    _META,
    Column("id", Uuid, primary_key=True),
    Column("shift", Uuid),
    Column("number", Integer),
    Column("at", DateTime(timezone=True)),
    Column("recorded", DateTime(timezone=True)),
    Column("author", Text),
    Column("kind", Text),
    Column("unit", Text),
    Column("text", Text),
    Column("folded", Text),
    Column("act", Text),
    Column("params", JSONB),
    Column("follow_up", Boolean),
    Column("of", Uuid),
    Column("settles", Boolean),
    Column("shift_number", BigInteger),
    *(Column(name, Text) for name in _PLACE),
)

Kind = Literal["hand", "act", "unit"]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]
Place = Annotated[str, msgspec.Meta(max_length=40)]


class WriteEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is added to the log. `at` is when it happened (now, when left out); `unit` who reports
    it from outside; `follow_up` asks the next shift to look; `about` are objects it concerns."""

    text: Words
    at: datetime | None = None
    unit: Annotated[str, msgspec.Meta(max_length=80)] = ""
    follow_up: bool = False
    about: Annotated[list[Ref], msgspec.Meta(max_length=20)] = []
    municipality: Place = ""
    trade: Place = ""
    compartment: Place = ""


class Correction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is written beside an entry: it stands, and so does this. `settles` what was to be
    followed up."""

    text: Words
    settles: bool = False


class ShiftHandOver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the next shift must know."""

    note: Words


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log. `of` is the entry that it corrects or settles; an act's line has its code
    and parameters in place of a text."""

    id: UUID
    shift: UUID
    shift_number: int
    number: int
    at: datetime
    recorded: datetime
    author: str
    kind: Kind
    unit: str
    text: str
    act: str
    params: dict[str, Any]
    follow_up: bool
    of: UUID | None
    settles: bool
    municipality: str
    trade: str
    compartment: str


class LogShift(msgspec.Struct, frozen=True, kw_only=True):
    """A shift: numbered, opened by its first entry, handed over with a note, taken by the next."""

    id: UUID
    number: int
    state: str
    version: int
    municipality: str
    trade: str
    compartment: str
    opened: datetime
    opened_by: str
    handed: datetime | None
    handed_by: str
    note: str
