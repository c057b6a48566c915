"""The filter language: what is written is read back; what is typed never becomes SQL."""

import contextlib
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, DateTime, Float, Integer, MetaData, Table, select
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects import postgresql

from vigie.core.errors import Invalid
from vigie.core.filters import (
    BUDGET,
    Choice,
    Fields,
    Number,
    Term,
    Text,
    Time,
    contains,
    parse,
    write,
)
from vigie.core.text import fold

lamp = Table(
    "lamp",
    MetaData(),
    Column("id", Integer),
    Column("kind", SqlText),
    Column("street", SqlText),
    Column("power", Float),
    Column("poles", Integer),
    Column("at", DateTime(timezone=True)),
    Column("folded", SqlText),
)
FIELDS = Fields(
    Choice("kind", lamp.c.kind, ["Streetlight", "Cabinet"]),
    Choice("status", None, ["dark", "lit"], pick=lambda v: (lamp.c.power > 0) == (v == "lit")),
    Text("street", lamp.c.street, folded=True),
    Number("power", lamp.c.power),
    Number("poles", lamp.c.poles, whole=True),
    Time("at", lamp.c.at),
    words=lambda word: lamp.c.folded.like(contains(word)),
)

text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
)
names = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_.]{0,10}\Z")
words = st.builds(
    Term, st.none(), st.tuples(text.filter(lambda t: t.strip())), negated=st.booleans()
)
conditions = st.builds(
    Term,
    names,
    st.lists(text, min_size=1, max_size=4).map(tuple),
    st.sampled_from(["=", "<", "<=", ">", ">="]),
    st.booleans(),
)


def bare(terms):
    return [(t.field, t.values, t.operator, t.negated) for t in terms]


@given(st.lists(words | conditions, max_size=6))
@example([Term("A", ("=",), "<")])
def test_what_is_written_is_read_back(terms):
    assert bare(parse(write(terms))) == bare(terms)


@given(st.text(max_size=200))
@settings(max_examples=400)
def test_any_text_is_read_or_refused_with_a_position(typed):
    try:
        conditions = FIELDS.compile(typed)
    except Invalid as error:
        refused = error
    else:
        sql = str(select(lamp).where(*conditions).compile(dialect=postgresql.dialect()))
        assert "'" not in sql
        assert ";" not in sql
        return
    assert refused.code == "bad_filter"
    assert 1 <= refused.params["position"] <= len(typed) + 1
    assert refused.errors[0]["message"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", []),
        ("  lampe  ", [(None, ("lampe",), "=", False)]),
        ("kind:Streetlight", [("kind", ("Streetlight",), "=", False)]),
        ('street:"Rue X" b', [("street", ("Rue X",), "=", False), (None, ("b",), "=", False)]),
        ("-status:a,b", [("status", ("a", "b"), "=", True)]),
        ("power:>=60", [("power", ("60",), ">=", False)]),
        ('"a b" -c', [(None, ("a b",), "=", False), (None, ("c",), "=", True)]),
        ('a:"x\\"y"', [("a", ('x"y',), "=", False)]),
        ("12:30", [(None, ("12:30",), "=", False)]),
        ("- x", [(None, ("-",), "=", False), (None, ("x",), "=", False)]),
        ('s:"",b', [("s", ("", "b"), "=", False)]),
    ],
)  # fmt: skip
def test_reading(typed, expected):
    assert bare(parse(typed)) == expected


@pytest.mark.parametrize(
    ("typed", "position", "reason", "says"),
    [
        ("kind:", 6, "empty", "write a value after kind:"),
        ('street:"Rue', 8, "quote", "close this quote"),
        ("a b:c", 3, "field", "there is no field 'b'"),
        ("kind:Tree", 1, "value", "one of Cabinet, Streetlight"),
        ("kind:>Cabinet", 1, "operator", "has no order"),
        ("power:many", 1, "value", "is a number"),
        ("power:nan", 1, "value", "is a number"),
        ("power:1e999", 1, "value", "is a number"),
        ("poles:1.5", 1, "value", "a whole number"),
        ("poles:99999999999999999999", 1, "value", "a whole number"),
        ("poles:1e9999999", 1, "value", "a whole number"),
        ("poles:-1e9999999", 1, "value", "a whole number"),
        ("poles:1e-9999999", 1, "value", "a whole number"),
        ("poles:0e9999999", 1, "value", "a whole number"),
        ("poles:" + "9" * 1900, 1, "value", "a whole number"),
        ("power:1e9999999", 1, "value", "is a number"),
        ("power:" + "9" * 1900, 1, "value", "is a number"),
        ("at:0001-01-01", 1, "value", "between 1900 and 2200"),
        ("at:0001-01-01T00:00:00+14:00", 1, "value", "between 1900 and 2200"),
        ("at:9999-12-31T23:59:59-12:00", 1, "value", "between 1900 and 2200"),
        ("power:>1,2", 1, "operator", "with one value"),
        ("at:yesterday", 1, "value", "2026-11-23"),
        ("at:2026-01-01T00:00:00", 1, "value", "offset"),
        ("at:9999-12-31", 1, "value", "between 1900 and 2200"),
        ('street:"a"b', 11, "space", "put a space"),
        ('x""', 2, "space", "put a space"),
        ('""', 1, "empty", "nothing between"),
        ("a\0", 2, "character", "U+0000"),
        ("x" * 2001, 2001, "too_long", "2000"),
        ("x " * 41, 81, "too_many", "40"),
        ("kind:" + ",".join(["Cabinet"] * 201), 1613, "too_many", "200"),
    ],
)
def test_a_fault_says_where_and_what_to_do(typed, position, reason, says):
    with pytest.raises(Invalid) as refused:
        FIELDS.compile(typed)
    assert refused.value.params["position"] == position
    assert refused.value.params["reason"] == reason
    assert says in refused.value.errors[0]["message"]


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROWS = [
    (1, "Streetlight", "rue de la liberte", 60.0, 1, NOON, "lampe 1 rue de la liberte"),
    (2, "Streetlight", "rue x", None, 2, NOON + timedelta(days=1), "lampe 2 rue x 100%"),
    (3, "Cabinet", None, 0.0, 0, None, "armoire a_b"),
]


