"""The decision itself: pure functions from what is known to what each crossing should do.

Every second, each crossing that may change weighs courses (`rollout`): hold the stage some
seconds more or leave it now. The course of least cost to people is chosen, buses counted by
their people and lateness. The same courses without the buses give the traffic's own best; what
separates the two is what priority does and what it costs, and that is what the reason says.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from .errors import PlanError
from .reasons import Reason
from .reasons import rival as rival_of
from .rollout import Buses, Outcome, Rows, roll
from .runner import Command, Go, Hold, Running
from .tables import Floats, Tables

HOLDS = (0, 1, 2, 3, 5, 7, 10, 13, 17, 22, 28, 36, 46, 60, 80)
SAMPLES = (0.25, 0.5, 0.25)
"""Weights of a bus's early, likely and late arrival."""
VAGUE = 40
"""Seconds between early and late above which an arrival is called uncertain."""


POSITIVE = frozenset(("car_people", "late_full", "horizon", "debt_memory"))
"""Settings that something is divided by, or that nothing works without."""
TINIEST, MOST = 0.01, 1e6


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator may tune; no safety bound is among them."""

    bus_people: float = 30.0
    """People in a bus of unknown load."""
    car_people: float = 1.3
    bus_factor: float = 3.0
    """Weight of a bus passenger's second against a car passenger's."""
    late_full: float = 180.0
    """Seconds of lateness at which a bus counts double."""
    horizon: float = 110.0
    policies: tuple[float, ...] = (0.0, 0.3, 0.65, 1.0)
    spill: float = 1.0
    """Extra weight of a lane whose queue fills its street."""
    red_gain: float = 0.4
    """Growth of a lane's weight when its red is once more as long as planned."""
    share_gain: float = 0.8
    """Growth of its weight when it has half its planned green and vehicles are left over."""
    reach: float = 80.0
    """Seconds before the stop line at which a request is opened."""
    debt_limit: float = 8_000.0
    """Person-seconds that priority may take from others at a crossing before it locks."""
    debt_memory: float = 120.0
    """Seconds in which two thirds of that debt are repaid."""
    coordination: float = 4.0
    """Person-seconds a second that leaving a coordinated stage off its moment costs."""


def check_settings(settings: Settings) -> None:
    """PlanError when a setting cannot be."""
    for name in settings.__struct_fields__:
        value: float | tuple[float, ...] = getattr(settings, name)
        parts = value if isinstance(value, tuple) else (value,)
        least = TINIEST if name in POSITIVE else 0.0
        if not parts or not all(least <= part <= MOST for part in parts):
            raise PlanError(f"setting {name} is {value}; give a number from {least} to {MOST:.0f}")


class Ask(Struct, frozen=True):
    """A request as the decision sees it."""

    bus: str
    signal: int
    crossing: int
    lane: int
    ahead: float
    """Vehicles standing before it."""
    eta: tuple[float, float, float]
    """Early, likely, late seconds to the stop line."""
    people: float
    """Its weight: people, raised by lateness; of an ordinary vehicle if not to be helped."""
    helped: bool
    dead: int = 0
    """Loops of the crossing that are dead now."""
    loops: int = 0
    """Loops of the crossing."""


class Verdict(Struct, frozen=True):
    """What the decision says of one request."""

    bus: str
    signal: int
    grant: bool
    reason: Reason
    passing: float
    """Seconds from now at which it is expected to pass."""


class Choice(Struct, frozen=True):
    """What one crossing should do now."""

    crossing: int
    command: Command
    reason: Reason
    verdicts: tuple[Verdict, ...] = ()
    cost: float = 0.0
    """Person-seconds that helping costs the others, against the traffic's own best."""


def weight_of(settings: Settings, people: float | None, lateness: float | None) -> float:
    """Weight of a bus: people, and up to three times as much when late; early buses less."""
    base = settings.bus_people if people is None else max(people, 1.0)
    if lateness is None:
        return base * settings.bus_factor
    late = max(-0.5, min(2.0, lateness / settings.late_full))
    return base * settings.bus_factor * (1.0 + late)


