"""The checker: nothing reaches a lamp that it has not passed.

Two looks, on purpose independent of the one who decides: `check_crossing` refuses data that
could not be run safely; a `Watch` follows what the lamps show, second by second, and refuses an
aspect that breaks a minimum green, an amber, an intergreen or a conflict. `check_command` runs a
command through a copy of the watch to the end of the change it starts.

Bounds follow the usual rules of signal engineering: a green once begun lasts its minimum, amber
follows green for its full length, and a group starts only when the intergreen of every
conflicting group has passed since that group's green ended.
"""

from msgspec import Struct

from .errors import PlanError, SafetyViolation
from .model import ASPECTS, GREEN, Crossing
from .runner import Command, Go, Running, apply, aspects, settle

LONG_AGO = -1_000_000
LONGEST = 3_600
"""Seconds that any time of a plan may last."""


class Watch(Struct, frozen=True):
    """What each group shows and since when; `green_ended` is the last end of its green."""

    now: int
    shown: str
    since: tuple[int, ...]
    green_ended: tuple[int, ...]


def start_watch(crossing: Crossing, shown: str, now: int) -> Watch:
    """A watch that takes what is shown at `now` as having been so for long."""
    _check_static(crossing, shown)
    n = len(crossing.groups)
    return Watch(now, shown, (LONG_AGO,) * n, (LONG_AGO,) * n)


def resume_watch(crossing: Crossing, running: Running, now: int) -> Watch:
    """A watch of a crossing met at `now` in the middle of its plan (a settled `running`).

    Greens are taken to have begun with the stage, so that no minimum is counted twice.
    """
    origin = crossing.stages[running.stage].aspects
    if running.target is None:
        watch = start_watch(crossing, origin, now)
        since = tuple(running.since if aspect in GREEN else LONG_AGO for aspect in origin)
        return Watch(now, origin, since, watch.green_ended)
    watch = start_watch(crossing, origin, running.since - 1)
    for at in range(running.since, now + 1):
        watch = step_watch(crossing, watch, aspects(crossing, running, at), at)
    return watch


def step_watch(crossing: Crossing, watch: Watch, shown: str, now: int) -> Watch:
    """The watch after `shown` appears at `now`; SafetyViolation where a bound is broken."""
    if now < watch.now:
        raise SafetyViolation(f"crossing {crossing.id}: time ran backwards to {now}; refused")
    if shown == watch.shown:
        return Watch(now, shown, watch.since, watch.green_ended)
    _check_static(crossing, shown)
    since, ended = list(watch.since), list(watch.green_ended)
    for i, (old, new) in enumerate(zip(watch.shown, shown, strict=True)):
        if old == new:
            continue
        group = crossing.groups[i]
        was, will = old in GREEN, new in GREEN
        if was and will:
            continue  # giving way or not: still the same green
        if was:
            if now - since[i] < group.min_green:
                raise SafetyViolation(
                    f"crossing {crossing.id}: group {group.id} would be green {now - since[i]} s, "
                    f"its minimum is {group.min_green} s; hold it longer"
                )
            if new == "r" and group.amber > 0:
                raise SafetyViolation(
                    f"crossing {crossing.id}: group {group.id} would go from green to red without "
                    f"its {group.amber} s of amber"
                )
            ended[i] = now
        elif old == "y" and now - since[i] < group.amber:
            raise SafetyViolation(
                f"crossing {crossing.id}: amber of group {group.id} would last {now - since[i]} s "
                f"of {group.amber} s"
            )
        elif old == "r" and new == "y":
            raise SafetyViolation(f"crossing {crossing.id}: group {group.id} amber after red")
        since[i] = now
    for i, (old, new) in enumerate(zip(watch.shown, shown, strict=True)):
        if new not in GREEN or old in GREEN:
            continue
        for (ending, starting), seconds in crossing.clearance.items():
            if starting == i and now - ended[ending] < seconds:
                raise SafetyViolation(
                    f"crossing {crossing.id}: group {crossing.groups[i].id} would start "
                    f"{now - ended[ending]} s after the green of {crossing.groups[ending].id}, "
                    f"the intergreen is {seconds} s"
                )
    return Watch(now, shown, tuple(since), tuple(ended))


