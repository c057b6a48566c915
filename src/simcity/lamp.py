"""A street light as arithmetic: its timetable by the sun, its power, its meters.

Everything here is pure. Levels are percents, times are epoch seconds, arrays work on many
lamps at once.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from astral import Observer
from astral.sun import elevation, sun
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AFTER_SUNSET = dt.timedelta(minutes=12)
BEFORE_SUNRISE = dt.timedelta(minutes=18)
# local clock → level while it is night; the first line holds from noon on
PROFILE = (
    (dt.time(12, 0), 100.0),
    (dt.time(22, 30), 70.0),
    (dt.time(23, 30), 40.0),
    (dt.time(5, 30), 80.0),
)
EPOCH_DAY = dt.date(2024, 1, 1)  # meters count from here, so a restart finds them where they were
STANDBY_W = 0.4
DRIVER_SHARE = 0.05  # of the nominal power, spent as soon as the lamp is lit
MAINS_V = 230.0


def load(level: Floats) -> Floats:
    """Share of the nominal power a luminaire takes at a level (without standby)."""
    return np.where(level > 0, DRIVER_SHARE + (1 - DRIVER_SHARE) * level / 100, 0.0)


@dataclass(frozen=True)
class Site:
    lon: float
    lat: float
    zone: str = "Europe/Paris"


@dataclass(frozen=True)
class Schedule:
    """Switches in time: from times[i] until times[i+1] the level is levels[i]."""

    times: Floats
    levels: Floats
    burned: Floats  # ∫ load dt up to times[i], seconds at nominal power
    lit: Floats  # seconds lit up to times[i]

    @classmethod
    def of(cls, switches: list[tuple[float, float]]) -> "Schedule":
        times = np.array([t for t, _ in switches], dtype=np.float64)
        levels = np.array([level for _, level in switches], dtype=np.float64)
        span = np.diff(times)
        burned = np.concatenate([[0.0], np.cumsum(span * load(levels[:-1]))])
        lit = np.concatenate([[0.0], np.cumsum(span * (levels[:-1] > 0))])
        return cls(times, levels, burned, lit)

    def position(self, t: Floats) -> Ints:
        return np.maximum(np.searchsorted(self.times, t, side="right") - 1, 0)

    def level(self, t: Floats) -> Floats:
        return self.levels[self.position(t)]

    def next_switch(self, t: Floats) -> Floats:
        return self.times[np.minimum(self.position(t) + 1, len(self.times) - 1)]

    def meters(self, t: Floats) -> tuple[Floats, Floats]:
        """Seconds at nominal power, and seconds lit, since the first switch."""
        at = self.position(t)
        span, level = t - self.times[at], self.levels[at]
        return self.burned[at] + span * load(level), self.lit[at] + span * (level > 0)


def sun_schedule(site: Site, until: dt.date, since: dt.date = EPOCH_DAY) -> Schedule:
    """The nights from `since` to `until`, dimmed by the profile; dark days have no switch."""
    switches: list[tuple[float, float]] = [
        (dt.datetime.combine(since, dt.time(), ZoneInfo(site.zone)).timestamp(), 0.0)
    ]
    day = since
    while day <= until:
        for switch in night(site, day):
            if switch[0] == switches[-1][0]:  # the polar night goes on from noon to noon
                switches.pop()
            if switch[1] != switches[-1][1]:
                switches.append(switch)
        day += dt.timedelta(days=1)
    return Schedule.of(switches)


@lru_cache(maxsize=4096)
def night(site: Site, day: dt.date) -> tuple[tuple[float, float], ...]:
    """Switches of the night that begins on `day`: dusk, the profile's steps, dawn."""
    dusk, dawn = _dark(site, day)
    if dusk >= dawn:
        return ()
    steps: list[tuple[float, float]] = []
    now = PROFILE[0][1]
    for clock, level in PROFILE:
        date = day if clock >= PROFILE[0][0] else day + dt.timedelta(days=1)
        at = dt.datetime.combine(date, clock, ZoneInfo(site.zone)).timestamp()
        if at <= dusk:
            now = level
        elif at < dawn:
            steps.append((at, level))
    return ((dusk, now), *steps, (dawn, 0.0))


def _dark(site: Site, day: dt.date) -> tuple[float, float]:
    """When lamps go on in the evening of `day` and off the next morning."""
    observer, zone = Observer(site.lat, site.lon), ZoneInfo(site.zone)
    following = day + dt.timedelta(days=1)
    try:
        dusk = sun(observer, day, tzinfo=zone)["sunset"] + AFTER_SUNSET
        dawn = sun(observer, following, tzinfo=zone)["sunrise"] - BEFORE_SUNRISE
        return dusk.timestamp(), dawn.timestamp()
    except ValueError:  # beyond the polar circles the sun may not rise, or not set
        noon = dt.datetime.combine(day, dt.time(12), zone)
        if elevation(observer, noon) > 0:
            return 0.0, 0.0
        return noon.timestamp(), noon.timestamp() + 86_400


def hash01(*parts: NDArray[np.uint64]) -> Floats:
    """Uniform numbers in [0, 1) that depend on nothing but the parts (splitmix64)."""
    x = np.zeros_like(parts[0])
    for part in parts:
        x = x ^ part
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    return (x >> np.uint64(11)).astype(np.float64) * 2.0**-53


def voltage(t: float, noise: Floats) -> Floats:
    """Mains voltage: lower in the evening peak, with a little noise."""
    return MAINS_V + 2.0 * np.cos(2 * np.pi * (t / 86_400 - 0.15)) + 3.0 * (noise - 0.5)


def ambient(t: float) -> float:
    """Outdoor temperature of a temperate city, °C: the year's wave and the day's."""
    year, day = t / 86_400 / 365.25, t / 86_400
    return 11.0 - 9.5 * np.cos(2 * np.pi * (year - 0.055)) - 4.0 * np.cos(2 * np.pi * (day - 0.12))
