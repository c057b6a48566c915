"""A crossing as its controller in the field has it.

Aspects are written as one character a signal group, in the order of `Crossing.groups`:

    G  green with right of way      g  green, giving way to a named opposing movement
    y  amber                        r  red

Times are whole seconds (the tick of most controllers and of a 1 Hz loop); distances are metres
along the lane, speeds m/s. Everything here is frozen: what changes lives in `runner`.
"""

from functools import cached_property
from typing import Literal, TypeAlias

from msgspec import Struct

GroupKind: TypeAlias = Literal["vehicle", "bus", "pedestrian"]

GREEN = frozenset("Gg")
ASPECTS = frozenset("Ggyr")


class SignalGroup(Struct, frozen=True, forbid_unknown_fields=True):
    """Lamps that always show the same; `links` are the lamp outputs it drives."""

    id: str
    kind: GroupKind = "vehicle"
    min_green: int = 5
    """Seconds; for pedestrians, the time to cross the carriageway."""
    amber: int = 3
    """Seconds of amber after green; 0 for pedestrians."""
    links: tuple[int, ...] = ()


class Stage(Struct, frozen=True, forbid_unknown_fields=True):
    """A set of groups that are green together, for as long as the controller holds it."""

    id: str
    aspects: str
    green: int
    """Seconds of green in the plan."""
    min_green: int
    max_green: int
    skippable: bool = False
    """Whether the operator allows the stage to be left out for one cycle."""


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """A fixed moment of an interstage."""

    seconds: int
    aspects: str


class Interstage(Struct, frozen=True, forbid_unknown_fields=True):
    """The fixed way from one stage to another: ambers, clearances, staggered starts."""

    origin: str
    target: str
    steps: tuple[Step, ...]

    @property
    def seconds(self) -> int:
        """How long it lasts."""
        return sum(step.seconds for step in self.steps)


class Intergreen(Struct, frozen=True, forbid_unknown_fields=True):
    """Seconds from the end of green of `ending` to the start of green of `starting`."""

    ending: str
    starting: str
    seconds: int


class Lane(Struct, frozen=True, forbid_unknown_fields=True):
    """An approach lane, the groups that let it go, and its loops."""

    id: str
    groups: tuple[str, ...]
    length: float
    speed: float
    saturation: float = 0.5
    """Vehicles a second at full green, before anything was learned."""
    stop_loop: str | None = None
    entry_loop: str | None = None
    entry_distance: float = 0.0
    """Metres from the entry loop to the stop line."""
    leads_to: tuple[str, ...] = ()
    """Lanes of the same crossing that its vehicles come to next: its second stop line."""


class Crossing(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """A signalised crossing and its running plan.

    `stages` are in the order of the plan. `conflicts` are pairs of groups that may never be green
    at once. `interstages` holds one for each consecutive pair of stages at least; other changes
    of stage are allowed only where an interstage is given.
    """

    id: str
    groups: tuple[SignalGroup, ...]
    stages: tuple[Stage, ...]
    interstages: tuple[Interstage, ...]
    conflicts: tuple[tuple[str, str], ...]
    intergreens: tuple[Intergreen, ...]
    lanes: tuple[Lane, ...] = ()
    offset: int = 0
    """Seconds after midnight (modulo the cycle) when the first stage's green begins."""
    coordinated: bool = False
    """Whether the offset ties this crossing to its neighbours: then the plan is returned to."""

    @cached_property
    def group_index(self) -> dict[str, int]:
        """Position of each group in an aspect string."""
        return {group.id: i for i, group in enumerate(self.groups)}

    @cached_property
    def stage_index(self) -> dict[str, int]:
        """Position of each stage in the plan."""
        return {stage.id: i for i, stage in enumerate(self.stages)}

    @cached_property
    def ways(self) -> dict[tuple[int, int], Interstage]:
        """Interstages by (origin, target) position."""
        index = self.stage_index
        return {(index[w.origin], index[w.target]): w for w in self.interstages}

    @cached_property
    def conflict_pairs(self) -> frozenset[tuple[int, int]]:
        """Conflicts as positions, both ways."""
        index = self.group_index
        pairs = [(index[a], index[b]) for a, b in self.conflicts]
        return frozenset(pairs) | frozenset((b, a) for a, b in pairs)

    @cached_property
    def clearance(self) -> dict[tuple[int, int], int]:
        """Intergreen seconds by (ending, starting) position."""
        index = self.group_index
        return {(index[i.ending], index[i.starting]): i.seconds for i in self.intergreens}

    @cached_property
    def cycle(self) -> int:
        """Seconds of one turn of the plan."""
        n = len(self.stages)
        return sum(stage.green for stage in self.stages) + sum(
            self.ways[i, (i + 1) % n].seconds for i in range(n)
        )

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Second of the cycle at which each stage's green begins in the plan; the first is 0."""
        at, out = 0, list[int]()
        for i, stage in enumerate(self.stages):
            out.append(at)
            at += stage.green + self.ways[i, (i + 1) % len(self.stages)].seconds
        return tuple(out)

    def serves(self, aspects: str, lane: Lane) -> str:
        """Best aspect the lane has under `aspects`: "G", "g" or "r"."""
        shown = {aspects[self.group_index[group]] for group in lane.groups}
        return "G" if "G" in shown else "g" if "g" in shown else "r"
