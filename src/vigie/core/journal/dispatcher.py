"""Looks for work for all reactions of a process at once, and has each do its own.

One look reads where every reaction stands and the newest positions, whatever the number of
reactions. A reaction that none of the new acts concerns is moved on together with the others like
it; one that has something to do works beside the others, in transactions of its own, at most a few
at a time. A reaction far behind (added with `from_now=False`, or back after a long pause) reads its
own way until it has caught up.

A reaction that the program does not declare any more (renamed, removed) is retired: its cursor
stays, and retention no longer waits for it. Declared again, it goes on from there.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text

from vigie.core.bus import Wakeup
from vigie.core.database import Unit
from vigie.core.journal.model import Reaction
from vigie.core.journal.reactions import step, step_parked
from vigie.core.journal.sequencer import POSITIONS
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.tasks import end

log = logger(__name__)
_WINDOW = 500
_LOOK_S = 2.0
_SOON_S = 0.5
_MOST_PAUSE_S = 5.0

_REGISTER = text(
    "insert into journal.cursor (reaction, position) values (:reaction,"
    " case when :from_now then (select coalesce(max(position), 0) from journal.position)"
    " else 0 end) on conflict (reaction) do update set retired = null"
)
_RETIRE = text(
    "update journal.cursor set retired = now()"
    " where retired is null and not reaction = any(:declared) returning reaction, position"
)
_LOOK = text(
    """
    select c.reaction, c.position, c.tries, c.error,
        coalesce(c.next_try > now(), false) as waits,
        count(p.reaction) as parked,
        count(p.reaction) filter (where p.retry) as wanted,
        (select coalesce(max(position), 0) from journal.position) as newest
    from journal.cursor c
    left join journal.parked p on p.reaction = c.reaction
    where c.reaction = any(:names)
    group by c.reaction
    """
)
_ACTS = text(
    """
    select distinct e.act
    from journal.position p
    join journal.entry e on e.id = p.entry and e.recorded = p.recorded
    where p.position > :after and p.position <= :newest
    """
)
# Only those that stand within what was looked at: nothing there concerns them.
_PASS = text(
    """
    update journal.cursor set position = :newest, tries = 0, next_try = null, error = ''
    where reaction in (
        select reaction from journal.cursor
        where reaction = any(:names) and position between :after and :newest - 1
        for update skip locked)
    """
)


async def register(unit: Unit, reaction: Reaction) -> None:
    """Give a reaction its place in the journal, unless it has one already."""
    await unit.execute(_REGISTER, {"reaction": reaction.name, "from_now": reaction.from_now})


async def retire_undeclared(unit: Unit, declared: Iterable[str]) -> list[str]:
    """Mark the cursors of reactions that this program does not declare; those newly marked."""
    rows = (await unit.execute(_RETIRE, {"declared": sorted(declared)})).all()
    for row in rows:
        log.warning("reaction_retired", reaction=row.reaction, position=row.position)
    return sorted(row.reaction for row in rows)


class Dispatcher:
    """The reactions of one process. Raises ValueError on a name used twice: two reactions would
    share one memory."""

    def __init__(self, runtime: Runtime, reactions: Sequence[Reaction]) -> None:
        self._runtime = runtime
        self._reactions: dict[str, Reaction] = {}
        for reaction in reactions:
            if reaction.name in self._reactions:
                raise ValueError(f"two reactions are named {reaction.name!r}")
            self._reactions[reaction.name] = reaction
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pause: dict[str, float] = {}
        self._wakeup = Wakeup()
        # Others of this process find connections too.
        self._places = asyncio.Semaphore(max(1, runtime.database.room("acts") // 2))

    async def run(self) -> None:
        """The service; several processes may run it, one at a time handles an act."""
        async with self._runtime.database.unit() as unit:
            await retire_undeclared(unit, self._reactions)
            for reaction in self._reactions.values():
                await register(unit, reaction)
        if not self._reactions:
            return
        await self._wakeup.on(self._runtime.bus, POSITIONS)
        try:
            while True:
                await self._wakeup.wait(await self.look())
        finally:
            await self._wakeup.close()
            await end(self._tasks.values())

    async def look(self) -> float:
        """Start what has something to do, move on what has not; how long until the next look."""
        async with self._runtime.database.unit() as unit:
            rows = (await unit.execute(_LOOK, {"names": list(self._reactions)})).all()
            working, passing = await self._sorted(unit, rows)
            if passing:
                after = min(row.position for row in passing)
                names = [row.reaction for row in passing]
                await unit.execute(
                    _PASS, {"names": names, "after": after, "newest": passing[0].newest}
                )
        for row in rows:
            self._show(row)
        for row in working:
            self._start(self._reactions[row.reaction])
        return _SOON_S if any(row.tries for row in rows) else _LOOK_S

    async def _sorted(self, unit: Unit, rows: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Reactions with something to do, and those that what is new does not concern."""
        idle = [row for row in rows if row.reaction not in self._tasks]
        working = [row for row in idle if row.wanted]
        behind = [row for row in idle if not row.waits and row.position < row.newest]
        near = [row for row in behind if row.position >= row.newest - _WINDOW]
        working += [row for row in behind if row not in near]
        passing: list[Any] = []
        if near:
            after = min(row.position for row in near)
            found = await unit.execute(_ACTS, {"after": after, "newest": near[0].newest})
            acts = set(found.scalars())
            for row in near:
                wanted = self._reactions[row.reaction].acts
                concerned = bool(acts) if wanted is None else not acts.isdisjoint(wanted)
                (working if concerned else passing).append(row)
        return working, passing

    def _start(self, reaction: Reaction) -> None:
        if reaction.name not in self._tasks:
            task = asyncio.create_task(self._work(reaction), name=f"reaction:{reaction.name}")
            self._tasks[reaction.name] = task

    async def _work(self, reaction: Reaction) -> None:
        """Everything that one reaction has to do now. What goes wrong around it (an engine is
        away) is tried again after a pause; the others go on."""
        progress, more = False, True
        try:
            while more:
                async with self._places:
                    more = await step(self._runtime, reaction)
                    more = await step_parked(self._runtime, reaction) or more
                progress |= more
            self._pause.pop(reaction.name, None)
        except Exception as error:
            pause = self._pause.get(reaction.name, _SOON_S)
            self._pause[reaction.name] = min(pause * 2, _MOST_PAUSE_S)
            log.warning("reaction_interrupted", reaction=reaction.name, error=repr(error)[:500])
            self._component(reaction.name).set(
                "degraded", "service_failed", error=type(error).__name__
            )
            await asyncio.sleep(pause)
        finally:
            self._tasks.pop(reaction.name, None)
            # Without progress it failed, or another process has it: no hurry.
            later = 0.0 if progress else _SOON_S
            asyncio.get_running_loop().call_later(later, self._wakeup.set)

    def _show(self, row: Any) -> None:
        if row.reaction in self._pause:
            return
        params = {
            "tries": row.tries,
            "parked": row.parked,
            "lag": max(0, row.newest - row.position),
            "error": row.error[:200],
        }
        if row.tries or row.parked:
            self._component(row.reaction).set("degraded", "reaction_failing", **params)
        else:
            self._component(row.reaction).set("ok", "", **params)

    def _component(self, name: str) -> Any:
        return self._runtime.component(f"reaction:{name}")
