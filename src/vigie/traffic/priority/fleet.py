"""The buses of a city: which are heard, which stop lines each has passed, when it reaches the next.

A position is metres wrong, so a bus that stands at a red light soon seems to be beyond it. It is
not: what it has passed is told by the lamps as much as by its position. A bus passes a stop line
while its lane may go, or just after; where the lamps say no, it is taken to have passed only once
it is further off than any receiver is wrong.
"""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from .buses import FRESH, GONE, PAST, Arrival, Bus, BusFacts, BusFix, Dwells
from .errors import ObservationError
from .tables import Bools, Floats, Tables

LONGEST_WAIT = 45.0
"""Seconds at one crossing that the next believes in."""
JUST = 6
"""Seconds after its green in which a bus may still be found to have passed: amber, and the age
of its position."""
SLOW = 3.0
"""m/s below which a bus may be about to stop before the line rather than be beyond it."""
SURE = 40.0
"""Metres beyond a stop line at which a bus has passed it whatever the lamps showed."""

Key = tuple[str, int]
"""A bus, and which of the signals of its way."""


class Fleet:
    """Every bus that is heard, and what it has ahead."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.dwells = Dwells()
        self.buses: dict[str, Bus] = {}
        self.passing: dict[Key, float] = {}
        """When a bus is expected to pass the signals it asks, as the decision foresees it."""
        self.given_up: set[Key] = set()
        """Stop lines that a bus never reached in all the time its request was served."""
        self._passed: dict[str, int] = {}
        """The last signal of its way that each bus has passed."""
        shape = (tables.shape[0], tables.shape[2])
        self._closed_for: Floats = np.full(shape, float(JUST + 1))
        """Seconds since each lane could last go."""

    def hear(self, fixes: Iterable[BusFix], facts: Mapping[str, BusFacts], now: int) -> list[str]:
        """Take the positions of this second; what is not believed, in words."""
        refused = list[str]()
        for fix in fixes:
            known = facts.get(fix.bus)
            if known is None:
                refused.append(f"bus {fix.bus}: not a bus of any known line")
                continue
            if fix.measured > now:
                refused.append(f"bus {fix.bus}: a position from the future")
                continue
            if known.way.fault is not None:
                refused.append(f"bus {fix.bus}: way {known.way.id}: {known.way.fault}")
                continue
            known, wrong = known.sound()
            fix, wrong_too = fix.sound()
            refused += [f"bus {fix.bus}: {what}" for what in (*wrong, *wrong_too)]
            bus = self.buses.get(fix.bus)
            if bus is None or _begins_anew(bus, known, fix):
                self._forget(fix.bus)
                bus = self.buses[fix.bus] = Bus(fix.bus, known, now)
            bus.facts = known
            try:
                bus.fix(fix, self.dwells)
            except ObservationError as wrong:
                refused.append(str(wrong))
        return refused

    def follow(self, open_: Bools, now: int) -> None:
        """Judge who has passed what, given the lanes (C, L) that may go this second; forget those
        not heard for long."""
        self._closed_for = np.where(open_, 0.0, self._closed_for + 1.0)
        for bus in list(self.buses.values()):
            if now - bus.when > GONE:
                self._forget(bus.name)
                continue
            signals = bus.facts.way.signals
            after = self._passed.get(bus.name, -1) + 1
            while after < len(signals) and self._is_beyond(bus, after, now):
                self._passed[bus.name] = after
                after += 1

    def _forget(self, name: str) -> None:
        self.buses.pop(name, None)
        self._passed.pop(name, None)
        self.given_up = {key for key in self.given_up if key[0] != name}

    def _is_beyond(self, bus: Bus, k: int, now: int) -> bool:
        signal = bus.facts.way.signals[k]
        beyond = bus.beyond(signal.distance, now)
        if beyond > SURE + 2.0 * bus.spread:
            return True
        lane = self.tables.lane_at.get((signal.crossing, signal.lane))
        if lane is None:
            return beyond > PAST
        closed = self._closed_for[self.tables.index[signal.crossing], lane]
        if closed > JUST:
            return False
        slow = bus.speed < SLOW
        return beyond > PAST + bus.spread * (1 + slow + (closed > 0))

    def hears(self, bus: str, now: int) -> bool:
        """Whether a position of the bus is fresh enough to be believed."""
        known = self.buses.get(bus)
        return known is not None and now - known.when <= FRESH

    def comes_to(self, bus: str, signal: int, crossing: str, lane: str) -> bool:
        """Whether that signal of the bus's present way is this one: ways change."""
        signals = self.buses[bus].facts.way.signals
        if signal >= len(signals):
            return False
        return (signals[signal].crossing, signals[signal].lane) == (crossing, lane)

    def begun(self, bus: str) -> int:
        """When the bus was first heard on its present run."""
        return self.buses[bus].begun

    def has_passed(self, bus: str, signal: int) -> bool:
        """Whether the bus has passed that signal of its way."""
        return signal <= self._passed.get(bus, -1)

    def ahead(self, bus: Bus, now: int, reach: float) -> Iterator[tuple[int, Arrival]]:
        """Signals within `reach` s of a bus with its arrivals; the wait at one delays the next."""
        wait, first = 0.0, True
        signals = bus.facts.way.signals
        for k in range(self._passed.get(bus.name, -1) + 1, len(signals)):
            if signals[k].crossing not in self.tables.index:
                continue
            arrival = bus.arrival(signals[k].distance, now, self.dwells)
            if arrival is None or arrival.likely + wait > reach:
                break
            raw = arrival.likely
            if wait > 0:
                arrival = Arrival(
                    arrival.early + 0.5 * wait, raw + wait, arrival.late + 1.2 * wait,
                    False, arrival.distance, arrival.stops,
                )  # fmt: skip
            yield k, arrival
            passing = self.passing.get((bus.name, k))
            if first and passing is not None:
                wait = max(0.0, min(LONGEST_WAIT, passing - now - raw))
            first = False


def _begins_anew(bus: Bus, facts: BusFacts, fix: BusFix) -> bool:
    """Whether this is a new run, which has passed nothing yet."""
    return (bus.facts.way.id, bus.facts.trip) != (
        facts.way.id,
        facts.trip,
    ) or fix.measured - bus.when > GONE
