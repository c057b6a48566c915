"""Jobs run when due, once or with a say, and end as done or as a dead letter."""

import asyncio
import contextlib
from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from vigie.core import clock, jobs
from vigie.core.errors import Conflict, Invalid, NotFound
from vigie.core.jobs import GiveUp, Job
from vigie.core.jobs.figures import assess
from vigie.core.jobs.runner import Runner
from vigie.core.lists import ListQuery
from vigie.core.permissions import Permission
from vigie.core.rooms import Room, Rooms
from vigie.core.runtime import Component, Runtime
from vigie.core.scope import Grant, Principal

LOG: list[tuple] = []
GATE = asyncio.Event()


class Note(msgspec.Struct, frozen=True):
    """What the jobs of these tests are given."""

    text: str
    fail: int = 0


async def outside(_runtime, claimed) -> None:
    LOG.append((claimed.payload.text, claimed.attempt))
    if claimed.attempt <= claimed.payload.fail:
        raise RuntimeError("the provider is away")


async def inside(unit, note: Note) -> None:
    await unit.execute(text("insert into noted values (:t)"), {"t": note.text})
    if note.fail:
        raise RuntimeError("no")


async def hopeless(_runtime, _claimed) -> None:
    raise GiveUp("this number does not exist")


async def waits(_runtime, claimed) -> None:
    LOG.append((claimed.payload.text, claimed.attempt))
    await GATE.wait()


async def bury(unit, note: Note, error: str) -> None:
    await unit.execute(text("insert into noted values (:t)"), {"t": f"dead {note.text}: {error}"})


QUICK = {"payload": Note, "first_pause_s": 0.01, "longest_pause_s": 0.02}
OUTSIDE = Job("low.outside", outside, tries=3, on_dead=bury, **QUICK)
INSIDE = Job("low.inside", inside, inside=True, tries=2, on_dead=bury, **QUICK)
HOPELESS = Job("low.hopeless", hopeless, **QUICK)
WAITS = Job("low.waits", waits, concurrency=2, **QUICK)
SCHEDULED = Job("low.scheduled", outside, every=timedelta(hours=1))
JOBS = (OUTSIDE, INSIDE, HOPELESS, WAITS)
ROOMS = Rooms(
    [
        Room(
            name="low",
            floor="base",
            jobs=f"{__name__}:JOBS",
            permissions=(Permission("core.jobs_operate", "", ("administrator",)),),
        )
    ]
)


@pytest.fixture(scope="module")
async def house(owner, bus, new_module_database):
    """A runtime whose one room has the jobs of these tests."""
    return Runtime(new_module_database[0], "test", new_module_database[1], bus, ROOMS)


@pytest.fixture(scope="module")
async def new_module_database(owner, settings, database):
    await owner.execute(
        "create table noted (text text); grant select, insert, delete on noted to vigie_runtime"
    )
    return settings, database


@pytest.fixture(autouse=True)
async def clean(owner, house):
    LOG.clear()
    GATE.clear()
    await owner.execute("truncate core.job, core.schedule, noted")


async def defer(house, job, payload=None, **options):
    async with house.database.unit() as unit:
        return await jobs.defer(unit, job, payload, **options)


async def drain(runner: Runner, until_s: float = 5.0) -> None:
    """Run until nothing is left that could run."""
    async with asyncio.timeout(until_s):
        while True:
            await runner.start_due()
            if runner.running:
                await asyncio.wait(list(runner.running))
                continue
            async with runner.runtime.database.unit() as unit:
                left = await unit.execute(
                    text("select count(*) from core.job where state in ('waiting', 'running')"
                         " and due < now() + interval '1 minute'")
                )  # fmt: skip
            if not left.scalar_one():
                return
            await asyncio.sleep(0.01)


async def row(house, id_):
    async with house.database.unit() as unit:
        return (await jobs.read_job(unit, id_)).job


async def noted(house):
    async with house.database.unit() as unit:
        return sorted((await unit.execute(text("select text from noted"))).scalars())


async def test_a_job_that_is_rolled_back_with_its_verb_never_runs(house):
    with pytest.raises(RuntimeError):
        async with house.database.unit() as unit:
            await jobs.defer(unit, OUTSIDE, Note("never"))
            raise RuntimeError
    await drain(Runner(house))
    assert LOG == []


async def test_a_failing_job_is_tried_again_and_says_which_attempt_it_is(house):
    id_ = await defer(house, "low.outside", {"text": "a", "fail": 2})
    await drain(Runner(house))
    assert LOG == [("a", 1), ("a", 2), ("a", 3)]
    assert (await row(house, id_)).state == "done"