def check_command(
    crossing: Crossing, watch: Watch, running: Running, command: Command, now: int
) -> None:
    """SafetyViolation unless `command` at `now` keeps every bound to the end of its change."""
    running = settle(crossing, running, now)
    if running.target is not None:
        if isinstance(command, Go):
            raise SafetyViolation(f"crossing {crossing.id}: an interstage cannot be interrupted")
        return
    stage = crossing.stages[running.stage]
    elapsed = now - running.since
    if not isinstance(command, Go):
        if elapsed >= stage.max_green:
            raise SafetyViolation(
                f"crossing {crossing.id}: stage {stage.id} has reached its maximum of "
                f"{stage.max_green} s; go on to the next"
            )
        return
    if elapsed < stage.min_green:
        raise SafetyViolation(
            f"crossing {crossing.id}: stage {stage.id} has run {elapsed} s of its minimum "
            f"{stage.min_green} s; hold it"
        )
    n = len(crossing.stages)
    following = (running.stage + 1) % n
    way = crossing.ways.get((running.stage, command.target))
    if way is None:
        raise SafetyViolation(
            f"crossing {crossing.id}: no interstage from {stage.id} to stage {command.target}"
        )
    passed = following
    while passed != command.target:
        if not crossing.stages[passed].skippable:
            raise SafetyViolation(
                f"crossing {crossing.id}: stage {crossing.stages[passed].id} may not be skipped"
            )
        passed = (passed + 1) % n
    state = apply(crossing, running, command, now)
    for at in range(now, now + way.seconds + 1):
        state = settle(crossing, state, at)
        watch = step_watch(crossing, watch, aspects(crossing, state, at), at)


def check_crossing(crossing: Crossing) -> None:
    """PlanError unless the crossing is complete and its plan, run at its minima, is safe."""
    where = f"crossing {crossing.id}"
    _check_names(crossing)
    _check_bounds(crossing)
    if len(crossing.stages) < 2:
        raise PlanError(f"{where}: a plan needs two stages at least")
    if not crossing.conflicts:
        raise PlanError(f"{where}: no conflict matrix; give `conflicts`, it is never guessed")
    for a, b in crossing.conflict_pairs:
        if crossing.clearance.get((a, b), 0) <= 0:
            raise PlanError(
                f"{where}: no intergreen from {crossing.groups[a].id} to {crossing.groups[b].id}; "
                "a plan without intergreens is refused"
            )
        if crossing.clearance[a, b] < crossing.groups[a].amber:
            raise PlanError(
                f"{where}: the intergreen from {crossing.groups[a].id} to {crossing.groups[b].id} "
                f"is {crossing.clearance[a, b]} s, shorter than its amber"
            )
    for i, group in enumerate(crossing.groups):
        shown = {stage.aspects[i : i + 1] for stage in crossing.stages}
        if group.kind != "pedestrian" and group.amber < 1 and "r" in shown and shown & GREEN:
            raise PlanError(f"{where}: group {group.id} goes from green to red without amber")
    n = len(crossing.stages)
    for i, stage in enumerate(crossing.stages):
        if not 0 < stage.min_green <= stage.green <= stage.max_green:
            raise PlanError(
                f"{where}: stage {stage.id} needs 0 < min_green <= green <= max_green, has "
                f"{stage.min_green}, {stage.green}, {stage.max_green}"
            )
        if (i, (i + 1) % n) not in crossing.ways:
            raise PlanError(f"{where}: no interstage after stage {stage.id}")
    try:
        for shown in [s.aspects for s in crossing.stages] + [
            step.aspects for way in crossing.interstages for step in way.steps
        ]:
            _check_static(crossing, shown)
        _run_at_minima(crossing)
    except SafetyViolation as broken:
        raise PlanError(f"{where}: the plan itself is unsafe: {broken}") from broken


def _run_at_minima(crossing: Crossing) -> None:
    """Two turns of the plan at its minima, and every way off it taken from the plan and back."""
    n = len(crossing.stages)
    turn = [(i + 1) % n for i in range(2 * n)]
    _run(crossing, 0, turn)
    for origin, target in crossing.ways:
        before, after = (origin - 1) % n, (target + 1) % n
        _run(crossing, before, [origin, target, after, (after + 1) % n])


def _run(crossing: Crossing, first: int, route: list[int]) -> None:
    """Stage `first`, then those of `route`, each left at its minimum."""
    now, state = 0, Running(first, 0)
    watch = start_watch(crossing, crossing.stages[first].aspects, 0)
    for target in route:
        now = max(now, state.since) + crossing.stages[state.stage].min_green
        seconds = crossing.ways[state.stage, target].seconds
        state = apply(crossing, state, Go(target), now)
        for at in range(now, now + seconds + 1):
            state = settle(crossing, state, at)
            watch = step_watch(crossing, watch, aspects(crossing, state, at), at)
        now += seconds


