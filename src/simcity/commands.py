"""What a device does with a command: decisions only, nothing is sent here."""

import datetime as dt
from collections import OrderedDict
from enum import Enum
from typing import Any, Literal

import msgspec

from simcity.faults import Fault

Status = Literal["received", "done", "refused", "failed"]
REMEMBERED = 500_000


class Command(msgspec.Struct):
    id: str
    device: str
    verb: str
    params: dict[str, Any]
    expires_at: str | int | float | None = None
    issued_at: str | int | float | None = None


class Outcome(msgspec.Struct, frozen=True):
    status: Status
    code: str | None = None
    level: float | None = None  # to set, when done


class Fate(Enum):
    """What becomes of one received copy."""

    EXPIRED = "expired"  # ignored
    UNHEARD = "unheard"  # the device is silent
    NEW = "new"  # answer `received`, then carry out
    PENDING = "pending"  # a copy of one being carried out: answer `received`
    REPEATED = "repeated"  # a copy of one carried out: answer `received` and the outcome again


decode = msgspec.json.Decoder(Command).decode


def seconds(moment: str | float | None) -> float | None:
    """Epoch seconds of an RFC 3339 time or of epoch milliseconds."""
    if moment is None:
        return None
    if isinstance(moment, str):
        return dt.datetime.fromisoformat(moment).timestamp()
    return moment / 1000


def outcome_of(command: Command, kind: str, fault: Fault) -> Outcome:
    """How carrying it out ends."""
    if kind != "Streetlight" or command.verb != "set_dimming_level":
        return Outcome("refused", "unsupported")
    level = command.params.get("level")
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 <= level <= 100:
        return Outcome("refused", "out_of_range")
    match fault:
        case Fault.REFUSES:
            return Outcome("refused", "interlock")
        case Fault.LAMP_FAILURE:
            return Outcome("failed", "lamp_failure")
        case Fault.SUPPLY_LOSS:
            return Outcome("failed", "supply_loss")
        case _:
            return Outcome("done", None, float(level))


class Memory:
    """The commands devices remember, so that each id is carried out once."""

    def __init__(self, limit: int = REMEMBERED):
        self._limit = limit
        self._known: OrderedDict[tuple[str, int], Outcome | None] = OrderedDict()

    def fate(self, id_: str, device: int, expires: float | None, now: float, fault: Fault) -> Fate:
        if expires is not None and now >= expires:
            return Fate.EXPIRED
        if fault == Fault.SILENT:
            return Fate.UNHEARD
        if (id_, device) not in self._known:
            return Fate.NEW
        return Fate.PENDING if self._known[id_, device] is None else Fate.REPEATED

    def begin(self, id_: str, device: int) -> None:
        self._known[id_, device] = None
        if len(self._known) > self._limit:
            self._known.popitem(last=False)

    def finish(self, id_: str, device: int, outcome: Outcome) -> None:
        self._known[id_, device] = outcome

    def outcome(self, id_: str, device: int) -> Outcome | None:
        return self._known.get((id_, device))


def answer(id_: str, device: str, at: int, status: Status, code: str | None = None) -> bytes:
    body: dict[str, object] = {"id": id_, "device": device, "at": at, "status": status}
    if code is not None:
        body["code"] = code
    return msgspec.json.encode(body)


def join(parts: list[bytes]) -> bytes:
    """One object as it is, several as an array."""
    return parts[0] if len(parts) == 1 else b"[" + b",".join(parts) + b"]"
