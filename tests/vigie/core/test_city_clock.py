"""City time: one clock for Python and SQL, set in exercises only, and used everywhere it should."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

import vigie
from vigie.core import city_clock, clock
from vigie.core.clock import Course
from vigie.core.errors import Conflict, Invalid

SOURCE = Path(vigie.__file__).parent
THEN = datetime(2026, 12, 24, 21, 0, tzinfo=UTC)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))

# Where the machine's own time is meant, and why.
MACHINE = {
    "core/clock.py": "the clock itself",
    "core/leader.py": "leases",
    "core/journal/reactions.py": "retries",
    "core/journal/dispatcher.py": "retries",
    "core/journal/sequencer.py": "partitions are made ahead by the machine's months",
    "core/jobs": "leases and retries",
    "core/live": "delivery",
    "core/web": "time-outs",
    "core/access": "sessions",
    "commands/doctor.py": "compares the two machines' clocks",
    "control/sender.py": "retries",
    "gateways": "presence, secrets and lags",
    "notify": "retries and tokens",
    "files": "sweeps",
}
_PYTHON = re.compile(r"datetime\.now\(|time\.time\(|utcnow|date\.today\(")
_SQL = re.compile(r"(?<![\w.])now\(\)|clock_timestamp\(\)|current_date|current_timestamp")


@pytest.fixture(autouse=True)
def _machine_time():
    yield
    clock.follow(None)


@given(instants, instants, st.floats(0.001, 3600), st.timedeltas(timedelta(), timedelta(days=30)))
def test_city_time_runs_from_where_it_was_set(base, anchor, rate, passed):
    course = Course(base, anchor, rate)
    assert course.at(anchor) == base
    assert course.at(anchor + passed) >= base
    ran = course.at(anchor + passed) - base
    assert abs(ran.total_seconds() - passed.total_seconds() * rate) < 0.01


async def test_python_and_sql_tell_the_same_time(new_runtime):
    database = (await new_runtime()).database
    async with database.unit() as unit:
        told = (await unit.execute(text("select vigie.now()"))).scalar_one()
        assert abs(told - clock.machine()) < timedelta(seconds=5)
        await city_clock.set_time(unit, "exercise", to=THEN, rate=60)
    async with database.unit() as unit:
        clock.follow(await city_clock.read(unit))
        told = (await unit.execute(text("select vigie.now()"))).scalar_one()
        assert THEN <= told <= clock.now() <= told + timedelta(minutes=5)
        assert abs(clock.machine() - datetime.now(UTC)) < timedelta(seconds=5)
        went_on = await city_clock.set_time(unit, "exercise", rate=1)
        assert THEN <= went_on < THEN + timedelta(hours=1)


async def test_the_clock_of_a_real_installation_is_never_set(database):
    async with database.unit() as unit:
        with pytest.raises(Conflict, match="VIGIE_INSTALLATION"):
            await city_clock.set_time(unit, "real", to=THEN)
        assert await city_clock.read(unit) is None


@pytest.mark.parametrize(
    ("to", "rate"), [(None, 0), (None, -1), (None, 1e9), (THEN.replace(tzinfo=None), 1)]
)
async def test_a_clock_that_cannot_be_is_refused(database, to, rate):
    async with database.unit() as unit:
        with pytest.raises(Invalid):
            await city_clock.set_time(unit, "test", to=to, rate=rate)


async def test_the_runtime_sees_the_clock(database):
    async with database.unit() as unit:
        assert (await unit.execute(text("select vigie.now() is not null"))).scalar_one()


def test_nobody_asks_another_clock():
    found: list[str] = []
    for file in sorted(SOURCE.rglob("*.py")):
        place = file.relative_to(SOURCE).as_posix()
        if "migrations" in file.parts or place.startswith(tuple(MACHINE)):
            continue
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            python, sql = _PYTHON.search(line), _SQL.search(line.replace("vigie.now()", ""))
            if python or (sql and ('"' in line or "'" in line or "select" in line)):
                found.append(f"{place}:{number}: {line.strip()}")
    assert not found, "use clock.now() or vigie.now(), or say above why the machine's time is meant"
