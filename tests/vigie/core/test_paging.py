"""Cursors come back as they went; another list's, or an altered one, is refused."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.errors import Invalid
from vigie.core.paging import Cursor

PLACES = Cursor("places", str, int)
ACTS = Cursor("acts", UUID)


@given(st.text(), st.integers(-(2**63), 2**63 - 1))
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