def decide(
    t: Tables,
    settings: Settings,
    flows: tuple[Floats, Floats],
    queue: Floats,
    rate: Floats,
    fairness: Floats,
    states: Sequence[Running],
    asks: Sequence[Ask],
    now: int,
) -> list[Choice]:
    """The choices of all crossings that may change stage at `now`; the others have none."""
    rows = candidates(t, settings, states, now)
    if len(rows.crossing) == 0:
        return []
    by_crossing: dict[int, list[Ask]] = {}
    for ask in asks:
        by_crossing.setdefault(ask.crossing, []).append(ask)
    buses = samples(t, by_crossing)
    fill = queue * 7.0 / t.length
    weight = (
        settings.car_people
        * t.real
        * fairness
        * (1.0 + settings.spill * np.clip((fill - 0.7) / 0.3, 0.0, 1.0))
    )
    outcome = roll(t, flows, queue, rate, weight, buses, rows, settings.horizon)
    drift = _off_plan(t, rows, states, now) * settings.coordination
    own = outcome.traffic + drift
    total = own + outcome.bus
    price = outcome.vehicles * settings.car_people
    choices = list[Choice]()
    begin = 0
    while begin < len(rows.crossing):
        c = int(rows.crossing[begin])
        end = int(np.searchsorted(rows.crossing, c, "right"))
        best = begin + int(np.argmin(total[begin:end]))
        alone = begin + int(np.argmin(own[begin:end]))
        choices.append(
            _choice(
                t, rows, outcome, price, best, alone, by_crossing.get(c, []), states[c],
                forced=bool(rows.hold[begin:end].max() < 1),
            )
        )  # fmt: skip
        begin = end
    return choices


def candidates(t: Tables, settings: Settings, states: Sequence[Running], now: int) -> Rows:
    """Courses for every crossing past its stage's minimum, ordered by crossing."""
    crossing, stage, hold, target, policy = [], [], [], [], []
    for c, state in enumerate(states):
        if state.target is not None:
            continue
        elapsed = now - state.since
        if elapsed < t.least[c, state.stage]:
            continue
        room = t.most[c, state.stage] - elapsed
        spans = [h for h in HOLDS if h <= room] or [0]
        for onward in _targets(t, c, state.stage):
            for share in settings.policies:
                crossing += [c] * len(spans)
                stage += [state.stage] * len(spans)
                hold += spans
                target += [onward] * len(spans)
                policy += [share] * len(spans)
    return Rows(
        np.array(crossing, dtype=np.int64),
        np.array(stage, dtype=np.int64),
        np.array(hold, dtype=np.float64),
        np.array(target, dtype=np.int64),
        np.array(policy, dtype=np.float64),
    )


def _targets(t: Tables, c: int, stage: int) -> list[int]:
    """The next stage, and those beyond it that the plan allows to reach by skipping."""
    crossing, n = t.crossings[c], int(t.count[c])
    out, at = [(stage + 1) % n], (stage + 1) % n
    while crossing.stages[at].skippable:
        at = (at + 1) % n
        if at == stage:
            break
        if (stage, at) in crossing.ways:
            out.append(at)
    return out


def samples(t: Tables, by_crossing: dict[int, list[Ask]]) -> Buses:
    """Every ask three times: early, likely, late."""
    width = 3 * max((len(asks) for asks in by_crossing.values()), default=0) or 1
    shape = (t.shape[0], width)
    lane = np.zeros(shape, dtype=np.int64)
    ahead, eta, weight = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for c, asks in by_crossing.items():
        for i, ask in enumerate(asks):
            cut = slice(3 * i, 3 * i + 3)
            lane[c, cut], ahead[c, cut], eta[c, cut] = ask.lane, ask.ahead, ask.eta
            weight[c, cut] = np.array(SAMPLES) * ask.people
    return Buses(lane, ahead, eta, weight)


def _off_plan(t: Tables, rows: Rows, states: Sequence[Running], now: int) -> Floats:
    """Seconds by which each row leaves its stage off the moment of a coordinated plan."""
    out = np.zeros(len(rows.crossing))
    for c in {int(c) for c in rows.crossing}:
        crossing = t.crossings[c]
        if not crossing.coordinated:
            continue
        mine = rows.crossing == c
        due = crossing.offset + crossing.starts[states[c].stage]
        due += crossing.stages[states[c].stage].green
        off = now + rows.hold[mine] - due + crossing.cycle / 2
        out[mine] = np.maximum(0.0, np.abs(off % crossing.cycle - crossing.cycle / 2) - 2.0)
    return out