@pytest.fixture(scope="module")
async def rows(owner):
    await owner.execute(
        "create table public.lamp (id int, kind text, street text, power float8, poles int,"
        " at timestamptz, folded text)"
    )
    async with owner.cursor() as cursor:
        await cursor.executemany("insert into lamp values (%s, %s, %s, %s, %s, %s, %s)", ROWS)
    await owner.execute("grant select on lamp to public")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", [1, 2, 3]),
        ("kind:Streetlight", [1, 2]),
        ("-kind:Streetlight", [3]),
        ("kind:Streetlight,Cabinet power:>=0", [1, 3]),
        ("-power:>60", [1, 2, 3]),
        ("-power:>=60", [2, 3]),
        ("power:60,0", [1, 3]),
        ("poles:<2", [1, 3]),
        ("poles:2", [2]),
        ('street:"Rue de la LIBERTÉ"', [1]),
        ('-street:"Rue X"', [1, 3]),
        ("status:lit", [1]),
        ("-status:lit", [2, 3]),
        ("at:2026-11-23", [1]),
        ("at:>2026-11-23", [2]),
        ("at:<=2026-11-23", [1]),
        ("at:2026-11-23T12:00:00Z", [1]),
        ("at:2026-11-23T13:00:00+01:00,2026-11-24", [1, 2]),
        ("Liberté lampe", [1]),
        ("-lampe", [3]),
        ("'; drop table lamp; --", []),
    ],
)
async def test_compiled_filters_find_what_they_say(rows, database, typed, found):
    async with database.unit() as unit:
        statement = select(lamp.c.id).where(*FIELDS.compile(typed)).order_by(lamp.c.id)
        assert list((await unit.execute(statement)).scalars()) == found


@given(typed=st.text(st.sampled_from("%_\\'ab "), min_size=1, max_size=6))
async def test_what_is_typed_is_never_a_pattern(rows, database, typed):
    word = fold(typed)
    async with database.unit() as unit:
        statement = select(lamp.c.id).where(lamp.c.folded.like(contains(typed)))
        found = set((await unit.execute(statement)).scalars())
    assert found == {row[0] for row in ROWS if word in row[6]}


def costly(**costs):
    return Fields(
        Choice("status", None, ["dark", "lit"], pick=lambda v: (lamp.c.power > 0) == (v == "lit")),
        Number("poles", lamp.c.poles, whole=True),
        words=lambda word: lamp.c.folded.like(contains(word)),
        costs=costs,
    )


def test_a_filter_may_cost_so_much():
    costly(status=5).compile("status:dark,lit " * 8)
    with pytest.raises(Invalid) as refused:
        costly(status=5).compile("poles:1 " + "status:dark,lit " * 8)
    assert refused.value.params == {"position": 121, "reason": "too_costly", "limit": BUDGET}
    assert "ask for less" in refused.value.errors[0]["message"]


@pytest.mark.parametrize(
    "typed",
    [
        " ".join("abcdefghijklmnopq"),
        '"' + " ".join("abcdefghijklmnopq") + '"',
        "-" + " -".join("abcdefghijklmnopq"),
        # One character that folds to four words.
        " ".join("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 5),
    ],
)
def test_words_are_counted_as_they_are_searched(typed):
    with pytest.raises(Invalid) as refused:
        costly().compile(typed)
    assert refused.value.params["reason"] == "too_costly"


def test_a_long_name_is_not_too_many_words():
    costly().compile("Lampe 12 de la rue de la Liberté à Dijon, côté pair")


PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("typed", "start", "end"),
    [
        ("2026-11-23", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z"),
        ("2026-10-25", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),  # 25 hours
        ("2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),  # 23 hours
        ("2026-11-23T21:14:00+01:00", "2026-11-23T20:14:00Z", "2026-11-23T20:14:00.000001Z"),
    ],
)
def test_a_day_is_the_citys(typed, start, end):
    sql = (
        Fields(Time("at", lamp.c.at, PARIS))
        .compile(f"at:{typed}")[0]
        .compile(dialect=postgresql.dialect())
    )
    given = [value for value in sql.params.values() if isinstance(value, datetime)]
    assert given == [datetime.fromisoformat(start), datetime.fromisoformat(end)]


@given(typed=st.text("0123456789eE+-._ ٣", max_size=12).map(lambda t: t.replace(" ", "")))
@settings(max_examples=300)
def test_a_number_is_read_at_once_or_refused(typed):
    with contextlib.suppress(Invalid):
        FIELDS.compile(f'poles:"{typed}" power:"{typed}"')
