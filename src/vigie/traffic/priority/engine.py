"""The engine of a city: every second, observations in, checked commands and their reasons out.

It has no clock, no I/O and no chance: the same observations give the same decisions. Nothing
leaves it that `check` has not passed; what the checker refuses is replaced by the plan's own
next move.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct

from .buses import Arrival, Bus, BusFacts, BusFix
from .calibration import LaneWeights, check_weights
from .check import check_crossing
from .errors import PlanError
from .fairness import Fairness
from .fleet import Fleet, Key
from .lamps import Lamps
from .model import Crossing
from .reasons import RIVALRY, WAITING, Reason
from .reasons import rival as rival_of
from .requests import Request, State, Verb, move, overdue
from .rules import (
    Ask,
    Choice,
    Settings,
    Verdict,
    check_settings,
    decide,
    together,
    weight_of,
)
from .runner import Command, Go, Running
from .tables import Floats, Tables
from .traffic import SPACING, Loop, Traffic

WORD_STANDS, REFUSAL_STANDS = 12, 4
"""Seconds an answer to a bus stands before another may replace it, a stronger rival excepted;
and a refusal before a grant. Only what is said waits: the signals change at once."""


MOST_ASKS = 16
"""Buses weighed at once at one crossing; more would not fit its approaches."""


class Decision(Struct, frozen=True):
    """A checked command to one crossing, and why."""

    at: int
    crossing: str
    command: Command
    reason: Reason


class Event(Struct, frozen=True):
    """A change in the life of a request, and why: the log of a bus's trip."""

    at: int
    crossing: str
    bus: str
    state: State
    reason: Reason


class Turn(Struct, frozen=True):
    """What one second brought."""

    at: int
    shown: dict[str, str]
    """Aspects of every crossing for this second."""
    decisions: tuple[Decision, ...]
    events: tuple[Event, ...]
    refused: tuple[str, ...]
    """Observations not believed, in words."""


