"""Canonical bytes: one record, one spelling; two records, two."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vigie.core.journal.rules import (
    Sight,
    backoff_s,
    encode,
    erased_fields,
    personal_digest,
    run_of_one_month,
    sight,
)
from vigie.core.scope import EVERYTHING, Scope

FIELDS = st.one_of(
    st.none(),
    st.text(),
    st.binary(),
    st.integers(),
    st.uuids(),
    st.datetimes(timezones=st.just(UTC)),
)


def _spelled(fields: list[Any]) -> list[bytes | None]:
    """What `encode` should keep of each field, told apart only where the types' bytes differ."""
    return [None if field is None else encode(field) for field in fields]


@given(st.lists(FIELDS, max_size=6), st.lists(FIELDS, max_size=6))
def test_two_records_never_share_their_bytes(one: list[Any], other: list[Any]) -> None:
    assert (encode(*one) == encode(*other)) == (_spelled(one) == _spelled(other))


def test_a_time_is_the_same_in_every_zone() -> None:
    from zoneinfo import ZoneInfo

    instant = datetime(2026, 11, 23, 21, 14, 0, 123456, tzinfo=UTC)
    assert encode(instant) == encode(instant.astimezone(ZoneInfo("Asia/Kathmandu")))


@given(st.binary(min_size=16, max_size=16), st.text(), st.text(), st.text())
def test_a_personal_digest_depends_on_field_and_value(
    salt: bytes, field: str, one: str, other: str
) -> None:
    same = personal_digest(salt, field, one) == personal_digest(salt, field, other)
    assert same == (one == other)
    assert personal_digest(salt + b"x", field, one) != personal_digest(salt, field, one)


@given(
    st.dictionaries(st.sampled_from(["", "1/a", "1/b", "2/a", "2/b"]), st.integers(1, 9)),
    st.sets(st.sampled_from(["1/a", "1/b", "2/a", "2/b"])),
    st.sets(st.sampled_from(["1", "2"])),
)
def test_a_part_is_counted_alone(tally: dict[str, int], pairs: set[str], towns: set[str]) -> None:
    scopes = sorted(key for key in tally if key)
    scope = Scope(pairs=frozenset(pairs), municipalities=frozenset(towns))
    seen = sight(scope, scopes, tally)
    shown = {key for key in scopes if key in pairs or key.partition("/")[0] in towns}
    assert seen.changes == sum(tally[key] for key in shown)
    assert seen.whole == (shown == set(tally))
    assert seen.params({"total": 9, "verb": "x"}).get("verb") == "x"
    assert ("total" in seen.params({"total": 9})) == seen.whole
    assert sight(EVERYTHING, scopes, tally) == Sight(sum(tally.values()), True)


@given(st.lists(st.integers(0, 100), min_size=1, max_size=30))
def test_a_block_never_crosses_a_month(days: list[int]) -> None:
    start = datetime(2026, 1, 15, tzinfo=UTC)
    times = [start + timedelta(days=day) for day in days]
    run = run_of_one_month(times)
    assert 1 <= run <= len(times)
    assert len({(t.year, t.month) for t in times[:run]}) == 1
    if run < len(times):
        assert times[run].month != times[0].month or times[run].year != times[0].year


@given(st.integers(1, 200))
def test_backoff_grows_to_a_minute(tries: int) -> None:
    assert 0.5 <= backoff_s(tries) <= backoff_s(tries + 1) <= 60


def test_erased_fields_are_those_no_longer_there() -> None:
    assert erased_fields({"a": "1", "b": "2"}, ["b"]) == ["a"]


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


async def test_a_jsonb_text_is_canonical(owner: psycopg.AsyncConnection) -> None:
    """What the seal covers survives storing it again, whatever the numbers."""
    seen: list[Any] = []

    @settings(max_examples=150, database=None, suppress_health_check=list(HealthCheck))
    @given(JSON)
    def collect(value: Any) -> None:
        seen.append(value)

    collect()
    texts = [json.dumps(value) for value in seen]
    cursor = await owner.execute(
        "select value::jsonb::text, value::jsonb::text::jsonb::text from unnest(%s::text[]) value",
        [texts],
    )
    for once, twice in await cursor.fetchall():
        assert once == twice