def _check_names(crossing: Crossing) -> None:
    where = f"crossing {crossing.id}"
    groups = {group.id for group in crossing.groups}
    stages = {stage.id for stage in crossing.stages}
    if len(groups) != len(crossing.groups) or len(stages) != len(crossing.stages):
        raise PlanError(f"{where}: two groups or two stages share a name")
    lamps = [link for group in crossing.groups for link in group.links]
    for what, keys in (
        ("interstages join the same stages", [(w.origin, w.target) for w in crossing.interstages]),
        (
            "intergreens are of the same groups",
            [(i.ending, i.starting) for i in crossing.intergreens],
        ),
        ("lanes share an id", [lane.id for lane in crossing.lanes]),
        ("groups drive the same lamp", lamps),
    ):
        if len(set(keys)) < len(keys):
            raise PlanError(f"{where}: two {what}; keep one")
    named = [name for pair in crossing.conflicts for name in pair]
    named += [name for i in crossing.intergreens for name in (i.ending, i.starting)]
    named += [name for lane in crossing.lanes for name in lane.groups]
    if unknown := sorted(set(named) - groups):
        raise PlanError(f"{where}: unknown signal groups {', '.join(unknown)}")
    lanes = {lane.id for lane in crossing.lanes}
    if unknown := sorted({name for lane in crossing.lanes for name in lane.leads_to} - lanes):
        raise PlanError(f"{where}: lanes lead to unknown lanes {', '.join(unknown)}")
    named = [name for way in crossing.interstages for name in (way.origin, way.target)]
    if unknown := sorted(set(named) - stages):
        raise PlanError(f"{where}: unknown stages {', '.join(unknown)}")


def _check_bounds(crossing: Crossing) -> None:
    """PlanError where a figure is out of any crossing's range."""
    figures: list[tuple[str, float, float, float]] = [("offset", crossing.offset, -86_400, 86_400)]
    for group in crossing.groups:
        figures.append((f"min_green of group {group.id}", group.min_green, 1, LONGEST))
        figures.append((f"amber of group {group.id}", group.amber, 0, 60))
        figures += [(f"a link of group {group.id}", link, 0, 10_000) for link in group.links]
    for stage in crossing.stages:
        for name in ("green", "min_green", "max_green"):
            figures.append((f"{name} of stage {stage.id}", getattr(stage, name), 1, LONGEST))
    for way in crossing.interstages:
        name = f"a step from {way.origin} to {way.target}"
        figures += [(name, step.seconds, 1, 600) for step in way.steps]
        figures.append((f"the way from {way.origin} to {way.target}", way.seconds, 0, LONGEST))
    for gap in crossing.intergreens:
        name = f"the intergreen from {gap.ending} to {gap.starting}"
        figures.append((name, gap.seconds, 0, 600))
    for lane in crossing.lanes:
        figures.append((f"length of lane {lane.id}", lane.length, 0.1, 100_000))
        figures.append((f"speed of lane {lane.id}", lane.speed, 0.1, 100))
        figures.append((f"saturation of lane {lane.id}", lane.saturation, 0.01, 3))
        figures.append((f"entry_distance of lane {lane.id}", lane.entry_distance, 0, 100_000))
    for name, figure, least, most in figures:
        if not least <= figure <= most:
            raise PlanError(f"crossing {crossing.id}: {name} is {figure}; give {least} to {most}")


def _check_static(crossing: Crossing, shown: str) -> None:
    if len(shown) != len(crossing.groups) or not set(shown) <= ASPECTS:
        raise SafetyViolation(
            f"crossing {crossing.id}: aspects {shown!r} are not one of G, g, y, r for each of "
            f"{len(crossing.groups)} groups"
        )
    green = [i for i, aspect in enumerate(shown) if aspect in GREEN]
    for k, a in enumerate(green):
        for b in green[k + 1 :]:
            if (a, b) in crossing.conflict_pairs:
                raise SafetyViolation(
                    f"crossing {crossing.id}: conflicting groups {crossing.groups[a].id} and "
                    f"{crossing.groups[b].id} would be green together"
                )
