"""The life of a command at one target, as a table; and what counts as evidence. Pure.

requested → sent → delivered → confirmed | refused | failed | timed_out | cancelled | superseded
(awaiting_approval stands before requested where a second person must agree; an interlock blocks: a
target ends as refused before anything is sent).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, cast, get_args

import msgspec

from vigie.core.errors import Fault
from vigie.twin.kinds import Choice, Command, Demand, Field, Flag, Kind, Number, Text, value_of

State = Literal[
    "requested",
    "awaiting_approval",
    "sent",
    "delivered",
    "confirmed",
    "refused",
    "failed",
    "timed_out",
    "cancelled",
    "superseded",
]
Event = Literal[
    "hold",
    "approve",
    "block",
    "send",
    "received",
    "shown",
    "done",
    "refused",
    "failed",
    "expire",
    "cancel",
    "supersede",
]
# What else an event may come to: nothing new, evidence after the end, or never to happen.
SAME = "same"
LATE = "late"
IMPOSSIBLE = "impossible"
Outcome = State | Literal["same", "late", "impossible"]

STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)
OPEN: tuple[State, ...] = ("requested", "awaiting_approval", "sent", "delivered")
ENDED: tuple[State, ...] = tuple(state for state in STATES if state not in OPEN)

_GRID = """
                  hold approve block send received shown done refused failed expire cancel supersede
requested         A    -       -     S    D        .     C    R       F      T      X      U
awaiting_approval .    Q       R     -    -        .     -    -       F      T      X      U
sent              -    -       -     .    D        .     C    R       F      T      X      U
delivered         -    -       -     .    .        C     C    R       F      T      X      U
confirmed         -    -       -     -    .        .     .    L       L      .      .      .
refused           -    -       -     -    .        L     L    .       L      .      .      .
failed            -    -       -     -    .        L     L    L       .      .      .      .
timed_out         -    -       -     -    L        L     L    L       L      .      .      .
cancelled         -    -       -     -    L        L     L    L       L      .      .      .
superseded        -    -       -     -    L        L     L    L       L      .      .      .
"""
_LEGEND: dict[str, Outcome] = {
    "Q": "requested",
    "A": "awaiting_approval",
    "S": "sent",
    "D": "delivered",
    "C": "confirmed",
    "R": "refused",
    "F": "failed",
    "T": "timed_out",
    "X": "cancelled",
    "U": "superseded",
    ".": SAME,
    "L": LATE,
    "-": IMPOSSIBLE,
}


def _read(grid: str) -> dict[tuple[State, Event], Outcome]:
    head, *rows = (line.split() for line in grid.strip().splitlines())
    return {
        (cast("State", state), cast("Event", event)): _LEGEND[code]
        for state, *codes in rows
        for event, code in zip(head, codes, strict=True)
    }


TABLE = _read(_GRID)

# Evidence kept after the end replaces weaker evidence: having received says less than having done.
_WEIGHT: dict[str, int] = {"received": 0, "shown": 1, "failed": 2, "refused": 2, "done": 3}

# Pauses after each sending that nothing came back for; then the last one, until it expires.
PAUSES_S = (2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
RESEND_DELIVERED_S = 30.0
# Answers a second that a large command may count on: its pauses are longer by its size over this.
PACE = 4_000.0
# Answers on their way when a command expires are waited for this long.
GRACE_S = 3.0
_TOLERANCE = 0.005

# By which way an order goes out: urgent ones have their own, and few go before many.
URGENT, FEW, MANY = LANES = (0, 1, 2)
_FEW = 200
# An order to more than this holds up others, however urgent.
_MOST_URGENT = 1_000

INTERLOCK = "interlock:"
"""Before the name of the interlock in the code of what it refused."""

# What readings must show: metric to (value, how near is near enough).
Wanted = Mapping[str, Sequence[float]]


class Target(msgspec.Struct):
    """One asset's part of a command."""

    state: State
    already: bool = False
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    ended_at: datetime | None = None
    next_send: datetime | None = None
    watch: bool = True
    error: dict[str, Any] | None = None
    late: dict[str, Any] | None = None
    shown: datetime | None = None
    function: str = "level"