async def test_what_keeps_failing_becomes_a_dead_letter_with_its_error(house):
    id_ = await defer(house, OUTSIDE, Note("a", fail=9))
    await drain(Runner(house))
    dead = await row(house, id_)
    async with house.database.unit() as unit:
        assert (await jobs.read_job(unit, id_)).possible == ["retry", "cancel"]
    assert (dead.state, dead.attempt) == ("dead", 3)
    assert dead.error is not None
    assert "the provider is away" in dead.error
    (told,) = await noted(house)
    assert told.startswith("dead a: RuntimeError")


async def test_a_job_that_gives_up_is_not_tried_again(house):
    id_ = await defer(house, HOPELESS, Note("a"))
    await drain(Runner(house))
    assert ((await row(house, id_)).state, (await row(house, id_)).attempt) == ("dead", 1)


async def test_inside_its_effect_and_its_failure_are_one_transaction(house):
    good, bad = await defer(house, INSIDE, Note("a")), await defer(house, INSIDE, Note("b", 1))
    await drain(Runner(house))
    assert [(await row(house, i)).state for i in (good, bad)] == ["done", "dead"]
    assert [t.split(":")[0] for t in await noted(house)] == ["a", "dead b"]


async def test_an_open_key_is_one_job(house):
    first = await defer(house, OUTSIDE, Note("a"), key="k")
    assert await defer(house, OUTSIDE, Note("b"), key="k") == first
    await drain(Runner(house))
    assert await defer(house, OUTSIDE, Note("c"), key="k") != first
    assert LOG == [("a", 1)]


async def test_a_job_waits_for_its_time(house):
    id_ = await defer(house, OUTSIDE, Note("a"), at=clock.now() + timedelta(hours=1))
    await drain(Runner(house))
    assert LOG == []
    assert (await row(house, id_)).state == "waiting"


async def test_payloads_are_checked_and_bounded_before_anything_is_kept(house):
    with pytest.raises(Invalid, match="text"):
        await defer(house, OUTSIDE, {"wrong": 1})
    with pytest.raises(Invalid, match="64000"):
        await defer(house, OUTSIDE, Note("x" * 70_000))
    with pytest.raises(NotFound, match="No room runs"):
        await defer(house, "low.unknown")


async def test_what_a_dead_worker_held_is_claimed_again_after_its_lease(house, owner):
    first, second = Runner(house), Runner(house)
    id_ = await defer(house, OUTSIDE, Note("a"))
    (held,) = await first.claim(OUTSIDE, 5)
    assert await second.claim(OUTSIDE, 5) == []
    await owner.execute("update core.job set held = now() - interval '1 second'")
    (again,) = await second.claim(OUTSIDE, 5)
    assert (held.attempt, again.attempt) == (1, 2)
    # The first one wakes up: its word counts no more.
    await first.work(OUTSIDE, held)
    assert (await row(house, id_)).state == "running"
    await second.work(OUTSIDE, again)
    assert (await row(house, id_)).state == "done"


async def test_a_worker_that_dies_in_every_attempt_does_not_go_on_for_ever(house, owner):
    id_ = await defer(house, OUTSIDE, Note("a"))
    for _ in range(3):
        assert len(await Runner(house).claim(OUTSIDE, 5)) == 1
        await owner.execute("update core.job set held = now() - interval '1 second'")
    assert await Runner(house).claim(OUTSIDE, 5) == []
    assert (await row(house, id_)).state == "dead"
    assert (await noted(house))[0].startswith("dead a: the worker ended")


async def test_no_more_than_its_bound_run_at_once_in_the_whole_house(house):
    for number in range(5):
        await defer(house, WAITS, Note(str(number)))
    first, second = Runner(house), Runner(house)
    assert await first.start_due() + await second.start_due() == 2
    GATE.set()
    await drain(first)
    await drain(second)
    assert len(LOG) == 5


async def test_a_stopped_runner_gives_back_what_it_held(house):
    id_ = await defer(house, WAITS, Note("a"))
    service = asyncio.create_task(Runner(house).run())
    async with asyncio.timeout(5):
        while not LOG:
            await asyncio.sleep(0.01)
    service.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await service
    assert (await row(house, id_)).state == "waiting"


