"""State and history are the same whatever the order and number of copies of messages."""

from math import isnan

from hypothesis import given
from hypothesis import strategies as st

from vigie.lighting.kinds import STREETLIGHT
from vigie.twin.telemetry import rules
from vigie.twin.telemetry.model import NEVER, Arrival, Known, MetricSet

SETS = [
    MetricSet(1, STREETLIGHT, ("dimmingLevel", "activePower"), (0, 1), None),
    MetricSet(2, STREETLIGHT, ("activePower", "temperature"), (1, 5), None),
    MetricSet(3, STREETLIGHT, ("dimmingLevel",), (0,), None),
]


@st.composite
def messages(draw: st.DrawFn) -> list[Arrival]:
    """Messages of one device: names are unique, moments may coincide, clocks may jump."""
    names = draw(
        st.lists(
            st.tuples(st.integers(0, 6), st.integers(0, 2), st.integers(0, 3)),
            min_size=1,
            max_size=12,
            unique=True,
        )
    )
    made: list[Arrival] = []
    for at, boot, n in names:
        shape = draw(st.sampled_from(SETS))
        values = tuple(float(draw(st.integers(0, 100))) for _ in shape.slots)
        made.append(Arrival(1, boot, n, at, 10, shape, values))
    return made


def take(arrivals: list[Arrival]) -> tuple[set[rules.Key], Known]:
    """What the store does with messages, one after the other."""
    known = rules.blank(1, STREETLIGHT)
    stored: list[Arrival] = []
    names: set[rules.Key] = set()
    for arrival in arrivals:
        if rules.surely_new(known, arrival):
            assert rules.key(arrival) not in names
            rules.advance(known, arrival)
        elif not rules.unseen([arrival], set(names)):
            continue
        else:
            rules.merge(known, arrival, [s for s in stored if s.at == arrival.at])
        stored.append(arrival)
        names.add(rules.key(arrival))
    return names, known


@given(messages(), st.randoms(use_true_random=False), st.data())
def test_any_order_and_any_copies_end_the_same(
    arrivals: list[Arrival], random: object, data: st.DataObject
) -> None:
    ordered = sorted(arrivals, key=lambda a: (a.at, a.boot, a.n))
    copies = data.draw(st.lists(st.sampled_from(arrivals), max_size=8))
    shuffled = data.draw(st.permutations(arrivals + copies))
    first, second = take(ordered), take(list(shuffled))
    assert first[0] == second[0] == {rules.key(a) for a in arrivals}
    assert (first[1].at, first[1].boot, first[1].n) == (second[1].at, second[1].boot, second[1].n)
    assert first[1].ats == second[1].ats
    for one, other in zip(first[1].vals, second[1].vals, strict=True):
        assert one == other or (isnan(one) and isnan(other))


@given(messages())
def test_each_value_is_of_the_greatest_message_that_has_it(arrivals: list[Arrival]) -> None:
    _, known = take(arrivals)
    for slot in range(len(known.vals)):
        having = [a for a in arrivals if slot in a.set.slots]
        if not having:
            assert known.ats[slot] == NEVER
            continue
        last = max(having, key=lambda a: (a.at, a.boot, a.n))
        assert known.vals[slot] == last.values[last.set.slots.index(slot)]
        assert known.ats[slot] == last.at


def test_replaced_device_goes_on() -> None:
    """Counters begin anew; time tells, once it was looked up that it is no copy."""
    known = rules.blank(1, STREETLIGHT)
    rules.advance(known, Arrival(1, 32767, 900, 10, 10, SETS[2], (5.0,)))
    later = Arrival(1, 0, 0, 11, 11, SETS[2], (6.0,))
    assert not rules.surely_new(known, later)
    assert rules.out_of_order(known, later)
    assert rules.merge(known, later)
    assert (known.vals[0], known.boot) == (6.0, 0)
    assert rules.surely_new(known, Arrival(1, 0, 1, 12, 12, SETS[2], (7.0,)))


def test_lag_fits_its_column() -> None:
    week = 7 * 86_400_000_000
    assert rules.lag_s(Arrival(1, 0, 0, 0, week, SETS[2], (1.0,))) == 32767
    assert rules.lag_s(Arrival(1, 0, 0, 4_000_000, 0, SETS[2], (1.0,))) == -4
