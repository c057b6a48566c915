"""Where every crossing is in its plan, and what its lamps show: the last word before the street.

A command passes `check_command` or is replaced by the plan's own next move, and every second is
seen by a `Watch`, so that nothing unsafe is shown whatever was decided.
"""

from collections.abc import Mapping, Sequence

from .check import Watch, check_command, resume_watch, step_watch
from .errors import ObservationError, SafetyViolation
from .model import Crossing
from .runner import HOLD, Command, Go, Running, apply, aspects, plan_command, planned, settle

LONGEST_GAP = 5
"""Seconds that may be missing between two turns; the controllers hold or finish what they began."""


class Lamps:
    """The crossings' present stages and what has been shown."""

    def __init__(
        self, crossings: Sequence[Crossing], now: int, running: Mapping[str, Running]
    ) -> None:
        """`running` says where crossings are at `now`; those not in it are where their plan is.

        ObservationError when it speaks of what is not there.
        """
        self.crossings = tuple(crossings)
        self.now = now
        if stray := sorted(running.keys() - {crossing.id for crossing in crossings}):
            raise ObservationError(f"crossing {stray[0]} is said to run and is not among those")
        self.states = [
            _believed(crossing, running[crossing.id], now)
            if crossing.id in running
            else planned(crossing, now)
            for crossing in crossings
        ]
        self.watches: list[Watch] = [
            resume_watch(crossing, state, now)
            for crossing, state in zip(self.crossings, self.states, strict=True)
        ]

    def advance(self, now: int) -> None:
        """Go on to `now`, through the seconds in which nothing was asked of the crossings.

        ObservationError, with nothing changed, when time runs backwards or too much is missing.
        """
        if now <= self.now:
            raise ObservationError(
                f"turn at {now} after one at {self.now}: time does not run backwards; "
                "start a new engine from what the crossings show"
            )
        if now - self.now > LONGEST_GAP:
            raise ObservationError(
                f"turn at {now} after one at {self.now}: the crossings have been left to "
                "themselves; start a new engine from what they show"
            )
        for at in range(self.now + 1, now + 1):
            self.now = at
            self.states = [
                settle(crossing, state, at)
                for crossing, state in zip(self.crossings, self.states, strict=True)
            ]
            if at < now:
                self.show()

    def obey(self, c: int, command: Command) -> tuple[Command, str | None]:
        """Apply `command` to crossing `c`, or the plan's move and what was wrong, in words."""
        crossing, state, wrong = self.crossings[c], self.states[c], None
        try:
            check_command(crossing, self.watches[c], state, command, self.now)
        except SafetyViolation as violation:
            wrong = str(violation)
            command = self._fallback(c)
        self.states[c] = apply(crossing, state, command, self.now)
        return command, wrong

    def _fallback(self, c: int) -> Command:
        crossing, state, watch = self.crossings[c], self.states[c], self.watches[c]
        following = Go((state.stage + 1) % len(crossing.stages))
        for command in (plan_command(crossing, state, self.now), HOLD, following):
            try:
                check_command(crossing, watch, state, command, self.now)
            except SafetyViolation:
                continue
            return command
        return HOLD  # nothing is allowed: the lamps stay as they are

    def show(self) -> dict[str, str]:
        """Aspects of every crossing this second; SafetyViolation if one broke a bound."""
        shown = dict[str, str]()
        for c, crossing in enumerate(self.crossings):
            look = aspects(crossing, self.states[c], self.now)
            self.watches[c] = step_watch(crossing, self.watches[c], look, self.now)
            shown[crossing.id] = look
        return shown


def _believed(crossing: Crossing, running: Running, now: int) -> Running:
    there = range(len(crossing.stages))
    known = running.stage in there and (
        running.target is None or (running.stage, running.target) in crossing.ways
    )
    if not known or running.since > now:
        raise ObservationError(
            f"crossing {crossing.id}: {running} at {now} is none of its stages or interstages"
        )
    return settle(crossing, running, now)
