"""What a kind of equipment is, declared as data by the trade it belongs to.

    Kind(
        "RetractableBollard", "access_points",
        points=(Choice("barrier", ("lowered", "raised", "moving"), abnormal=()), Flag("obstacle")),
        events=(Event("forced"),),
        commands=(Command("lower", function="barrier", sets={"barrier": "lowered"}),),
    )

Points are what it shows. A point's slot is its place in the declaration: state and history store
values by slot, so points, and the words of a choice, are only ever added at the end.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, Literal

import msgspec

REPORT_S = 180.0
"""How often equipment reports, unless its kind says otherwise: older is shown as old."""
MOST_POINTS = 64
MOST_WORDS = 256

Demand = Literal["reason", "login", "second"]
"""What an order asks of who gives it: a reason, a fresh login, a second person (each with the
ones before)."""


class Number(msgspec.Struct, frozen=True, dict=True):
    """A quantity between `low` and `high`, in `unit` (SI, or the trade's: °C, %, kWh).

    `promise_s` is the age after which its value is shown as old; None when only changes are told.
    `counter`: it only grows, until it is reset; what counts is the difference.
    """

    name: str
    unit: str
    low: float
    high: float
    promise_s: float | None = REPORT_S
    counter: bool = False

    @property
    def whole(self) -> bool:
        """Takes any value between its bounds."""
        return False

    @property
    def abnormal_values(self) -> tuple[float, ...]:
        """None by itself: bounds that ask for a person are rules of supervision."""
        return ()


class Flag(msgspec.Struct, frozen=True, dict=True):
    """Yes (1) or no (0); `abnormal` says that yes asks for a person."""

    name: str
    abnormal: bool = False
    promise_s: float | None = None

    unit = "1"
    low, high, whole, counter = 0.0, 1.0, True, False

    @property
    def abnormal_values(self) -> tuple[float, ...]:
        """Those that ask for a person."""
        return (1.0,) if self.abnormal else ()


class Choice(msgspec.Struct, frozen=True, dict=True):
    """One of some words; stored and sent as its place among them, from 0. Words are only ever
    added at the end. `abnormal`: those that ask for a person."""

    name: str
    words: tuple[str, ...]
    abnormal: tuple[str, ...] = ()
    promise_s: float | None = None

    unit = "1"
    low, whole, counter = 0.0, True, False

    @property
    def high(self) -> float:
        """The last word's place."""
        return float(len(self.words) - 1)

    @cached_property
    def abnormal_values(self) -> tuple[float, ...]:
        """The places of words that ask for a person."""
        return tuple(float(self.words.index(word)) for word in self.abnormal)

    def value(self, word: str) -> float:
        """The place of a word. Raises ValueError."""
        return float(self.words.index(word))


class Text(msgspec.Struct, frozen=True):
    """Words of a person or a device: in an event or an order, never among what it shows."""

    name: str
    longest: int = 500


Point = Number | Flag | Choice
Field = Number | Flag | Choice | Text


class Event(msgspec.Struct, frozen=True):
    """Something that happens at an instant (a badge was read, a door was forced), with fields.

    `personal`: it tells of somebody, is kept apart and for `keep_days` only, and its readings are
    written down. `abnormal`: it asks for a person.
    """

    name: str
    fields: tuple[Field, ...] = ()
    personal: bool = False
    abnormal: bool = False
    keep_days: int = 365


class Command(msgspec.Struct, frozen=True, dict=True):
    """Something a kind may be told to do.

    `function` is what it acts on: of one piece of equipment the last order for a function holds,
    orders for different functions do not know each other. `shows`: the parameter that a point then
    shows; `sets`: the points that then have this value, whatever the parameters. Without either,
    only the equipment's own word says that it is done.
    `interlocks` name rules of control that may refuse it and say why; `urgent` goes before bulk.
    """

    verb: str
    params: tuple[Field, ...] = ()
    function: str = "level"
    shows: Mapping[str, str] = {}
    sets: Mapping[str, str | float] = {}
    demands: Demand = "reason"
    interlocks: tuple[str, ...] = ()
    urgent: bool = False

    def param(self, name: str) -> Field | None:
        """The declaration of a parameter."""
        return next((p for p in self.params if p.name == name), None)


POSITION = (
    Number("longitude", "°", -180, 180),
    Number("latitude", "°", -90, 90),
    Number("speed", "m/s", 0, 150),
    Number("heading", "°", 0, 360),
)
"""The first points of what moves."""


class Kind(msgspec.Struct, frozen=True, dict=True):
    """A kind of equipment of one trade.

    `draws`: the points that the map's columns carry. `marks`: up to two abnormal flags that the map
    tells apart from other faults. `parents`: kinds that may feed or contain it. `life_years`: how
    long it usually serves. `standard`: what it is called elsewhere (Smart Data Models, TALQ,
    RSMP). `own_place` False: it is where its parent is (a signal group, a zone).
    """

    name: str
    trade: str
    points: tuple[Point, ...] = ()
    events: tuple[Event, ...] = ()
    commands: tuple[Command, ...] = ()
    moves: bool = False
    draws: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    icon: str = "dot"
    parents: tuple[str, ...] = ()
    life_years: float | None = None
    standard: str = ""

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def width(self) -> int:
        """How many values its state has."""
        return len(self.points)

    @cached_property
    def slots(self) -> Mapping[str, int]:
        """The place of each point in stored arrays."""
        return {point.name: slot for slot, point in enumerate(self.points)}

    def slot(self, point: str) -> int | None:
        """The place of a point; None when this kind has no such point."""
        return self.slots.get(point)

    def point(self, name: str) -> Point | None:
        """The declaration of a point."""
        slot = self.slots.get(name)
        return None if slot is None else self.points[slot]

    def event(self, name: str) -> Event | None:
        """The declaration of an event."""
        return next((e for e in self.events if e.name == name), None)

    def command(self, verb: str) -> Command | None:
        """The declaration of a command."""
        return next((c for c in self.commands if c.verb == verb), None)

    @cached_property
    def promise_s(self) -> float | None:
        """The shortest promise among its points; None when it promises nothing."""
        return min((p.promise_s for p in self.points if p.promise_s is not None), default=None)

    @cached_property
    def principals(self) -> Mapping[str, int]:
        """By function, the slot of the point that shows what was wanted of it."""
        found: dict[str, int] = {}
        for command in self.commands:
            shown = next(iter([*command.shows.values(), *command.sets]), None)
            if shown is not None:
                found.setdefault(command.function, self.slots[shown])
        return found


def faults_of(kind: Kind) -> list[str]:
    """Everything wrong with a declaration, in words."""
    found: list[str] = []
    names = [point.name for point in kind.points]
    say: Callable[[str], None] = found.append
    for what, given in (
        ("point", names),
        ("event", [event.name for event in kind.events]),
        ("command", [command.verb for command in kind.commands]),
    ):
        for name in {name for name in given if given.count(name) > 1}:
            say(f"two of its {what}s are named {name}")
    if len(names) > MOST_POINTS:
        say(f"{len(names)} points, {MOST_POINTS} at most")
    for point in kind.points:
        if point.low > point.high:
            say(f"{point.name}: low {point.low:g} is above high {point.high:g}")
        if isinstance(point, Choice):
            found += _faults_of_choice(point)
    for name in (*kind.draws, *kind.marks):
        if name not in names:
            say(f"draws or marks {name}, which it does not show")
    if len(kind.marks) > 2:
        say("more than two marks")
    if kind.moves and kind.points[: len(POSITION)] != POSITION:
        say("it moves: its first points are POSITION")
    for command in kind.commands:
        found += _faults_of_command(kind, command)
    return found


def _faults_of_choice(choice: Choice) -> list[str]:
    found: list[str] = []
    if not 2 <= len(choice.words) <= MOST_WORDS or len(set(choice.words)) < len(choice.words):
        found.append(f"{choice.name}: 2 to {MOST_WORDS} different words")
    found += [
        f"{choice.name}: {word} is not one of its words"
        for word in choice.abnormal
        if word not in choice.words
    ]
    return found


def _faults_of_command(kind: Kind, command: Command) -> list[str]:
    found: list[str] = []
    for param, point in command.shows.items():
        if command.param(param) is None:
            found.append(f"{command.verb}: no parameter {param}")
        if kind.point(point) is None:
            found.append(f"{command.verb}: shows {point}, which it does not show")
    for name, value in command.sets.items():
        point = kind.point(name)
        if point is None:
            found.append(f"{command.verb}: sets {name}, which it does not show")
        elif isinstance(value, str) and not (isinstance(point, Choice) and value in point.words):
            found.append(f"{command.verb}: {value} is not a word of {name}")
    return found


def value_of(point: Point, value: str | float) -> float:
    """A value as it is stored: a choice's word is its place. Raises ValueError."""
    if isinstance(value, str):
        if not isinstance(point, Choice):
            raise ValueError(f"{point.name} is no choice")
        return point.value(value)
    return float(value)


def shown_as(point: Point, value: float) -> Any:
    """A stored value as people and programs read it: a word, yes or no, a number."""
    match point:
        case Choice(words=words):
            return words[int(value)] if 0 <= value < len(words) else value
        case Flag():
            return value == 1
        case _:
            return value
