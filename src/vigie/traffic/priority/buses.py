"""Where each bus is, and when it will reach each stop line ahead: an interval, not a moment.

Late and useless extensions are what fails in the field, so the arrival is predicted from what a
bus really does: it dwells at the stops between (their dwell learned online, unknown in advance),
it drives slower than the limit, its position is seconds old and metres wrong.
"""

import math

from msgspec import Struct, structs

from .errors import ObservationError
from .routes import Way

GPS_SIGMA = 6.0  # metres, before anything was learned of the receiver
STANDING = 1.2  # m/s
AT_STOP = 35.0  # metres
PAST = 6.0  # metres beyond a stop line at which a moving bus has passed its green
FRESH = 12.0  # seconds a position is believed
GONE = 45.0  # seconds without a position after which a bus is forgotten
DWELL = (18.0, 10.0)  # seconds, mean and deviation at a stop never observed
POSITION_ALONE, BESIDE_SPEED = 0.35, 0.2
"""How far a position is believed against what was foreseen, without and with a measured speed: a
receiver's speed is good to a few decimetres a second, its position errs for ten seconds on end."""
DAY = 86_400.0  # seconds
FASTEST, NOISE = 40.0, 3.0  # m/s; a receiver at rest may say a little less than nothing
FULLEST = 500.0  # people; the longest articulated buses carry 200
SLOWER = 1.12  # a bus's free time over the speed limit's: it accelerates and brakes


class BusFix(Struct, frozen=True):
    """A position as it arrives: measured at `measured`, metres, m/s where the receiver gives it."""

    bus: str
    measured: float
    x: float
    y: float
    speed: float | None = None

    def sound(self) -> tuple["BusFix", list[str]]:
        """The same without a speed that cannot be; and what that was, in words."""
        if self.speed is None or -NOISE <= self.speed <= FASTEST:
            return self, []
        said = f"speed is {self.speed}; give m/s from 0 to {FASTEST:.0f}"
        return structs.replace(self, speed=None), [said]


class BusFacts(Struct, frozen=True):
    """What the operator knows of a bus's run; None where it does not."""

    way: Way
    line: str
    lateness: float | None = None
    """Seconds behind schedule."""
    people: float | None = None
    trip: str | None = None
    """The run (GTFS `trip_id`): another one begins its way anew."""

    def sound(self) -> tuple["BusFacts", list[str]]:
        """The same without what cannot be; and what that was, in words."""
        wrong, said = dict[str, None](), list[str]()
        for name, low, high in (("lateness", -DAY, DAY), ("people", 0.0, FULLEST)):
            told = getattr(self, name)
            if told is not None and not low <= told <= high:
                wrong[name] = None
                said.append(f"{name} is {told}; give a number from {low:.0f} to {high:.0f}")
        return (structs.replace(self, **wrong) if wrong else self), said


class Arrival(Struct, frozen=True):
    """Seconds from now to a stop line, nothing standing in the way but stops and the road."""

    early: float
    likely: float
    late: float
    standing: bool
    """Whether the bus stands, and not at a stop: in a queue."""
    distance: float
    """Metres to the stop line."""
    stops: int
    """Stops still to be served before it."""


