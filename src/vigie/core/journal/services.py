"""The journal's services: run by role watch, in one process or several."""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from vigie.core.journal import reactions as reacting
from vigie.core.journal import sealer, sequencer
from vigie.core.journal.model import Reaction
from vigie.core.runtime import Runtime


def services(
    runtime: Runtime, reactions: Iterable[Reaction] = ()
) -> dict[str, Callable[[], Awaitable[None]]]:
    """The sequencer, the sealer, one runner a reaction, and what retires the reactions that are
    not given any more. Raises ValueError on a name used twice: two reactions would share one
    memory."""
    made: dict[str, Callable[[], Awaitable[None]]] = {
        "sequencer": partial(sequencer.sequence, runtime),
        "sealer": partial(sealer.run, runtime),
    }
    declared = list(reactions)

    async def retire() -> None:
        async with runtime.database.unit() as unit:
            await reacting.retire_undeclared(unit, (reaction.name for reaction in declared))

    made["reactions"] = retire
    for reaction in declared:
        name = f"reaction:{reaction.name}"
        if name in made:
            raise ValueError(f"two reactions are named {reaction.name!r}")
        made[name] = partial(reacting.run, runtime, reaction)
    return made
