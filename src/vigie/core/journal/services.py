"""The journal's services: run by role watch, in one process or several."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from vigie.core.journal import sealer, sequencer
from vigie.core.journal.dispatcher import Dispatcher
from vigie.core.journal.model import Reaction
from vigie.core.runtime import Runtime


def services(
    runtime: Runtime, reactions: Iterable[Reaction] = ()
) -> dict[str, Callable[[], Awaitable[None]]]:
    """The sequencer, the sealer, and what has all reactions done. Raises ValueError on a name used
    twice."""
    return {
        "sequencer": partial(sequencer.sequence, runtime),
        "sealer": partial(sealer.run, runtime),
        "reactions": Dispatcher(runtime, list(reactions)).run,
    }
