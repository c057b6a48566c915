"""Counts move by what moved, and are what a recount says, whoever wrote."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vigie.control.conftest import ANNE, CHENOVE, EVERYTHING, Ack, Lights
from vigie.control import Command, RequestCommand, acknowledge, cancel_command, request_command
from vigie.control.keeper import add_moves, keep
from vigie.control.rules import STATES
from vigie.control.sender import send_due
from vigie.core.errors import Conflict
from vigie.core.runtime import Runtime

pytestmark = pytest.mark.usefixtures("quiet")
MOVES = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(STATES), st.sampled_from(STATES)))


@given(MOVES)
def test_moves_add_up(moves: list[tuple[str, str, str]]) -> None:
    """Folded one by one or all at once, the counts are the same and their sum stays."""
    parts = {"a": {"requested": 50}, "b": {"requested": 50}}
    whole: dict[str, dict[str, int]] = {}
    for scope, before, after in moves:
        one = {scope: {before: -1, after: 1} if before != after else {}}
        parts = add_moves(parts, one)
        whole = add_moves(whole, one)
    start = {"a": {"requested": 50}, "b": {"requested": 50}}
    assert add_moves(start, whole) == parts
    assert [sum(parts[scope].values()) for scope in "ab"] == [50, 50]
    assert all(n for states in parts.values() for n in states.values())


@pytest.mark.parametrize("seed", range(2))
async def test_kept_counts_are_those_of_a_recount(
    runtime: Runtime, lights: Lights, seed: int
) -> None:
    """Whatever is asked, answered, superseded, taken back and rolled back, with two keepers."""
    dice = random.Random(seed)
    database = runtime.database
    ids = [*await lights.add(20), *await lights.add(10, CHENOVE)]
    made: list[Command] = []
    for step in range(12):
        chosen = dice.sample(ids, dice.randint(1, 25))
        async with database.unit(ANNE, EVERYTHING) as unit:
            asked = RequestCommand("set_dimming_level", {"level": step}, "x", assets=chosen)
            made.append(await request_command(unit, asked))
        await send_due(runtime)
        command = dice.choice(made)
        answers = [
            Ack(command.id, asset, dice.choice(["received", "done", "refused"]))
            for asset in dice.sample(ids, 12)
        ]
        async with database.unit() as unit:
            await acknowledge(unit, answers)
        with pytest.raises(RuntimeError):
            async with database.unit() as unit:
                await acknowledge(unit, [Ack(made[-1].id, asset, "done") for asset in chosen])
                raise RuntimeError("rolled back")
        if dice.random() < 0.3:
            try:
                async with database.unit(ANNE, EVERYTHING) as unit:
                    await cancel_command(unit, dice.choice(made).id, "no")
            except Conflict:
                pass
        await asyncio.gather(keep(runtime), keep(runtime))
    await keep(runtime)
    rows = await lights.owner.execute(
        "select c.parts = p.parts, (c.ended_at is not null) = p.ended from control.command c join"
        " (select command, jsonb_object_agg(scope, states) as parts, bool_and(ended) as ended from"
        "  (select command, scope, jsonb_object_agg(state, n) as states, bool_and(ended) as ended"
        "   from (select command, municipality || '/' || trade as scope, state, count(*) as n,"
        "         bool_and(ended_at is not null) as ended"
        "         from control.target group by 1, 2, 3) counted"
        "   group by 1, 2) scoped group by 1) p on p.command = c.id where c.id = any(%s)",
        [[command.id for command in made]],
    )
    assert set(await rows.fetchall()) == {(True, True)}
