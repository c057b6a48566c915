"""Dates as the files of cities write them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.twin.importing.dates import read_date


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2014-03-01", date(2014, 3, 1)), ("01/03/2014", date(2014, 3, 1)),
        ("20140301", date(2014, 3, 1)), ("2014-03-01T10:00:00", date(2014, 3, 1)),
        (1999, date(1999, 1, 1)), (1999.0, date(1999, 1, 1)), ("08/01/11", date(2011, 1, 8)),
        ("1/2/71", date(1971, 2, 1)), (None, None), ("", None), (0, None), ("00/00/0000", None),
        (date(2020, 1, 1), date(2020, 1, 1)),
        ("1er mars 2014", date(2014, 3, 1)), ("mars 2014", date(2014, 3, 1)),
        ("03/2014", date(2014, 3, 1)), ("2014-03", date(2014, 3, 1)),
        ("01-mars-14", date(2014, 3, 1)), ("15 AOÛT 2009", date(2009, 8, 15)),
        ("samedi 1er févr. 2014", date(2014, 2, 1)), ("déc. 1999", date(1999, 12, 1)),
        ("March 1, 2014", date(2014, 3, 1)), ("20140301120000", date(2014, 3, 1)),
        ("01/03/2014 00:00", date(2014, 3, 1)), ("01.03.2014", date(2014, 3, 1)),
        ("1899-12-30", None), ("1899-12-30T00:00:00", None), ("0000-00-00 00:00:00", None),
    ],
)  # fmt: skip
def test_dates_as_cities_write_them(written: object, day: date | None) -> None:
    assert read_date(written) == day


@pytest.mark.parametrize("written", [
    "soon", "32/01/2014", "2014-13-01", 12, "99999999", 1500, "03/25/2014", "30/02/2014",
    "9999-12-31", "2014-2015", "AVANT 2010", "41699", "mars", "mars 14 2014 2015", "32 mars 2014",
    "13/2014", "1er brumaire 2014",
])  # fmt: skip
def test_what_is_no_date_is_said_with_the_value(written: object) -> None:
    with pytest.raises(ValueError, match=str(written)):
        read_date(written)


@given(st.text(max_size=70))
def test_no_text_breaks_it(written: str) -> None:
    try:
        day = read_date(written)
    except ValueError:
        return
    assert day is None or 1800 <= day.year <= 2200
