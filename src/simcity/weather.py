"""One weather for the whole city, a pure function of seed and time; scenarios add to it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcity.lamp import Floats, ambient, hash01

BIN = 600.0  # rain is steady within ten minutes
EPOCH = 1_704_067_200.0  # gauges count rain from here (2024-01-01)
FIELDS = ("temperature", "rain", "wind", "pressure", "visibility")


@dataclass(frozen=True)
class Front:
    """A scenario's weather: adds to a field from one time to another, softly at both ends."""

    field: str
    add: float
    since: float
    until: float

    def at(self, t: Floats) -> Floats:
        edge = max(min(900.0, (self.until - self.since) / 4), 1.0)
        rise = np.clip((t - self.since) / edge, 0, 1) * np.clip((self.until - t) / edge, 0, 1)
        return self.add * rise


def wander(seed: int, salt: int, t: Floats, period: float) -> Floats:
    """Smooth noise in 0…1: straight lines between a drawn value every `period` seconds."""
    at = np.floor(t / period)
    one, two = (
        hash01((at + step).astype(np.int64).astype(np.uint64), _salt(at, seed, salt))
        for step in (0, 1)
    )
    return one + (two - one) * (t / period - at)


def _salt(like: Floats, seed: int, salt: int) -> NDArray[np.uint64]:
    return np.full(np.shape(like), (seed * 1_000_003 + salt) & 0xFFFFFFFF, np.uint64)


class Weather:
    def __init__(self, seed: int):
        self._seed = seed
        self.fronts: list[Front] = []
        self._fallen: Floats = np.zeros(1)  # mm since the epoch, at each bin's start

    def add(self, front: Front) -> None:
        self.fronts.append(front)
        self._fallen = np.zeros(1)

    def _added(self, field: str, t: Floats) -> Floats:
        return sum((f.at(t) for f in self.fronts if f.field == field), np.zeros(np.shape(t)))

    def _wander(self, salt: int, t: Floats, hours: float) -> Floats:
        return wander(self._seed, salt, t, hours * 3600)

    def temperature(self, t: float) -> float:
        at = np.array([t])
        front = 9.0 * (self._wander(1, at, 30) - 0.5) + self._added("temperature", at)
        return float(ambient(t) + front[0])

    def rain(self, t: float) -> float:
        """mm/h."""
        return float(self._rain(np.array([t]))[0])

    def _rain(self, t: Floats) -> Floats:
        wet = np.clip(self._wander(2, t, 7) - 0.62, 0, None) * 14
        gust = 0.4 + 1.2 * self._wander(3, np.floor(t / BIN) * BIN, 0.4)
        return np.clip(wet * gust + self._added("rain", t), 0, 300)

    def wind(self, t: float) -> float:
        at = np.array([t])
        return float(1 + 9 * self._wander(4, at, 9)[0] ** 2 + self._added("wind", at)[0])

    def direction(self, t: float) -> float:
        return float((200 + 240 * (self._wander(5, np.array([t]), 15)[0] - 0.5)) % 360)

    def pressure(self, t: float) -> float:
        at = np.array([t])
        return float(1000 + 34 * self._wander(6, at, 40)[0] + self._added("pressure", at)[0])

    def humidity(self, t: float) -> float:
        wet = 25.0 if self.rain(t) > 0 else 0.0
        return float(np.clip(50 + 40 * self._wander(7, np.array([t]), 12)[0] + wet, 15, 100))

    def snows(self, t: float) -> bool:
        return self.temperature(t) < 0.8

    def fallen(self, t: float) -> float:
        """mm of rain since the epoch: it only grows, whoever looks and when."""
        bins = max(int((t - EPOCH) / BIN), 0)
        if bins + 1 >= len(self._fallen):
            starts = EPOCH + BIN * np.arange(bins + 1000, dtype=np.float64)
            self._fallen = np.concatenate([[0.0], np.cumsum(self._rain(starts) * BIN / 3600)])
        rate = (self._fallen[bins + 1] - self._fallen[bins]) / BIN
        return float(self._fallen[bins] + rate * (t - EPOCH - bins * BIN))

    def soaked(self, t: float) -> float:
        """mm of the last half day, the recent weighing more: what rivers carry."""
        falls = [self.fallen(t - hours * 3600) for hours in range(0, 13, 2)]
        weights = (1.0, 1.0, 0.8, 0.6, 0.4, 0.2)
        return sum(w * (a - b) for w, a, b in zip(weights, falls, falls[1:], strict=False))
