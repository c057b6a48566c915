"""Where a crossing is in its plan, second by second: pure steps, no clock of its own."""

from typing import Literal, TypeAlias

from msgspec import Struct

from .errors import ObservationError, PlanError
from .model import Crossing


class Running(Struct, frozen=True):
    """In stage `stage` since `since`, or under way from `stage` to `target` since `since`."""

    stage: int
    since: int
    target: int | None = None


class Hold(Struct, frozen=True):
    """Keep the stage for this second."""

    kind: Literal["hold"] = "hold"


class Go(Struct, frozen=True):
    """Leave the stage now, toward `target` (position of the stage in the plan)."""

    target: int
    kind: Literal["go"] = "go"


Command: TypeAlias = Hold | Go

HOLD = Hold()


def planned(crossing: Crossing, now: int) -> Running:
    """Where the plan, left alone, has the crossing at `now`."""
    phase = (now - crossing.offset) % crossing.cycle
    n = len(crossing.stages)
    for i, stage in enumerate(crossing.stages):
        begin = now - phase + crossing.starts[i]
        if now < begin + stage.green:
            return Running(i, begin)
        if now < begin + stage.green + crossing.ways[i, (i + 1) % n].seconds:
            return Running(i, begin + stage.green, (i + 1) % n)
    raise PlanError(f"crossing {crossing.id}: the plan's cycle does not close")


def settle(crossing: Crossing, running: Running, now: int) -> Running:
    """The same crossing at `now`, its interstage finished if it is time."""
    if now < running.since:
        raise ObservationError(
            f"crossing {crossing.id}: time ran backwards from {running.since} to {now}; "
            "restart the crossing from its plan"
        )
    if running.target is not None:
        way = crossing.ways[running.stage, running.target]
        if now >= running.since + way.seconds:
            return Running(running.target, running.since + way.seconds)
    return running


def apply(crossing: Crossing, running: Running, command: Command, now: int) -> Running:
    """The crossing after `command` at `now`; a crossing under way hears no command."""
    running = settle(crossing, running, now)
    if running.target is not None or isinstance(command, Hold):
        return running
    if (running.stage, command.target) not in crossing.ways:
        raise PlanError(
            f"crossing {crossing.id}: no interstage from {crossing.stages[running.stage].id} to "
            f"stage {command.target}; declare one before asking for it"
        )
    return settle(crossing, Running(running.stage, now, command.target), now)


def aspects(crossing: Crossing, running: Running, now: int) -> str:
    """What the groups show at `now` (a settled `running`)."""
    if running.target is None:
        return crossing.stages[running.stage].aspects
    elapsed = now - running.since
    for step in crossing.ways[running.stage, running.target].steps:
        if elapsed < step.seconds:
            return step.aspects
        elapsed -= step.seconds
    return crossing.stages[running.target].aspects


def plan_command(crossing: Crossing, running: Running, now: int) -> Command:
    """What the plan's own splits would do: hold the stage for its planned green, then go on."""
    if running.target is None and now - running.since >= crossing.stages[running.stage].green:
        return Go((running.stage + 1) % len(crossing.stages))
    return HOLD
