"""Crossings from a SUMO network and its signal programmes.

What a network does not say is derived, and always toward the safe side:

- links whose lamps always show the same are one signal group;
- a run of equal states without amber, 5 s or longer, is a stage, unless all its greens go on into
  the next run, which then only adds to it (a clearance or an early start); all between two stages
  is a fixed interstage, kept as the city wrote it;
- pedestrians' minimum is the time to cross at 1.2 m/s, or the planned green if that is shorter; a
  stage in which they walk lasts at least as long;
- a stage's minimum is the sum of the declared `minDur`; where none is declared, the planned green
  less 10 s, not under 6 s unless the plan is. Its maximum is the declared `maxDur` or 15 s above
  the plan, whichever is longer: a maximum protects waiting times, not lives;
- two groups conflict when the network calls them foes and the programme never lets them go
  together; where it does let them, one gives way or the city accepted the merge;
- the intergreen of a conflicting pair is the shortest the programme itself uses when one follows
  the other directly, else the amber and 2 s.
"""

import math
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct, structs

from .check import check_crossing
from .errors import NetworkError, PlanError
from .model import GREEN, Crossing, Intergreen, Interstage, Lane, SignalGroup, Stage, Step
from .sumo_net import NetLink, NetProgramme, Network, read_network

STAGE_SECONDS = 5
DIRECT_SECONDS = 14  # an end and a start further apart than this do not follow one another
TOLERATED = frozenset(("GG", "Gg", "gG", "gg", "yg", "gy"))  # a filtered turn may start in amber
WALK = 1.2  # m/s, the pace that pedestrians' greens are reckoned with (FGSV: RiLSA)
GROUP_MINIMUM = 10  # above it the stage's own minimum protects the group


class Run(Struct, frozen=True):
    """Merged phases of one state."""

    seconds: int
    state: str
    least: int
    most: int
    stage: bool = False


def read_sumo(
    net_file: Path, programme_files: Iterable[Path] = (), loop_distance: float = 100.0
) -> list[Crossing]:
    """Every signalised crossing of a network, checked; NetworkError or PlanError if one is not."""
    network = read_network(net_file, programme_files)
    return crossings_of(network, loop_distance)


def crossings_of(network: Network, loop_distance: float = 100.0) -> list[Crossing]:
    """Every signalised crossing of a network already read, checked."""
    governed = sorted({link.tl for link in network.links if link.tl is not None})
    out = list[Crossing]()
    for tl in governed:
        if tl not in network.programmes:
            raise NetworkError(f"signals {tl}: no programme in the network; add its tlLogic")
        crossing = _crossing(network, network.programmes[tl], loop_distance)
        check_crossing(crossing)
        out.append(crossing)
    return out


def _crossing(network: Network, programme: NetProgramme, loop_distance: float) -> Crossing:
    tl = programme.tl
    links = {link.index: link for link in network.links if link.tl == tl}
    width = len(programme.phases[0].state)
    if any(len(p.state) != width for p in programme.phases) or max(links) >= width:
        raise NetworkError(f"programme of {tl}: its states do not cover the {len(links)} links")
    runs, begin = _runs(programme)
    columns: dict[str, list[int]] = {}
    for index in range(width):
        columns.setdefault("".join(run.state[index] for run in runs), []).append(index)
    members = [tuple(indices) for indices in columns.values()]
    runs = [structs.replace(r, state="".join(r.state[m[0]] for m in members)) for r in runs]
    names = [f"k{m[0]}" for m in members]
    walks = [_walk(network, member, links, runs, i) for i, member in enumerate(members)]
    runs = [
        structs.replace(r, least=max(r.least, min(r.seconds, _walking(r, walks)))) if r.stage else r
        for r in runs
    ]
    conflicts, intergreens = _conflicts(network, tl, members, names, runs)
    return Crossing(
        id=tl,
        groups=tuple(
            _group(names[i], members[i], walks[i], [(r.state[i], r.least) for r in runs])
            for i in range(len(members))
        ),
        stages=tuple(
            Stage(f"s{k}", r.state, r.seconds, r.least, r.most)
            for k, r in enumerate(run for run in runs if run.stage)
        ),
        interstages=_interstages(tl, runs),
        conflicts=conflicts,
        intergreens=intergreens,
        lanes=_lanes(network, links, members, names, loop_distance),
        offset=programme.offset + begin,
    )