async def test_whoever_comes_first_adds_what_the_schedule_says_once(house, owner):
    first, second = Runner(house), Runner(house)
    for runner in (first, second):
        runner.jobs = {SCHEDULED.name: SCHEDULED}
    await asyncio.gather(first.schedule(), second.schedule())
    await owner.execute("update core.schedule set next = now() - interval '5 hours'")
    await asyncio.gather(first.schedule(), second.schedule())
    await first.schedule()
    async with house.database.unit() as unit:
        found = await unit.execute(text("select name, state from core.job"))
        assert found.all() == [("low.scheduled", "waiting")]
        (kind,) = [k for k in await jobs.summary(unit) if k.name == "low.scheduled"]
    assert kind.next is not None
    assert clock.now() < kind.next <= clock.now() + timedelta(hours=1)


async def test_a_dead_job_is_tried_again_from_the_beginning(house):
    id_ = await defer(house, OUTSIDE, Note("a", fail=4), key="k")
    await drain(Runner(house))
    async with house.database.unit() as unit:
        again = await jobs.retry(unit, id_, (await jobs.read_job(unit, id_)).job.version)
    assert (again.job.state, again.job.tries) == ("waiting", 6)
    await drain(Runner(house))
    assert LOG[-1] == ("a", 5)
    async with house.database.unit() as unit:
        with pytest.raises(Conflict):
            await jobs.retry(unit, id_)
        found = await unit.execute(
            text("select count(*) from journal.entry where act = 'core.job_retried'")
        )
        assert found.scalar_one() == 1


async def test_a_dead_job_does_not_come_back_beside_another_of_its_key(house):
    dead = await defer(house, HOPELESS, Note("a"), key="k")
    await drain(Runner(house))
    await defer(house, HOPELESS, Note("b"), key="k")
    async with house.database.unit() as unit:
        with pytest.raises(Conflict, match="Another job"):
            await jobs.retry(unit, dead)


async def test_what_waits_can_be_cancelled_and_then_never_runs(house):
    id_ = await defer(house, OUTSIDE, Note("a"))
    async with house.database.unit() as unit:
        assert (await jobs.cancel(unit, id_)).job.state == "cancelled"
        assert (await jobs.cancel(unit, id_)).job.state == "cancelled"
    await drain(Runner(house))
    assert LOG == []


async def test_who_sees_a_part_of_the_city_sees_neither_errors_nor_payloads(house):
    id_ = await defer(house, HOPELESS, Note("secret"))
    await drain(Runner(house))
    part = Principal(None, "p", "user", (Grant("operator", "21231"),))
    async with house.database.unit(part) as unit:
        seen = await jobs.read_job(unit, id_)
        assert (seen.job.error, seen.payload) == (None, None)
        dead = ListQuery("name:low.hopeless state:dead")
        assert (await jobs.LIST.page(unit, dead)).items[0].error is None
    async with house.database.unit() as unit:
        assert (await jobs.read_job(unit, id_)).payload == {"text": "secret", "fail": 0}


async def test_lists_go_on_page_by_page(house):
    ids = [await defer(house, OUTSIDE, Note(str(n))) for n in range(5)]
    seen, cursor = [], None
    async with house.database.unit() as unit:
        while True:
            page = await jobs.LIST.page(unit, ListQuery(cursor=cursor, limit=2))
            seen += [r.id for r in page.items]
            if not (cursor := page.next):
                break
        with pytest.raises(Invalid):
            await jobs.LIST.page(unit, ListQuery("state:asleep"))
    assert seen == ids[::-1]


async def test_dead_and_late_jobs_are_seen_on_the_system_page(house, owner):
    component = Component("jobs")

    async def status():
        async with house.database.unit() as unit:
            assess(component, await jobs.summary(unit))
        return component.status, component.code

    await defer(house, OUTSIDE, Note("a"))
    assert await status() == ("ok", "")
    await owner.execute("update core.job set due = now() - interval '5 minutes'")
    assert await status() == ("degraded", "jobs_late")
    await owner.execute("update core.job set state = 'dead', due = now()")
    assert await status() == ("degraded", "jobs_dead")


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(1, 12),
    st.lists(st.tuples(st.booleans(), st.integers(1, 4)), min_size=1, max_size=8),
)
async def test_two_workers_never_hold_the_same_attempt(house, owner, many, claims):
    """Whoever claims how much, a job's attempt is one worker's, and the bound holds."""
    await owner.execute("truncate core.job")
    for number in range(many):
        await defer(house, WAITS, Note(str(number)))
    workers = (Runner(house), Runner(house))
    taken = await asyncio.gather(*(workers[which].claim(WAITS, most) for which, most in claims))
    held = [(c.id, c.attempt) for claimed in taken for c in claimed]
    assert len(held) == len(set(held)) <= WAITS.concurrency
    assert len(held) == min(many, WAITS.concurrency, sum(most for _, most in claims))