def _choice(
    t: Tables,
    rows: Rows,
    outcome: Outcome,
    price: Floats,
    best: int,
    alone: int,
    asks: Sequence[Ask],
    state: Running,
    *,
    forced: bool,
) -> Choice:
    c = int(rows.crossing[best])
    leave = rows.hold[best] < 1
    command: Command = Go(int(rows.target[best])) if leave else Hold()
    cost = max(0.0, float(price[best] - price[alone]))
    verdicts = tuple(
        _verdict(t, rows, outcome, c, i, ask, best, alone, cost, state)
        for i, ask in enumerate(asks)
    )
    final = tuple(_without_conflicts(t, c, asks, verdicts))
    granted = [v for v in final if v.grant]
    name = t.crossings[c].stages[state.stage].id
    if granted:
        reason = granted[0].reason
    elif leave:
        reason = Reason("stage.limit" if forced else "stage.done", {"stage": name})
    else:
        reason = Reason("stage.hold", {"stage": name, "seconds": int(rows.hold[best])})
    return Choice(c, command, reason, final, cost if granted else 0.0)


def _verdict(
    t: Tables,
    rows: Rows,
    outcome: Outcome,
    c: int,
    i: int,
    ask: Ask,
    best: int,
    alone: int,
    cost: float,
    state: Running,
) -> Verdict:
    with_help = float(np.dot(SAMPLES, np.minimum(outcome.passing[best, 3 * i : 3 * i + 3], 150.0)))
    without = float(np.dot(SAMPLES, np.minimum(outcome.passing[alone, 3 * i : 3 * i + 3], 150.0)))
    gain = without - with_help
    facts: dict[str, str | int] = {
        "bus": ask.bus,
        "arrival": round(ask.eta[1]),
        "gain": round(gain),
        "cost": round(cost),
        "ahead": round(ask.ahead),
    }
    if not ask.helped:
        return Verdict(ask.bus, ask.signal, False, Reason("bus.unhelped", facts), with_help)
    if gain >= 2.0:
        hold, usual = float(rows.hold[best]), float(rows.hold[alone])
        facts["seconds"] = round(abs(hold - usual))
        facts["stage"] = t.crossings[c].stages[state.stage].id
        skipped = rows.target[best] != (rows.stage[best] + 1) % t.count[c]
        kind = (
            "bus.skip" if skipped
            else "bus.extend" if hold > usual
            else "bus.truncate" if hold < usual
            else "bus.insert"
        )  # fmt: skip
        return Verdict(ask.bus, ask.signal, True, Reason(kind, facts), with_help)
    if with_help - ask.eta[1] <= 4.0:
        return Verdict(ask.bus, ask.signal, False, Reason("bus.passes", facts), with_help)
    return Verdict(ask.bus, ask.signal, False, _waits(ask, facts), with_help)


def _waits(ask: Ask, facts: dict[str, str | int]) -> Reason:
    """Why a bus is not helped: what is not known is said first."""
    early, _, late = (round(eta) for eta in ask.eta)
    if ask.dead * 10 >= ask.loops > 0:
        return Reason("bus.blind", facts | {"dead": ask.dead, "loops": ask.loops})
    if late - early > VAGUE:
        return Reason("bus.vague", facts | {"early": early, "late": late})
    return Reason("bus.waits", facts)


def _without_conflicts(
    t: Tables, c: int, asks: Sequence[Ask], verdicts: Sequence[Verdict]
) -> list[Verdict]:
    """Of grants that no stage can serve together, only the weightiest stays."""
    order = sorted(range(len(asks)), key=lambda i: (-asks[i].people, asks[i].bus))
    kept, out = list[int](), list(verdicts)
    for i in order:
        if not verdicts[i].grant:
            continue
        rival = next((k for k in kept if not together(t, c, asks[i].lane, asks[k].lane)), None)
        if rival is None:
            kept.append(i)
            continue
        why = rival_of(asks[i].bus, asks[rival].bus)
        out[i] = Verdict(asks[i].bus, asks[i].signal, False, why, verdicts[i].passing)
    return out


def together(t: Tables, c: int, one: int, other: int) -> bool:
    """Whether some stage lets both lanes go."""
    return bool(t.together[c, one, other])