def apply(
    target: Target, event: Event, now: datetime, detail: Mapping[str, Any] | None = None
) -> bool:
    """Let a target live through an event from the field; True when something changed.

    What the table calls impossible changes nothing: the field may say anything.
    """
    outcome = TABLE[target.state, event]
    if outcome == SAME or outcome == IMPOSSIBLE:  # noqa: SIM109 - narrows the type
        return False
    if outcome == LATE:
        kept = _WEIGHT.get((target.late or {}).get("event", ""), -1)
        if _WEIGHT.get(event, 0) <= kept:
            return False
        target.late = {"event": event, "at": now, **(detail or {})}
        if event != "received":
            target.watch = False
        return True
    target.state = outcome
    if event in ("received", "done", "refused", "failed") and target.delivered_at is None:
        target.delivered_at = now
    if target.state in OPEN:
        target.next_send = now + timedelta(seconds=RESEND_DELIVERED_S)
        return True
    target.ended_at, target.next_send = now, None
    target.watch = target.state == "timed_out"
    if target.state in ("refused", "failed"):
        target.error = {"code": "unexplained", **(detail or {})}
    return True


def proves(target: Target, wanted: Wanted, values: Mapping[str, float]) -> bool:
    """True when a reading taken after the command was sent shows it done.

    A reading does not say whose will it shows. So it counts only where the device has acknowledged
    receiving this very command, and where something else was last shown and wanted before.
    """
    if target.sent_at is None or target.already or not wanted:
        return False
    return shows(wanted, values)


def note_shown(target: Target, wanted: Wanted, values: Mapping[str, float], at: datetime) -> bool:
    """Remember since when readings taken after the sending show what was wanted; True when that
    changed. It confirms nothing, but people see that the lamp does it."""
    if target.sent_at is None or at < target.sent_at:
        return False
    if not wanted or any(metric not in values for metric in wanted):
        return False
    if shows(wanted, values):
        if target.shown is not None:
            return False
        target.shown = at
        return True
    if target.shown is None or at < target.shown:
        return False
    target.shown = None
    return True


def shows(wanted: Wanted, values: Mapping[str, float]) -> bool:
    """True when every wanted metric is there, near enough."""
    return all(
        metric in values and abs(values[metric] - value) <= within
        for metric, (value, within) in wanted.items()
    )


def lane_of(command: Command, total: int) -> int:
    """The way out of an order to so many."""
    if command.urgent and total <= _MOST_URGENT:
        return URGENT
    return FEW if total <= _FEW else MANY


def demands_of(command: Command) -> list[Demand]:
    """All that an order asks of who gives it, the least first."""
    demands: list[Demand] = list(get_args(Demand))
    return demands[: demands.index(command.demands) + 1]


def is_retryable(state: State, error: Mapping[str, Any] | None) -> bool:
    """May the same order help at a target where it ended? Not where it is done, not where a rule of
    safety refused it."""
    if state in OPEN or state == "confirmed":
        return False
    return not str((error or {}).get("code", "")).startswith(INTERLOCK)


def check_params(command: Command, params: Mapping[str, Any]) -> list[Fault]:
    """Everything wrong with a command's parameters."""
    faults: list[Fault] = []
    declared = {parameter.name: parameter for parameter in command.params}
    for name in params:
        if name not in declared:
            message = f"{command.verb} takes no such one"
            faults.append(Fault(f"params.{name[:64]}", "unknown", message))
    for name, parameter in declared.items():
        fault = _fault_of(parameter, params.get(name))
        if fault is not None:
            code, message = fault
            faults.append(Fault(f"params.{name}", code, message))
    return faults


def _fault_of(field: Field, value: Any) -> tuple[str, str] | None:
    match field:
        case Number(low=low, high=high, unit=unit):
            if not isinstance(value, int | float) or isinstance(value, bool):
                return "number_needed", "must be a number"
            if not low <= value <= high:
                return "out_of_range", f"must be {low:g} to {high:g} {unit}"
        case Flag():
            if not isinstance(value, bool):
                return "flag_needed", "must be true or false"
        case Choice(words=words):
            if value not in words:
                return "word_needed", f"must be one of {', '.join(words)}"
        case Text(longest=longest):
            if not isinstance(value, str) or not value.strip():
                return "text_needed", "must be a text"
            if len(value) > longest:
                return "too_long", f"must be {longest} characters at most"
    return None


def wanted_of(
    command: Command, params: Mapping[str, Any], kind: Kind
) -> dict[str, tuple[float, float]]:
    """The points of a kind that show the command done, and how near is near enough: half a percent
    of a number's range, the very value of anything else."""
    wanted: dict[str, tuple[float, float]] = {}
    intended = {point: params[param] for param, point in command.shows.items()} | dict(command.sets)
    for name, value in intended.items():
        point = kind.point(name)
        if point is not None:
            near = 0.25 if point.whole else _TOLERANCE * (point.high - point.low)
            wanted[name] = (value_of(point, value), near)
    return wanted
