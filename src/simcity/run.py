"""The city at work: readings on time, commands obeyed, everything witnessed."""

import asyncio
import datetime as dt
import heapq
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from simcity import commands
from simcity.behaviours.streetlight import Streetlight
from simcity.clock import Clock, next_boot
from simcity.commands import Command, Fate, Memory, Outcome
from simcity.faults import NAMES, Fault
from simcity.gateway import Gateway
from simcity.lamp import Schedule, Site, hash01, sun_schedule
from simcity.ledger import Ledger
from simcity.provisioning import Device, Provisioning
from simcity.readings import Scribe
from simcity.reports import Reporter
from simcity.scenario import Play, choose, read_scenario
from simcity.stats import Stats
from simcity.world import Happening, Residents, in_order

TICK = 0.02
LEDGER_EVERY = 0.05
LAMPS_EVERY = 60.0
HORIZON = dt.timedelta(days=40)
ANSWERS_A_MESSAGE = 400


@dataclass(frozen=True)
class Options:
    seed: int = 1
    failure_rate: float = 0.0
    interval: float = 60.0
    batch: int = 20  # readings a message; 0: one by one
    rate: float | None = None  # messages a second, instead of the interval
    brief: bool = False  # three values a reading
    latency: float = 0.0  # mean seconds from `received` to the change
    speed: float = 1.0
    start: dt.datetime | None = None
    zone: str = "Europe/Paris"
    window: int = 512
    keep: float = 6 * 3600.0  # seconds for which the ledger keeps acknowledged messages
    connect_within: float = 1.0
    folder: Path | None = None  # of the drawn city: streets, and what depends on what
    scenario: str = ""  # played from the start
    keep_values: bool = False  # the ledger keeps what every reading said