def _runs(programme: NetProgramme) -> tuple[list[Run], int]:
    """Merged phases from the first stage on, and the second of the programme when it begins."""
    merged, at = list[tuple[int, Run]](), 0
    for phase in programme.phases:
        state = phase.state.replace("u", "r")
        if not set(state) <= set("GgyrsR"):
            raise NetworkError(f"programme of {programme.tl}: {state} has lamps out or flashing")
        state = state.replace("s", "g").replace("R", "r")
        least = phase.seconds if phase.least is None else phase.least
        most = phase.seconds if phase.most is None else phase.most
        declared = phase.least is not None
        if merged and merged[-1][1].state == state:
            start, last = merged[-1]
            merged[-1] = (start, _join(last, Run(phase.seconds, state, least, most)))
        else:
            merged.append((at, Run(phase.seconds, state, least, most)))
        if not declared:
            start, last = merged[-1]
            open_least = min(last.seconds, max(6, last.seconds - 10))
            merged[-1] = (start, Run(last.seconds, state, open_least, last.seconds))
        at += phase.seconds
    if len(merged) > 1 and merged[0][1].state == merged[-1][1].state:
        start, last = merged.pop()
        merged[0] = (start, _join(last, merged[0][1]))
    n = len(merged)
    merged = [
        (at, structs.replace(run, stage=_is_stage(run, merged[(i + 1) % n][1])))
        for i, (at, run) in enumerate(merged)
    ]
    first = next((i for i, (_, run) in enumerate(merged) if run.stage), None)
    if first is None:
        raise PlanError(f"programme of {programme.tl}: no stage of {STAGE_SECONDS} s of green")
    order = merged[first:] + merged[:first]
    runs = [
        Run(r.seconds, r.state, min(r.least, r.seconds), max(r.most, r.seconds + 15), True)
        if r.stage
        else r
        for _, r in order
    ]
    return runs, order[0][0]


def _join(one: Run, other: Run) -> Run:
    return Run(
        one.seconds + other.seconds, one.state, one.least + other.least, one.most + other.most
    )


def _is_stage(run: Run, following: Run) -> bool:
    if run.seconds < STAGE_SECONDS or "y" in run.state or not set(run.state) & GREEN:
        return False
    return any(
        a in GREEN and b not in GREEN for a, b in zip(run.state, following.state, strict=True)
    )


def _interstages(tl: str, runs: list[Run]) -> tuple[Interstage, ...]:
    ways, k, steps = list[Interstage](), 0, list[Step]()
    count = sum(r.stage for r in runs)
    for run in [*runs[1:], runs[0]]:
        if run.stage:
            ways.append(Interstage(f"s{k}", f"s{(k + 1) % count}", tuple(steps)))
            k, steps = (k + 1) % count, []
        else:
            steps.append(Step(run.seconds, run.state))
    if any(not way.steps for way in ways):
        raise PlanError(f"programme of {tl}: two stages follow one another without intergreens")
    return tuple(ways)


def _walk(
    network: Network, member: tuple[int, ...], links: dict[int, NetLink], runs: list[Run], i: int
) -> int | None:
    """Seconds that pedestrians of a group need, none more than planned; None: not on foot."""
    if not all(k in links and links[k].crossing for k in member):
        return None
    across = max(network.lanes[links[k].target].length for k in member)
    planned = min(_lengths([(r.state[i], r.seconds) for r in runs], GREEN), default=GROUP_MINIMUM)
    return max(1, min(planned, math.ceil(across / WALK)))


def _walking(run: Run, walks: list[int | None]) -> int:
    """Seconds that a stage needs for those who walk in it."""
    return max(
        (walk for walk, aspect in zip(walks, run.state, strict=True) if walk and aspect in GREEN),
        default=0,
    )


def _group(
    name: str, member: tuple[int, ...], walk: int | None, shown: list[tuple[str, int]]
) -> SignalGroup:
    shortest = min(_lengths(shown, GREEN), default=GROUP_MINIMUM)
    return SignalGroup(
        id=name,
        kind="vehicle" if walk is None else "pedestrian",
        min_green=max(1, min(GROUP_MINIMUM, shortest) if walk is None else min(walk, shortest)),
        amber=min(_lengths(shown, frozenset("y")), default=0),
        links=member,
    )