class Engine:
    """Bus priority and retiming for a set of crossings.

    `weights` are what was learned of them (`calibration`); without, a rule of thumb guards those
    who would pay (`fairness`). `running` says where crossings are at `now`, when they are taken
    over in the middle of something; else they are where their plans have them. PlanError or
    ObservationError when one of these cannot be.
    """

    def __init__(
        self,
        crossings: Sequence[Crossing],
        now: int,
        settings: Settings | None = None,
        weights: LaneWeights | None = None,
        running: Mapping[str, Running] | None = None,
    ) -> None:
        for crossing in crossings:
            check_crossing(crossing)
        if len({crossing.id for crossing in crossings}) < len(crossings):
            raise PlanError("two crossings share an id; give each its own")
        if weights is not None:
            check_weights(weights, {crossing.id: crossing for crossing in crossings})
        self.settings = settings or Settings()
        check_settings(self.settings)
        self.tables = Tables(crossings)
        self.traffic = Traffic(self.tables)
        self.fleet = Fleet(self.tables)
        self.requests: dict[Key, Request] = {}
        self._lamps = Lamps(crossings, now, running or {})
        self._debt = np.zeros(len(crossings))
        self._lane_weight: Floats = np.ones((self.tables.shape[0], self.tables.shape[2]))
        self.fairness = Fairness(self.tables) if weights is None else None
        """The guess at who pays, while nothing was learned."""
        if weights is not None:
            for (name, lane), k in self.tables.lane_at.items():
                self._lane_weight[self.tables.index[name], k] = weights.of(name, lane)

    def turn(
        self,
        now: int,
        loops: Mapping[str, Loop],
        fixes: Iterable[BusFix],
        facts: Mapping[str, BusFacts],
    ) -> Turn:
        """One second. `facts` holds what is known of the buses that run; others are refused.

        ObservationError, with nothing changed, when `now` is not after the last turn, or so long
        after it that the crossings have gone their own way.
        """
        self._lamps.advance(now)
        refused = self._observe_traffic(loops, now)
        refused += self.fleet.hear(fixes, facts, now)
        self.fleet.follow(self.tables.showing(self._lamps.states, now)[0], now)
        asks, events = self._ask(now)
        choices = decide(
            self.tables, self.settings, self.traffic.flows(), self.traffic.queue,
            self.traffic.rate, self._lane_weight, self._lamps.states, asks, now,
        )  # fmt: skip
        done, decisions = self._act(choices, now, refused)
        events += self._judge(done, now)
        shown = self._lamps.show()
        return Turn(now, shown, tuple(decisions), tuple(events), tuple(refused))

    def _observe_traffic(self, loops: Mapping[str, Loop], now: int) -> list[str]:
        showing, filtered = self.tables.showing(self._lamps.states, now)
        refused = self.traffic.update(loops, showing, filtered)
        if self.fairness is not None:
            self.fairness.update(
                showing, self.traffic.idle, self.settings.red_gain, self.settings.share_gain
            )
            self._lane_weight = self.fairness.weight
        return refused

    def _ask(self, now: int) -> tuple[list[Ask], list[Event]]:
        """Open, follow and close requests; what the decision is to weigh."""
        asks, events = list[Ask](), list[Event]()
        ahead_of = dict[Key, Arrival]()
        for bus in self.fleet.buses.values():
            for k, arrival in self.fleet.ahead(bus, now, 3.0 * self.settings.reach):
                key = (bus.name, k)
                ahead_of[key] = arrival
                if key in self.requests or key in self.fleet.given_up:
                    continue
                if arrival.likely <= self.settings.reach:
                    events += self._open(bus, k, arrival, now)
        for key, request in list(self.requests.items()):
            if (ended := self._ended(request, now)) is not None:
                events += ended
                continue
            if (verb := overdue(request, now)) is not None:
                facts = {"bus": request.bus, "seconds": now - request.opened}
                key_ = "bus.overstay" if verb == "overstay" else "bus.given_up"
                if verb == "lose":
                    self.fleet.given_up.add(key)
                events += self._move(request, verb, now, Reason(key_, facts))
            request = self.requests.get(key)
            arrival = ahead_of.get(key)
            if request is None or arrival is None:
                continue
            if not self._servable(request.crossing, request.lane):
                continue
            c = self.tables.index[request.crossing]
            lane = self.tables.lane_at[request.crossing, request.lane]
            asks.append(self._weigh(request, arrival, c, lane))
        return self._nearest(asks, events, now), events

    def _nearest(self, asks: Sequence[Ask], events: list[Event], now: int) -> list[Ask]:
        """Those that are weighed: of a crowd at one crossing, the nearest; the others are told."""
        taken, out = dict[int, int](), list[Ask]()
        for ask in sorted(asks, key=lambda ask: (ask.eta[1], ask.bus, ask.signal)):
            count = taken.get(ask.crossing, 0)
            if count < MOST_ASKS:
                taken[ask.crossing] = count + 1
                out.append(ask)
                continue
            request = self.requests[ask.bus, ask.signal]
            reason = Reason("bus.crowd", {"bus": ask.bus, "count": count})
            events += self._tell(request, False, False, reason, now)
        kept = {(ask.bus, ask.signal) for ask in out}
        return [ask for ask in asks if (ask.bus, ask.signal) in kept]

    def _open(self, bus: Bus, k: int, arrival: Arrival, now: int) -> list[Event]:
        signal = bus.facts.way.signals[k]
        self.requests[bus.name, k] = Request(
            bus.name, signal.crossing, signal.lane, now, k, changed=now
        )
        facts: dict[str, str | int] = {
            "bus": bus.name,
            "arrival": round(arrival.likely),
            "early": round(arrival.early),
            "late": round(arrival.late),
        }
        reason = Reason("bus.opened", facts)
        events = [Event(now, signal.crossing, bus.name, "requested", reason)]
        if not self._servable(signal.crossing, signal.lane):
            request = move(self.requests[bus.name, k], "weigh", now)
            known = (signal.crossing, signal.lane) in self.tables.lane_at
            why = "bus.no_green" if known else "bus.unknown"
            reason = Reason(why, {"bus": bus.name, "lane": signal.lane})
            events += self._move(request, "reject", now, reason)
        return events

    def _servable(self, crossing: str, lane: str) -> bool:
        k = self.tables.lane_at.get((crossing, lane))
        c = self.tables.index[crossing]
        return k is not None and together(self.tables, c, k, k)

    def _weigh(self, request: Request, arrival: Arrival, c: int, lane: int) -> Ask:
        reach = self.tables.distance[c, lane]
        near, beyond = self.traffic.near[c, lane], self.traffic.beyond[c, lane]
        before = near * min(1.0, arrival.distance / reach) + beyond * (arrival.distance > reach)
        before = min(before, arrival.distance / SPACING)
        if arrival.standing and arrival.distance < 250 and arrival.stops == 0:
            standing = 0.8 * arrival.distance / (SPACING + 0.5)
            before = max(before, standing)
            self.traffic.probe(c, lane, standing)
        helped = request.state not in ("maxPresence", "rejected") and (
            self._debt[c] < self.settings.debt_limit
        )
        facts = self.fleet.buses[request.bus].facts
        people = (
            weight_of(self.settings, facts.people, facts.lateness)
            if helped
            else self.settings.car_people
        )
        eta = (arrival.early, arrival.likely, arrival.late)
        loops = self.traffic.loops[:, c]
        dead = int((loops & ~self.traffic.alive[:, c]).sum())
        return Ask(
            request.bus, request.signal, c, lane, float(before), eta, people, helped,
            dead, int(loops.sum()),
        )  # fmt: skip

    def _act(
        self, choices: Sequence[Choice], now: int, refused: list[str]
    ) -> tuple[list[Choice], list[Decision]]:
        """Check every choice and apply it; where one is refused the plan's move stands in, which
        grants nothing and costs nothing."""
        done, decisions = list[Choice](), list[Decision]()
        for choice in choices:
            command, wrong = self._lamps.obey(choice.crossing, choice.command)
            if wrong is None:
                did = choice
            else:
                refused.append(wrong)
                did = Choice(choice.crossing, command, Reason("refused", {"why": wrong}))
            done.append(did)
            if isinstance(command, Go) or choice.cost > 0:
                name = self.tables.crossings[choice.crossing].id
                decisions.append(Decision(now, name, command, did.reason))
        return done, decisions

    def _judge(self, choices: Sequence[Choice], now: int) -> list[Event]:
        """Move the requests as the choices say, and keep the account of what priority costs."""
        events = list[Event]()
        self._debt *= 1.0 - 1.0 / self.settings.debt_memory
        for choice in choices:
            crossing = self.tables.crossings[choice.crossing].id
            if isinstance(choice.command, Go):
                self._debt[choice.crossing] += choice.cost
            events += self._withdraw(choice, now)
            for verdict in sorted(choice.verdicts, key=lambda v: v.grant):
                key = (verdict.bus, verdict.signal)
                request = self.requests.get(key)
                if request is None or request.crossing != crossing:
                    continue
                self.fleet.passing[key] = now + verdict.passing
                locked = self._debt[choice.crossing] >= self.settings.debt_limit
                events += self._tell(request, verdict.grant, locked, verdict.reason, now)
        return events

    def _withdraw(self, choice: Choice, now: int) -> list[Event]:
        """Take earlier grants back that what is granted now excludes."""
        events, c = list[Event](), choice.crossing
        lanes = self.tables.lane_at
        for verdict in choice.verdicts:
            winner = self.requests.get((verdict.bus, verdict.signal))
            if winner is None or not self._will_grant(winner, verdict, now):
                continue
            lane = lanes[winner.crossing, winner.lane]
            for rival in list(self.requests.values()):
                if (
                    rival.crossing == winner.crossing
                    and rival.state == "granted"
                    and not together(self.tables, c, lane, lanes[rival.crossing, rival.lane])
                ):
                    reason = rival_of(rival.bus, winner.bus)
                    events += self._move(rival, "yield", now, reason)
        return events

    def _will_grant(self, request: Request, verdict: Verdict, now: int) -> bool:
        stands = self._settled(request, True, verdict.reason, now)
        return verdict.grant and request.state != "maxPresence" and not stands

    def _tell(
        self, request: Request, grant: bool, locked: bool, reason: Reason, now: int
    ) -> list[Event]:
        if request.state == "maxPresence" or self._settled(request, grant, reason, now):
            return []
        if request.state == "requested":
            request = move(request, "weigh", now)
            self.requests[request.bus, request.signal] = request
        if grant:
            if request.state in ("reserviceLocked", "rejected"):
                request = move(request, "weigh", now)
            return self._move(request, "grant", now, reason)
        if locked:
            debt = round(float(self._debt[self.tables.index[request.crossing]]))
            reason = Reason("bus.locked", {"bus": request.bus, "debt": debt})
            return self._move(request, "lock", now, reason)
        verb: Verb = "yield" if reason.key in WAITING | RIVALRY else "weigh"
        if verb == "weigh" and request.state in ("processing", "granted"):
            return []
        return self._move(request, verb, now, reason)

    @staticmethod
    def _settled(request: Request, grant: bool, reason: Reason, now: int) -> bool:
        """Whether a word just given stands: answers do not change with every second's weighing."""
        age = now - request.changed
        if request.state == "granted":
            return not grant and reason.key not in RIVALRY and age < WORD_STANDS
        if not grant and request.state in ("watchOtherTraffic", "processing"):
            return reason.key not in RIVALRY and age < WORD_STANDS
        return request.state == "watchOtherTraffic" and grant and age < REFUSAL_STANDS

    def _move(self, request: Request, verb: Verb, now: int, reason: Reason) -> list[Event]:
        after = move(request, verb, now)
        key = (request.bus, request.signal)
        if after.state == "closed":
            del self.requests[key]
            self.fleet.passing.pop(key, None)
        else:
            self.requests[key] = after
        if after.state == request.state:
            return []
        return [Event(now, request.crossing, request.bus, after.state, reason)]

    def _ended(self, request: Request, now: int) -> list[Event] | None:
        """What closes a request (passed, turned, no longer heard); None while it goes on."""
        facts: dict[str, str | int] = {"bus": request.bus, "seconds": now - request.opened}
        if not self.fleet.hears(request.bus, now):
            return self._move(request, "lose", now, Reason("bus.lost", facts))
        if not self.fleet.comes_to(request.bus, request.signal, request.crossing, request.lane):
            return self._move(request, "cancel", now, Reason("bus.turned", facts))
        if request.opened < self.fleet.begun(request.bus):
            return self._move(request, "cancel", now, Reason("bus.anew", facts))
        if self.fleet.has_passed(request.bus, request.signal):
            return self._move(request, "pass", now, Reason("bus.passed", facts))
        return None
