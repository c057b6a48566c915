"""What every kind's behaviour shares: its devices, its faults, what it remembers of orders.

A behaviour is a pure function of seed and city time, apart from orders and faults: `truth` gives
the columns of some devices at a moment, `obey` carries an order out, `fail` sets a fault. It knows
no wire and no clock.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simcity.commands import Outcome
from simcity.lamp import Floats, Ints, hash01
from simcity.provisioning import Device
from simcity.roads import Roads
from simcity.topology import Bools, Topology, Tree
from simcity.weather import Weather

COMMON = ("none", "silent", "refuses", "offline")
DONE = Outcome("done")
UNSUPPORTED = Outcome("refused", "unsupported")
OUT_OF_RANGE = Outcome("refused", "out_of_range")
UNTIL_CHANGED = 1e12


@dataclass(frozen=True)
class Point:
    """One value a kind shows; a `watched` one is reported as soon as it changes."""

    name: str
    decimals: int = 0
    watched: bool = False
    words: tuple[str, ...] = ()  # of a choice, in the order of the contract


@dataclass(frozen=True)
class Local:
    """A moment on the city's wall clock."""

    day: int
    second: float
    weekday: int  # Monday is 0
    offset: float  # seconds ahead of UTC

    @property
    def hour(self) -> float:
        return self.second / 3600


@dataclass
class World:
    """What all behaviours share."""

    seed: int
    zone: ZoneInfo
    topology: Topology
    roads: Roads
    weather: Weather
    kinds: dict[str, "Behaviour"] = field(default_factory=dict[str, "Behaviour"])
    power: Tree = field(default_factory=lambda: Tree({}, ()))
    network: Tree = field(default_factory=lambda: Tree({}, ()))
    unsettled: bool = True  # something was cut or mended, and has not spread yet

    def local(self, t: float) -> Local:
        at = dt.datetime.fromtimestamp(t, self.zone)
        second = at.hour * 3600 + at.minute * 60 + at.second + at.microsecond / 1e6
        offset = at.utcoffset() or dt.timedelta()
        return Local(at.toordinal(), second, at.weekday(), offset.total_seconds())