def _lengths(shown: list[tuple[str, int]], wanted: frozenset[str]) -> list[int]:
    """Lengths of the runs of `wanted` aspects in a cyclic sequence; none if it never ends."""
    edge = next((i for i, (aspect, _) in enumerate(shown) if aspect not in wanted), None)
    if edge is None:
        return []
    out, length = list[int](), 0
    for aspect, seconds in shown[edge:] + shown[: edge + 1]:
        if aspect in wanted:
            length += seconds
        elif length:
            out.append(length)
            length = 0
    return out


def _conflicts(
    network: Network, tl: str, members: list[tuple[int, ...]], names: list[str], runs: list[Run]
) -> tuple[tuple[tuple[str, str], ...], tuple[Intergreen, ...]]:
    foes = network.foes.get(tl, frozenset[tuple[int, int]]())
    pairs = list[tuple[str, str]]()
    greens = list[Intergreen]()
    for a in range(len(members)):
        for b in range(len(members)):
            together = any(r.state[a] + r.state[b] in TOLERATED for r in runs)
            if (
                a == b
                or together
                or not any((x, y) in foes for x in members[a] for y in members[b])
            ):
                continue
            if a < b:
                pairs.append((names[a], names[b]))
            amber = min(_lengths([(r.state[a], r.least) for r in runs], frozenset("y")), default=0)
            gaps = [g for g in _gaps(runs, a, b) if g <= DIRECT_SECONDS]
            greens.append(Intergreen(names[a], names[b], min(gaps) if gaps else amber + 2))
    return tuple(pairs), tuple(greens)


def _gaps(runs: list[Run], a: int, b: int) -> list[int]:
    """Seconds from each end of green of column `a` to the next start of column `b`."""
    out, n = list[int](), len(runs)
    for i in range(n):
        if not (runs[i].state[a] in GREEN and runs[(i + 1) % n].state[a] not in GREEN):
            continue
        gap = 0
        for k in range(1, n + 1):
            run = runs[(i + k) % n]
            if run.state[b] in GREEN:
                out.append(gap)
                break
            gap += run.least if run.stage else run.seconds
    return out


def _lanes(
    network: Network,
    links: dict[int, NetLink],
    members: list[tuple[int, ...]],
    names: list[str],
    loop_distance: float,
) -> tuple[Lane, ...]:
    group_of = {index: names[k] for k, member in enumerate(members) for index in member}
    used: dict[str, list[str]] = {}
    onward: dict[str, list[str]] = {}
    for index, link in sorted(links.items()):
        if not link.crossing:
            groups = used.setdefault(link.origin, [])
            if group_of[index] not in groups:
                groups.append(group_of[index])
            onward.setdefault(link.origin, []).append(link.target)
    out = list[Lane]()
    for lane_id, groups in used.items():
        lane = network.lanes[lane_id]
        distance, entry, _ = _entry(network, lane_id, loop_distance)
        out.append(
            Lane(lane_id, tuple(groups), lane.length, lane.speed,
                 stop_loop=f"stop/{lane_id}", entry_loop=f"entry/{entry}",
                 entry_distance=distance,
                 leads_to=tuple(lane for lane in onward[lane_id] if lane in used))
        )  # fmt: skip
    return tuple(out)


def loop_places(
    network: Network, crossings: Iterable[Crossing], loop_distance: float = 100.0
) -> dict[str, tuple[str, float]]:
    """Lane and metres along it of every loop that `crossings_of` counts on."""
    out: dict[str, tuple[str, float]] = {}
    for crossing in crossings:
        for lane in crossing.lanes:
            _, entry, position = _entry(network, lane.id, loop_distance)
            if lane.entry_loop is not None:
                out[lane.entry_loop] = (entry, position)
            if lane.stop_loop is not None:
                out[lane.stop_loop] = (lane.id, max(0.1, lane.length - 3.0))
    return out


def _entry(network: Network, lane_id: str, wanted: float) -> tuple[float, str, float]:
    """Distance to the stop line, lane and place of the entry loop, up to where ways branch."""
    distance, at = network.lanes[lane_id].length, lane_id
    while distance < wanted * 0.6:
        above = [k for k in network.links if k.target == at and not k.origin.startswith(":")]
        if len(above) != 1 or above[0].tl is not None:
            break
        below = [k for k in network.links if k.origin == above[0].origin]
        if len(below) != 1:
            break
        at = above[0].origin
        via = above[0].via
        inner = network.lanes[via].length if via in network.lanes else 0.0
        distance += inner + network.lanes[at].length
    chosen = min(wanted, max(1.0, distance - 3.0))
    return chosen, at, distance - chosen
