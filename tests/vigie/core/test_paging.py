"""Cursors come back as they went; another list's, or an altered one, is refused."""

import base64
import json
from datetime import datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.errors import Invalid
from vigie.core.paging import Cursor

PLACES = Cursor("places", str, int)
ACTS = Cursor("acts", UUID)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300),
    st.integers(-(2**63), 2**63 - 1),
)
def test_a_cursor_comes_back(name, number):
    assert PLACES.decode(PLACES.encode([name, number])) == (name, number)


@given(st.uuids())
def test_a_cursor_of_a_uuid_comes_back(act):
    assert ACTS.decode(ACTS.encode([act])) == (act,)


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda b: b.hex()))
def test_garbage_is_refused(garbage):
    if not garbage:
        assert PLACES.decode(garbage) is None
        return
    with pytest.raises(Invalid) as refused:
        PLACES.decode(garbage)
    assert refused.value.code == "bad_cursor"


def test_another_lists_cursor_is_refused():
    other = Cursor("streets", str, int)
    for foreign in (other.encode(["a", 1]), ACTS.encode([UUID(int=7)])):
        with pytest.raises(Invalid):
            PLACES.decode(foreign)


@given(st.lists(st.integers(0, 50), unique=True), st.integers(1, 7))
def test_pages_join_to_the_whole_list(numbers, limit):
    numbers = sorted(numbers)
    cursor, seen = None, []
    whole = Cursor("numbers", int)
    while True:
        after = whole.decode(cursor)
        rows = [n for n in numbers if after is None or n > after[0]][: limit + 1]
        page = whole.page(rows, limit, lambda n: [n])
        seen += page.items
        cursor = page.next
        if cursor is None:
            break
        assert len(page.items) == limit
    assert seen == numbers


def forged(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("types", "value"),
    [
        (int, 2**63),
        (int, -(2**63) - 1),
        (int, 10**1500),
        (str, "a\0"),
        (str, "a" * 7000),
        (datetime, "2026-11-23T00:00:00"),
        (datetime, "0001-01-01T00:00:00+14:00"),
        (datetime, "9999-12-31T23:59:59-12:00"),
    ],
)
def test_a_forged_cursor_holds_nothing_that_a_row_could_not(types, value):
    with pytest.raises(Invalid) as refused:
        Cursor("things", types).decode(forged("things", value))
    assert refused.value.code == "bad_cursor"