class Behaviour:
    kind: ClassVar[str]
    points: ClassVar[tuple[Point, ...]]
    interval: ClassVar[float] = 60.0  # seconds between reports
    watch_every: ClassVar[float] = 5.0  # seconds between looks for changes
    witnessed: ClassVar[bool] = True  # its watched changes go into the ledger
    verbs: ClassVar[tuple[str, ...]] = ()
    modes: ClassVar[Mapping[str, Mapping[str, float]]] = {}  # fault → what it shows
    without_power: ClassVar[Mapping[str, float] | None] = None  # what it shows then; None: nothing
    without_network: ClassVar[Mapping[str, float] | None] = None
    ignores_power: ClassVar[bool] = False
    cuts_power: ClassVar[tuple[str, ...]] = ()  # faults that take the power from what it feeds
    cuts_network: ClassVar[tuple[str, ...]] = ()  # faults that part what it connects
    sparse: ClassVar[bool] = False  # some values are missing (NaN)

    def __init__(self, devices: Sequence[Device], world: World, rate: float):
        self.devices, self.world = devices, world
        self.count = len(devices)
        self.slot = {point.name: i for i, point in enumerate(self.points)}
        self.row = {device.source_id: i for i, device in enumerate(devices)}
        self.key = np.array([_key(world.seed, d.source_id) for d in devices], dtype=np.uint64)
        self.mode_names = (*COMMON, *self.modes)
        self.seeded = np.array(
            [self._seeded(rate, d.source_id) for d in devices], dtype=np.int64
        ).reshape(self.count)
        self.mode = self.seeded.copy()
        self.unpowered: Bools = np.zeros(self.count, dtype=np.bool_)
        self.unreached: Bools = np.zeros(self.count, dtype=np.bool_)
        self._ever: Bools = np.zeros(self.count, dtype=np.bool_)  # a state to be written
        self._kept: dict[str, tuple[Floats, float]] = {}
        self._watched = [i for i, point in enumerate(self.points) if point.watched]
        self._seen: Floats | None = None
        self.prepare()

    def _seeded(self, rate: float, source_id: str) -> int:
        digest = hashlib.blake2b(
            f"{self.world.seed}/fault/{source_id}".encode(), digest_size=16
        ).digest()
        if int.from_bytes(digest[:8], "big") / 2**64 >= rate:
            return 0
        names = self.mode_names[1:] if self.verbs else self.mode_names[3:]
        name = names[int.from_bytes(digest[8:], "big") % len(names)]
        return self.mode_names.index(name)

    def prepare(self) -> None:
        """What a kind draws once."""

    def link(self) -> None:
        """Find relatives, when all kinds are there."""

    # --- helpers

    def draw(self, salt: int, rows: Ints | None = None) -> Floats:
        """A number in 0…1 for each device, for ever."""
        key = self.key if rows is None else self.key[rows]
        return hash01(key, np.full(len(key), salt, np.uint64))

    def draw_at(self, salt: int, rows: Ints, step: Floats | float) -> Floats:
        """A number in 0…1 for each device and step of time."""
        whole = np.broadcast_to(np.floor(step), len(rows)).astype(np.int64).astype(np.uint64)
        return hash01(self.key[rows], np.full(len(rows), salt, np.uint64), whole)

    def wander(self, salt: int, rows: Ints, t: Floats | float, period: float) -> Floats:
        """Smooth noise in 0…1 of each device's own."""
        at = np.broadcast_to(np.asarray(t, dtype=np.float64) / period, len(rows))
        low = np.floor(at)
        one, two = self.draw_at(salt, rows, low), self.draw_at(salt, rows, low + 1)
        return one + (two - one) * (at - low)

    def attribute(self, name: str, default: Any = "") -> list[Any]:
        known = self.world.topology.attributes
        return [known.get(d.source_id, {}).get(name, default) for d in self.devices]

    def parents_in(self, kind: str) -> Ints:
        """The row of each device's parent among another kind, −1 without."""
        other = self.world.kinds.get(kind)
        parents = self.world.topology.parents
        rows = {} if other is None else other.row
        return np.array(
            [rows.get(parents.get(d.source_id, ""), -1) for d in self.devices], dtype=np.int64
        ).reshape(self.count)

    def keep(self, name: str, default: float) -> Floats:
        """Memory of orders, one number a device, that outlives a restart."""
        column = np.full(self.count, default)
        self._kept[name] = column, default
        return column

    # --- what is true and what is shown

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        """A column a point, as if all were well."""
        raise NotImplementedError

    def measure(self, rows: Ints, t: float, serial: NDArray[np.uint64]) -> Sequence[Floats]:
        """What the devices show: the truth, their faults, and what happens to them from above."""
        columns = [np.array(np.broadcast_to(c, len(rows)), np.float64) for c in self.truth(rows, t)]
        return self.faulty(columns, rows)

    def faulty(self, columns: list[Floats], rows: Ints) -> list[Floats]:
        """Lay the faults over columns that are true."""
        mode = self.mode[rows]
        if mode.any():
            for number, name in enumerate(self.mode_names):
                if number >= len(COMMON):
                    self._show(columns, mode == number, self.modes[name])
        if self.without_power is not None:
            self._show(columns, self.unpowered[rows], self.without_power)
        if self.without_network is not None:
            self._show(columns, self.unreached[rows], self.without_network)
        return columns

    def _show(self, columns: list[Floats], who: Bools, what: Mapping[str, float]) -> None:
        if who.any():
            for name, value in what.items():
                columns[self.slot[name]][who] = value

    def online(self) -> Bools:
        """Who reports at all."""
        up = self.mode != COMMON.index("offline")
        if self.without_power is None and not self.ignores_power:
            up &= ~self.unpowered
        if self.without_network is None:
            up &= ~self.unreached
        return up

    def changed(self, t: float) -> list[tuple[int, str, float]]:
        """(device, point, value) of watched points that are not what they were."""
        if not self._watched or not self.count:
            return []
        columns = self.measure(np.arange(self.count), t, np.zeros(self.count, np.uint64))
        return self.compare(columns)

    def compare(self, columns: Sequence[Floats]) -> list[tuple[int, str, float]]:
        """What of the watched columns differs from the last look."""
        now = np.stack([columns[i] for i in self._watched])
        before, self._seen = self._seen, now
        if before is None:
            return []
        differs = (now != before) & ~(np.isnan(now) & np.isnan(before))
        return [
            (int(row), self.points[self._watched[int(point)]].name, float(now[point, row]))
            for point, row in np.argwhere(differs)
        ]

    # --- what changes it

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        """Carry an order out: done, refused (and why) or failed."""
        return UNSUPPORTED

    def order(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        """`obey`, if its faults let it."""
        if verb not in self.verbs:
            return UNSUPPORTED
        mode = int(self.mode[row])
        if self.mode_names[mode] == "refuses":
            return Outcome("refused", "interlock")
        if self.unpowered[row] and not self.ignores_power:
            return Outcome("failed", "supply_loss")
        if mode >= len(COMMON) and self.stops_orders(self.mode_names[mode]):
            return Outcome("failed", _snake(self.mode_names[mode]))
        return self.obey(row, verb, params, t)

    def stops_orders(self, mode: str) -> bool:
        return True

    def hears(self, row: int) -> bool:
        return self.mode_names[int(self.mode[row])] != "silent" and bool(self.online()[row])

    def fail(self, row: int, mode: str, t: float) -> None:
        """Set a fault, or `none`. KeyError for a fault this kind does not know."""
        if mode not in self.mode_names:
            raise KeyError(f"{self.kind} fails as {', '.join(self.mode_names)}")
        self.mode[row] = self.mode_names.index(mode)
        self.settle(row)

    def settle(self, row: int) -> None:
        """Say what its state means for what hangs on it."""
        id_, mode = self.devices[row].source_id, self.mode_names[int(self.mode[row])]
        self.world.power.set(id_, mode in self.cuts_power or self.switched_off(row))
        self.world.network.set(id_, mode in self.cuts_network)
        self.world.unsettled = True

    def switched_off(self, row: int) -> bool:
        """An order took the power from what it feeds."""
        return False

    def cut(self, unpowered: Bools, unreached: Bools, t: float) -> None:
        """Power or network above was lost, or is back."""
        self.unpowered, self.unreached = unpowered, unreached

    # --- over a restart

    def states(self) -> list[tuple[int, dict[str, float]]]:
        """Rows that are not, or once were not, as they were drawn; and what to remember."""
        differs = self.mode != self.seeded
        for column, default in self._kept.values():
            differs |= column != default
        self._ever |= differs
        return [(row, self._state(row)) for row in np.flatnonzero(self._ever).tolist()]

    def _state(self, row: int) -> dict[str, float]:
        found = {n: float(c[row]) for n, (c, default) in self._kept.items() if c[row] != default}
        if self.mode[row] != self.seeded[row]:
            found["mode"] = float(self.mode[row])
        return found

    def restore(self, row: int, state: Mapping[str, float]) -> None:
        self._ever[row] = True
        for name, value in state.items():
            if name in self._kept:
                self._kept[name][0][row] = value
            elif name == "mode" and value < len(self.mode_names):
                self.mode[row] = int(value)


def choice(params: Mapping[str, Any], name: str, words: tuple[str, ...]) -> float | None:
    """A parameter that is one of some words, or the place of one."""
    given = params.get(name)
    if isinstance(given, str):
        return float(words.index(given)) if given in words else None
    return number(params, name, 0, len(words) - 1)


def number(params: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    given = params.get(name)
    if isinstance(given, bool) or not isinstance(given, int | float) or not low <= given <= high:
        return None
    return float(given)


def _key(seed: int, source_id: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(f"{seed}:{source_id}".encode(), digest_size=8).digest(), "big"
    )


def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name)