class City:
    """One process's share of the city. `run` lives until `stop` is set."""

    def __init__(
        self, provisioning: Provisioning, options: Options, boot_file: Path, ledger: Path | None
    ):
        self.options = options
        self.stats = Stats()
        self.stop = asyncio.Event()
        self.paused = False
        self._clock = Clock(options.speed, options.start)
        everything = [(d, g) for g, spec in enumerate(provisioning.gateways) for d in spec.devices]
        order = in_order([device for device, _ in everything])
        self.devices: list[Device] = [everything[i][0] for i in order]
        self._site_of = [everything[i][1] for i in order]
        self._number = {device.device: i for i, device in enumerate(self.devices)}
        self.residents = Residents(
            self.devices,
            self._site_of,
            self._timetable(),
            seed=options.seed,
            rate=options.failure_rate,
            zone=options.zone,
            folder=options.folder,
        )
        self.fleet = self.residents.fleet
        self._memory = Memory()
        self._ledger = self._open_ledger(ledger, provisioning) if ledger else None
        self.boot = next_boot(boot_file, self._ledger.last_boot() + 1 if self._ledger else 0)
        scribe = Scribe(self.residents, self.boot, options.brief)
        witness = self._ledger.acknowledged if self._ledger else None
        self.gateways = [
            Gateway(
                spec,
                provisioning.mqtt,
                self.stats,
                window=options.window,
                on_command=self._command,
                on_acknowledged=witness,
            )
            for spec in provisioning.gateways
        ]
        self._site = {gateway: i for i, gateway in enumerate(self.gateways)}
        ledger_ = self._ledger
        self._reporter = Reporter(
            self.residents,
            self._site_of,
            scribe,
            self.gateways,
            self.stats,
            interval=options.interval,
            batch=options.batch,
            rate=options.rate,
            city_time=self._clock.at,
            keep=ledger_ is not None,
            witness=ledger_.readings if ledger_ and options.keep_values else None,
        )
        self._happened: list[Happening] = []
        self._changed: set[int] = set()
        self._answers: dict[Gateway, list[bytes]] = {}
        self._pending: list[tuple[float, int, Command, int, Outcome | None]] = []
        self._serial = 0
        if options.scenario:
            self.scenario(options.scenario)

    # --- beginnings

    def _timetable(self) -> Schedule:
        """From the meters' epoch to a horizon beyond the city's present."""
        lon = sum(d.lon for d in self.devices) / len(self.devices)
        lat = sum(d.lat for d in self.devices) / len(self.devices)
        site = Site(round(lon, 2), round(lat, 2), self.options.zone)
        now = dt.datetime.fromtimestamp(self._clock.at(time.time()), dt.UTC)
        return sun_schedule(site, (now + HORIZON).date())

    def _open_ledger(self, path: Path, provisioning: Provisioning) -> Ledger:
        ledger = Ledger(
            path,
            [
                (device, provisioning.gateways[site].client)
                for device, site in zip(self.devices, self._site_of, strict=True)
            ],
        )
        if self._clock.is_true:  # a city in a time of its own begins anew
            for lamp in ledger.lamps():
                if lamp[0] < self.fleet.lamps:
                    self.fleet.restore(*lamp)
            for device, state in ledger.states():
                if (found := self.residents.behaviour(device)) is not None:
                    found[0].restore(found[1], state)
                    found[0].settle(found[1])
        for id_, device, level, status, code in ledger.recent_commands(int(time.time() * 1000)):
            known = msgspec.convert({"status": status, "code": code, "level": level}, type=Outcome)
            self._memory.finish(id_, device, known)
        return ledger

    # --- life

    async def run(self) -> None:
        if self._ledger:
            self._ledger.start(self.boot, self.options.seed, self.options.failure_rate)
        spread = self.options.connect_within / max(len(self.gateways), 1)
        for index, gateway in enumerate(self.gateways):
            gateway.start(index * spread)
        self.stats.begin()
        began = time.monotonic()
        clockwork: list[tuple[float, Callable[[], None]]] = [
            (1.0, self._check),
            (LEDGER_EVERY, self._pass_on),
            (LAMPS_EVERY, self._witness_lamps),
        ]
        next_at = [began + every for every, _ in clockwork]
        try:
            while not self.stop.is_set():
                now = time.monotonic()
                self._report(now - began)
                self._carry_out(now)
                for i, (every, act) in enumerate(clockwork):
                    if now >= next_at[i]:
                        next_at[i] = now + every
                        act()
                await asyncio.sleep(max(TICK - (time.monotonic() - now), 0))
        finally:
            for gateway in self.gateways:
                await gateway.stop()
            if self._ledger:
                self.write_lamps()
                self._ledger.close()

    async def drain(self, timeout: float, *, offline: bool = True) -> bool:
        """Report no more and wait until everything stored is acknowledged.

        Not `offline`: give up at once when no gateway is connected.
        """
        self.paused = True
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if not (self._pending or self._changed or self._answers) and all(
                gateway.idle for gateway in self.gateways
            ):
                self.flush()
                return True
            if not (offline or self.stats.connected):
                break
            await asyncio.sleep(0.02)
        return False

    def _check(self) -> None:
        now = time.monotonic()
        for gateway in self.gateways:
            gateway.check(now)
        if self._clock.at(time.time()) > self.fleet.schedule.times[-1] - 2 * 86_400:
            self.fleet.extend(self._timetable())

    def _pass_on(self) -> None:
        if self._ledger:
            self._ledger.pass_on(happenings=self._happened)
        self._happened.clear()

    def _witness_lamps(self) -> None:
        self.write_lamps()
        if self._ledger:
            self._ledger.forget(self.options.keep)

    # --- readings

    def _report(self, elapsed: float) -> None:
        if not (self.paused or self.options.rate):  # a load only reports
            self._changed |= self.residents.step(self._clock.at(time.time()), self._happened.append)
        touched: set[int] = set()
        if self._changed:
            changed = np.array(sorted(self._changed), dtype=np.int64)
            self._changed.clear()
            touched |= self._reporter.at_once(changed)
        touched |= self._reporter.report(elapsed, self.paused)
        for site in touched:
            self.gateways[site].pump()

    # --- commands

    def _command(self, gateway: Gateway, token: str, payload: bytes) -> None:
        now, stats = time.time(), self.stats
        stats.commands += 1
        stats.first_command = stats.first_command or now
        stats.last_command = now
        device = self._number.get(token)
        try:
            command = commands.decode(payload)
            expires = commands.seconds(command.expires_at)
        except (msgspec.MsgspecError, ValueError):
            stats.malformed += 1
            return
        if (
            device is None
            or command.device != token
            or self._site_of[device] != self._site[gateway]
        ):
            stats.malformed += 1
            return
        fault = self._fault(device)
        fate = self._memory.fate(command.id, device, expires, now, fault)
        found = self.residents.behaviour(device)
        if fate is not Fate.EXPIRED and found is not None and not found[0].hears(found[1]):
            fate = Fate.UNHEARD
        if fate in (Fate.EXPIRED, Fate.UNHEARD):
            stats.expired += fate is Fate.EXPIRED
            self._witness(command, device, fate.value, None, None, now)
            return
        self._answer(gateway, commands.answer(command.id, token, int(now * 1000), "received"))
        if fate is Fate.NEW:
            self._memory.begin(command.id, device)
            # Others than lamps are asked when they carry it out: what stands in the way may leave.
            lamp = found is None or isinstance(found[0], Streetlight)
            kind = self.devices[device].kind
            outcome = commands.outcome_of(command, kind, fault) if lamp else None
            self._serial += 1
            begin = time.monotonic() + self._latency(device)
            heapq.heappush(self._pending, (begin, self._serial, command, device, outcome))
        elif fate is Fate.REPEATED:
            outcome = self._memory.outcome(command.id, device)
            if outcome is not None:
                self._conclude(gateway, command.id, token, outcome, now)

    def _carry_out(self, now: float) -> None:
        pending, true = self._pending, time.time()
        levels: dict[int, float] = {}
        while pending and pending[0][0] <= now:
            _, _, command, device, outcome = heapq.heappop(pending)
            if outcome is None:
                outcome = self._obey(command, device, self._clock.at(true))
            if outcome.level is not None:
                levels[device] = outcome.level
                self.stats.executed += 1
            self._memory.finish(command.id, device, outcome)
            self._witness(command, device, outcome.status, outcome.level, outcome.code, true)
            gateway = self.gateways[self._site_of[device]]
            self._conclude(gateway, command.id, self.devices[device].device, outcome, true)
        if levels:
            self.fleet.command(levels, self._clock.at(true))
            self._changed.update(levels)
        for gateway, parts in self._answers.items():
            for start in range(0, len(parts), ANSWERS_A_MESSAGE):
                gateway.answer(commands.join(parts[start : start + ANSWERS_A_MESSAGE]))
            gateway.pump()
        self._answers.clear()

    def _obey(self, command: Command, device: int, t: float) -> Outcome:
        found = self.residents.behaviour(device)
        if found is None:
            return Outcome("refused", "unsupported")
        outcome = found[0].order(found[1], command.verb, command.params, t)
        if outcome.status == "done":
            self._changed.add(device)
            self.stats.executed += 1
        return outcome

    def _conclude(
        self, gateway: Gateway, id_: str, token: str, outcome: Outcome, now: float
    ) -> None:
        self.stats.first_done = self.stats.first_done or now
        self.stats.last_done = now
        self._answer(
            gateway, commands.answer(id_, token, int(now * 1000), outcome.status, outcome.code)
        )

    def _answer(self, gateway: Gateway, body: bytes) -> None:
        self._answers.setdefault(gateway, []).append(body)

    def _witness(
        self,
        command: Command,
        device: int,
        status: str,
        level: float | None,
        code: str | None,
        now: float,
    ) -> None:
        if self._ledger:
            expires = commands.seconds(command.expires_at)
            until = None if expires is None else int(expires * 1000)
            self._ledger.command(
                (command.id, device, level, int(now * 1000), until, status, code, command.verb)
            )

    def _latency(self, device: int) -> float:
        """Seeded by device and order, between half and one and a half of the mean."""
        if not self.options.latency:
            return 0.0
        parts = np.array([device], np.uint64), np.array([self._serial], np.uint64)
        return self.options.latency * (0.5 + float(hash01(*parts)[0]))

    # --- for tests and operators

    def _fault(self, device: int) -> Fault:
        return Fault(int(self.fleet.fault[device])) if device < self.fleet.lamps else Fault.NONE

    def set_fault(self, token: str, fault: Fault) -> None:
        """Of a lamp. KeyError when no lamp has this token."""
        if self._number[token] >= self.fleet.lamps:
            raise KeyError(token)
        self.fail(token, NAMES[fault])

    def fail(self, token: str, mode: str) -> None:
        """KeyError when no device has this token, or it knows no such fault."""
        device = self._number[token]
        found = self.residents.behaviour(device)
        if found is None:
            raise KeyError(token)
        t = self._clock.at(time.time())
        found[0].fail(found[1], mode, t)
        self._happened.append(Happening(t, device, "fault", mode))
        self._changed |= {device, *self.residents.spread(t)}

    def scenario(self, name: str) -> str:
        """Play a scenario from now on; its name. Raises ScenarioError."""
        scenario = read_scenario(name)
        residents = self.residents
        kinds = {b.kind: list(b.row) for b in residents.behaviours}
        modes = {b.kind: b.mode_names for b in residents.behaviours}
        steps = choose(scenario, self.options.seed, kinds, modes, residents.shared.topology)
        residents.play(Play(steps, int(self._clock.at(time.time())) + 1))
        return scenario.name

    def keep_values(self) -> None:
        """From now on the ledger keeps what every reading says."""
        if self._ledger:
            self._reporter.witness = self._ledger.readings

    def values(self, tokens: list[str]) -> dict[str, dict[str, float]]:
        """What devices show now, by point. KeyError for a token nobody has."""
        t = self._clock.at(time.time())
        found: dict[str, dict[str, float]] = {}
        for token in tokens:
            played = self.residents.behaviour(self._number[token])
            if played is not None:
                behaviour, row = played
                columns = behaviour.measure(np.array([row]), t, np.zeros(1, np.uint64))
                found[token] = {
                    point.name: float(column[0])
                    for point, column in zip(behaviour.points, columns, strict=True)
                    if column[0] == column[0]
                }
        return found

    def levels(self) -> dict[str, float]:
        """The true level of every lamp, by token."""
        lamps = np.arange(self.fleet.lamps)
        true = self.fleet.shining(lamps, self._clock.at(time.time())).tolist()
        return {self.devices[i].device: level for i, level in enumerate(true)}

    def write_lamps(self) -> None:
        """The true state of every lamp, for the ledger."""
        if not self._ledger:
            return
        now = time.time()
        state = self.fleet.state(self._clock.at(now))
        names = [NAMES[Fault(fault)] for fault in self.fleet.fault.tolist()]
        at = int(now * 1000)
        self._ledger.pass_on(
            [
                (i, at, level, names[i], manual, until, energy, hours)
                for i, (level, manual, until, energy, hours) in enumerate(state)
            ],
            self._states(at),
        )

    def _states(self, at: int) -> list[tuple[int, int, str]]:
        """What devices other than lamps must not forget over a restart."""
        found: list[tuple[int, int, str]] = []
        residents = self.residents
        for first, behaviour in zip(residents.first, residents.behaviours, strict=True):
            if not isinstance(behaviour, Streetlight):
                found += [
                    (first + row, at, msgspec.json.encode(state).decode())
                    for row, state in behaviour.states()
                ]
        return found

    def flush(self) -> None:
        """Have all that was witnessed so far committed."""
        if self._ledger:
            self._ledger.flush()

    @property
    def summary(self) -> dict[str, object]:
        return {
            "devices": len(self.devices),
            "gateways": len(self.gateways),
            "boot": self.boot,
            "stored": sum(len(gateway.store) for gateway in self.gateways),
            "in_flight": sum(len(gateway.in_flight) for gateway in self.gateways),
        }
