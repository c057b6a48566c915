"""Who reports when: every kind at its own pace, each round evenly, changes at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simcity import commands
from simcity.gateway import Gateway, Message
from simcity.lamp import Ints
from simcity.plan import BURST, Plan, due, make_plan
from simcity.readings import Row, Scribe
from simcity.stats import Stats
from simcity.world import Residents

USUAL = 60.0  # the interval of lights, by which the others' are scaled


@dataclass
class Round:
    """The devices that share an interval, and how many slots they have had."""

    plan: Plan
    interval: float
    done: int = 0
    once: bool = False


class Reporter:
    def __init__(
        self,
        residents: Residents,
        site_of: list[int],
        scribe: Scribe,
        gateways: list[Gateway],
        stats: Stats,
        *,
        interval: float,
        batch: int,
        rate: float | None,
        city_time: Callable[[float], float],
        keep: bool,
        witness: Callable[[list[bytes], list[Row]], None] | None,
    ):
        self._residents, self._scribe, self._stats = residents, scribe, stats
        self._gateways, self._site_of = gateways, site_of
        self._site = np.array(site_of, dtype=np.int64)
        self._batch, self._city_time, self._keep = batch, city_time, keep
        self.witness = witness
        self._rounds = self._plan(interval, rate)

    def _plan(self, interval: float, rate: float | None) -> list[Round]:
        """One round for each interval; all together in one when there is a rate instead."""
        residents = self._residents
        own = np.array([b.interval for b in residents.behaviours])
        known = np.flatnonzero(residents.kind_of >= 0)
        pace = np.full(len(known), 1.0) if rate else own[residents.kind_of[known]]
        rounds: list[Round] = []
        for seconds in np.unique(pace).tolist():
            mine = known[pace == seconds]
            plan = make_plan(self._site[mine].tolist(), self._batch, BURST if rate else 1)
            plan = Plan(mine[plan.order], plan.bounds, plan.gateway)
            every = plan.slots / rate if rate else interval * seconds / USUAL
            rounds.append(Round(plan, every))
            if every > interval:  # who reports seldom says at the start that it is there
                rounds.append(Round(plan, interval / 2, once=True))
        return rounds

    def report(self, elapsed: float, paused: bool) -> set[int]:
        """Send what is due; the gateways that have something to send."""
        touched: set[int] = set()
        for one in self._rounds:
            slots = one.plan.slots
            first, to = due(one.done, elapsed, one.interval, slots)
            if one.once:
                first, to = min(first, slots), min(to, slots)
            self._stats.skipped += (first - one.done) if not paused else 0
            one.done = to
            while first < to and not paused:
                start = first % slots
                end = min(start + to - first, slots)
                touched |= self._slots(one.plan, start, end)
                first += end - start
        return touched

    def _slots(self, plan: Plan, first: int, to: int) -> set[int]:
        devices = plan.order[plan.bounds[first] : plan.bounds[to]]
        awake = self._residents.awake(devices)
        if len(awake) < len(devices):
            return self.at_once(awake)
        bodies, rows = self._write(devices)
        sites, gateways, keep = plan.gateway[first:to], self._gateways, self._keep
        if self._batch:
            base = plan.bounds[first]
            for slot, site in zip(range(first, to), sites, strict=True):
                a, b = plan.bounds[slot] - base, plan.bounds[slot + 1] - base
                gateways[site].offer(
                    Message(commands.join(bodies[a:b]), b - a, rows[a:b] if keep else None)
                )
        else:
            for body, row, site in zip(bodies, rows, sites, strict=True):
                gateways[site].offer(Message(body, 1, [row] if keep else None))
        return set(sites)

    def at_once(self, devices: Ints) -> set[int]:
        """The readings of some devices now, grouped as the gateway groups all."""
        devices = self._residents.awake(devices[self._residents.kind_of[devices] >= 0])
        if not len(devices):
            return set()
        bodies, rows = self._write(devices)
        by_site: dict[int, list[int]] = {}
        for place, device in enumerate(devices.tolist()):
            by_site.setdefault(self._site_of[device], []).append(place)
        size = max(self._batch, 1)
        for site, places in by_site.items():
            for start in range(0, len(places), size):
                some = places[start : start + size]
                kept = [rows[p] for p in some] if self._keep else None
                self._gateways[site].offer(
                    Message(commands.join([bodies[p] for p in some]), len(some), kept)
                )
        return set(by_site)

    def _write(self, devices: Ints) -> tuple[list[bytes], list[Row]]:
        now = time.time()
        bodies, rows = self._scribe.write(devices, self._city_time(now), int(now * 1000))
        if self.witness is not None:
            self.witness(bodies, rows)
        return bodies, rows