class Dwells:
    """Dwell times by stop, learned as buses leave."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, float, int]] = {}

    def expected(self, stop: str) -> tuple[float, float]:
        """Mean and deviation, seconds."""
        mean, variance, _ = self._known.get(stop, (DWELL[0], DWELL[1] ** 2, 0))
        return mean, math.sqrt(variance)

    def learn(self, stop: str, seconds: float) -> None:
        """One more dwell; what is longer than two minutes was not a dwell."""
        if not 3 <= seconds <= 120:
            return
        mean, variance, seen = self._known.get(stop, (DWELL[0], DWELL[1] ** 2, 0))
        step = max(0.15, 1.0 / (seen + 2))
        error = min(seconds, mean + 25) - mean
        mean += step * error
        variance = max(9.0, (1 - step) * (variance + step * error * error))
        self._known[stop] = (mean, variance, seen + 1)


class Bus:
    """One bus followed along its way."""

    def __init__(self, name: str, facts: BusFacts, begun: int = 0) -> None:
        self.name = name
        self.facts = facts
        self.begun = begun
        """When it was first heard on this run."""
        self.at = 0.0
        """Metres along the way at `when`."""
        self.when = -math.inf
        self.speed = 0.0
        self.next_stop = 0
        self.stood_since: float | None = None
        self.spread = GPS_SIGMA

    def fix(self, fix: BusFix, dwells: Dwells) -> None:
        """Take a position; ObservationError when it cannot be true."""
        if not math.isfinite(fix.measured):
            raise ObservationError(f"bus {self.name}: a position without a time")
        if fix.measured == self.when:
            return  # told twice
        if fix.measured < self.when:
            raise ObservationError(
                f"bus {self.name}: a position of {fix.measured:.0f} s after one of "
                f"{self.when:.0f} s; time does not run backwards"
            )
        way = self.facts.way
        first = self.when == -math.inf or fix.measured - self.when > GONE
        lapse = 0.0 if first else fix.measured - self.when
        told = None if fix.speed is None else max(0.0, fix.speed)
        pace = self.speed if told is None else 0.5 * (self.speed + told)
        guess = self.at + pace * lapse
        low, high = (0.0, way.length) if first else (guess - 60, guess + 60 + 5 * lapse)
        seen = way.locate(fix.x, fix.y, low, high)
        if first:
            self.at, self.speed = seen, told or 0.0
            self.next_stop = sum(stop.distance < seen - 15 for stop in way.stops)
        else:
            error = seen - guess
            self.spread += 0.05 * (min(abs(error), 40.0) * 1.25 - self.spread)
            gain = POSITION_ALONE if told is None else BESIDE_SPEED
            self.at = max(self.at - 5.0, guess + gain * error)
            if told is None:
                told = max(0.0, self.speed + 0.12 * error / max(lapse, 1.0))
            self.speed = told
        self.when = fix.measured
        self._stops(dwells)

    def _stops(self, dwells: Dwells) -> None:
        stops = self.facts.way.stops
        if self.next_stop >= len(stops):
            return
        stop = stops[self.next_stop]
        near = abs(self.at - stop.distance) < AT_STOP
        if near and self.speed < STANDING:
            if self.stood_since is None:
                self.stood_since = self.when
            return
        if self.stood_since is not None and self.speed > 3.0:
            stood = self.when - self.stood_since
            self.stood_since = None
            if stood >= 6:
                dwells.learn(stop.stop, stood)
                self.next_stop += 1
                return
        if self.at > stop.distance + AT_STOP:
            self.next_stop += 1
            self.stood_since = None

    def beyond(self, distance: float, now: float) -> float:
        """Metres by which it seems to be past `distance`; negative before it."""
        return self.at + self.speed * min(now - self.when, 4.0) - distance

    def arrival(self, distance: float, now: float, dwells: Dwells) -> Arrival | None:
        """When it reaches `distance` along its way, at once if it seems past; None if not heard."""
        age = now - self.when
        if age > FRESH:
            return None
        at = distance + self.beyond(distance, now)
        way = self.facts.way
        dwell, variance, served = 0.0, (self.spread / 8.0) ** 2 + age, 0
        for k in range(self.next_stop, len(way.stops)):
            stop = way.stops[k]
            if stop.distance > distance:
                break
            mean, deviation = dwells.expected(stop.stop)
            if k == self.next_stop and self.stood_since is not None:
                stood = now - self.stood_since
                mean = max(1.5, mean - stood)
                deviation = min(deviation, 3.0 + 0.5 * mean)
            dwell += mean
            variance += deviation * deviation
            served += 1
        road = way.travel(min(at, distance), distance) * SLOWER
        if self.speed < 3.0:
            road += 2.5
        variance += (0.12 * road) ** 2
        likely, sigma = road + dwell, math.sqrt(variance)
        standing = self.speed < STANDING and self.stood_since is None
        return Arrival(
            max(road * 0.8, likely - sigma), likely, likely + 1.3 * sigma,
            standing, max(0.0, distance - at), served,
        )  # fmt: skip
