"""Life of a priority request, with the states of SAE J2735 (SRM and SSM), as a table.

A request is one bus at one crossing. J2735 names the states; it has none for the end, so `closed`
is added: a request always ends there, with the verb that closed it as its reason.
"""

from typing import Literal, TypeAlias

from msgspec import Struct, structs

from .errors import TransitionError

State: TypeAlias = Literal[
    "requested", "processing", "watchOtherTraffic", "granted", "rejected", "maxPresence",
    "reserviceLocked", "closed",
]  # fmt: skip
Verb: TypeAlias = Literal[
    "weigh", "yield", "grant", "reject", "lock", "overstay", "pass", "cancel", "lose"
]

OPEN: tuple[State, ...] = (
    "requested", "processing", "watchOtherTraffic", "granted", "rejected", "reserviceLocked",
)  # fmt: skip

MAX_PRESENCE = 420
"""Seconds after which a request that never passed stops being served."""
AFTERLIFE = 60
"""Seconds a request may stay in maxPresence before it is closed."""


def _table() -> dict[tuple[State, Verb], State]:
    table: dict[tuple[State, Verb], State] = {("requested", "weigh"): "processing"}
    live: tuple[State, ...] = (
        "processing", "watchOtherTraffic", "granted", "rejected", "reserviceLocked"
    )  # fmt: skip
    for state in live:
        table[state, "weigh"] = "processing"
        table[state, "yield"] = "watchOtherTraffic"
        table[state, "lock"] = "reserviceLocked"
    table["processing", "grant"] = "granted"
    table["watchOtherTraffic", "grant"] = "granted"
    table["granted", "grant"] = "granted"
    table["processing", "reject"] = "rejected"
    table["watchOtherTraffic", "reject"] = "rejected"
    table["rejected", "reject"] = "rejected"
    for state in OPEN:
        table[state, "overstay"] = "maxPresence"
    for state in (*OPEN, "maxPresence"):
        for verb in ("pass", "cancel", "lose"):
            table[state, verb] = "closed"
    return table


TABLE = _table()
"""(state, verb) → state. What is not in it is refused."""

MEANING: dict[Verb, str] = {
    "weigh": "the request is being weighed; the signals serve it without help",
    "yield": "help would cost others more than it gives, or a rival request is stronger",
    "grant": "the signals change for this bus",
    "reject": "the request cannot be served: bad data, no lane, no stage",
    "lock": "the crossing has just given way to another request and repays its cross streets",
    "overstay": "present longer than the maximum: served as ordinary traffic",
    "pass": "the bus has passed the stop line",
    "cancel": "the bus has left its way or ended its run",
    "lose": "no position for too long",
}


class Request(Struct, frozen=True):
    """One bus asking one crossing."""

    bus: str
    crossing: str
    lane: str
    opened: int
    signal: int = 0
    """Which of the signals of the bus's way."""
    state: State = "requested"
    changed: int = 0
    grants: int = 0
    """Times it went into granted."""


def move(request: Request, verb: Verb, now: int) -> Request:
    """The request after `verb`; TransitionError where the table has no such way."""
    if now < request.changed:
        raise TransitionError(
            f"request of bus {request.bus} at {request.crossing}: {verb} at {now}, before its "
            f"last change at {request.changed}"
        )
    after = TABLE.get((request.state, verb))
    if after is None:
        raise TransitionError(
            f"request of bus {request.bus} at {request.crossing}: {verb} is not possible while "
            f"{request.state}"
        )
    if after == request.state:
        return request
    grants = request.grants + (after == "granted")
    return structs.replace(request, state=after, changed=now, grants=grants)


def overdue(request: Request, now: int) -> Verb | None:
    """The verb that time alone imposes: every request ends even if nothing more is heard."""
    if request.state in OPEN and now - request.opened >= MAX_PRESENCE:
        return "overstay"
    if request.state == "maxPresence" and now - request.changed >= AFTERLIFE:
        return "lose"
    return None
