"""How long a second's decisions take for a city: 113 crossings, 180 buses, one core.

    python bench/signal_priority.py --speed 300

The crossings have four stages and twelve lanes, four of them behind another stop line, the buses
five signals each; loops and positions are random but in the range of a busy hour. Process time is
measured, so that a machine that does other things does not count.
"""

import random
import time

from vigie.traffic.priority import (
    BusFacts,
    BusFix,
    Crossing,
    Engine,
    Intergreen,
    Interstage,
    Lane,
    Loop,
    SignalGroup,
    SignalOnWay,
    Stage,
    Step,
    StopOnWay,
    Way,
)

CROSSINGS, BUSES, LANES = 113, 180, 12


def crossing(name: str) -> Crossing:
    """Four stages of one group each, three lanes a group."""
    groups = tuple(SignalGroup(f"g{i}") for i in range(4))
    pairs = tuple((f"g{i}", f"g{j}") for i in range(4) for j in range(i + 1, 4))

    def shown(which: int, aspect: str) -> str:
        return "".join(aspect if i == which else "r" for i in range(4))

    return Crossing(
        name,
        groups,
        tuple(Stage(f"s{i}", shown(i, "G"), 20, 7, 45) for i in range(4)),
        tuple(
            Interstage(f"s{i}", f"s{(i + 1) % 4}", (Step(3, shown(i, "y")), Step(2, "rrrr")))
            for i in range(4)
        ),
        pairs,
        tuple(Intergreen(a, b, 5) for pair in pairs for a, b in (pair, pair[::-1])),
        tuple(
            Lane(f"{name}.{k}", (f"g{k % 4}",), 150.0, 13.9, 0.5, f"stop/{name}.{k}",
                 f"in/{name}.{k}", 100.0, (f"{name}.{k + 8}",) if k < 4 else ())
            for k in range(LANES)
        ),
        offset=sum(map(ord, name)) * 7,
    )  # fmt: skip


def measure(seconds: int, seed: int = 1) -> list[float]:
    """Milliseconds of process time of each turn."""
    chance = random.Random(seed)
    crossings = [crossing(f"x{i}") for i in range(CROSSINGS)]
    facts = {}
    for b in range(BUSES):
        signals = tuple(
            SignalOnWay(f"x{(b * 7 + k * 11) % CROSSINGS}",
                        f"x{(b * 7 + k * 11) % CROSSINGS}.{b % LANES}", 300.0 + 350.0 * k)
            for k in range(5)
        )  # fmt: skip
        stops = tuple(StopOnWay(f"stop{b}.{k}", 150.0 + 350.0 * k) for k in range(5))
        points = tuple((60.0 * k, float(b)) for k in range(34))
        facts[f"b{b}"] = BusFacts(Way(f"w{b}", points, (13.9,) * 33, stops, signals), str(b % 30))
    engine = Engine(crossings, 0)
    at = {bus: chance.uniform(0, 1900) for bus in facts}
    load = {lane.id: chance.uniform(0.02, 0.2) for x in crossings for lane in x.lanes}
    spent = []
    for now in range(1, seconds + 1):
        loops = {}
        for x in crossings:
            for lane in x.lanes:
                for name in (lane.stop_loop, lane.entry_loop):
                    if name is not None:
                        hit = chance.random() < load[lane.id]
                        loops[name] = Loop(int(hit), 0.4 * hit)
        fixes = []
        for b, bus in enumerate(facts):
            speed = chance.choice((0.0, 8.0, 9.0))
            at[bus] = at[bus] + speed if at[bus] < 1950 else 1950.0
            fixes.append(BusFix(bus, now, at[bus] + chance.gauss(0, 5), b, speed))
        begin = time.process_time()
        engine.turn(now, loops, fixes, facts)
        spent.append(1e3 * (time.process_time() - begin))
    return spent


def report(seconds: int) -> str:
    """A line of percentiles."""
    spent = sorted(measure(seconds))

    def at(q: float) -> float:
        return spent[int(q * (len(spent) - 1))]

    return (
        f"{CROSSINGS} crossings, {BUSES} buses, {seconds} s: median {at(0.5):.0f} ms, "
        f"p95 {at(0.95):.0f} ms, p99 {at(0.99):.0f} ms, longest {spent[-1]:.0f} ms a second"
    )
