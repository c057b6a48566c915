"""How much is too much, and what of it waits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.gateways.clients.allowance import (
    LANE_BURST_S,
    Allowance,
    Meter,
    pause_s,
    share_allowed,
)
from vigie.gateways.ingest import Raw
from vigie.gateways.ingest.parking import Sorter
from vigie.gateways.mqtt.messages import MqttFormat

RULE = Allowance(100, 10_000, 10)
SECOND = 1_000_000_000


def raw(sequence: int, client: str, at_s: float, size: int = 10) -> Raw:
    subject = f"$MQTT.msgs.up.0.{client}.reading".encode()
    return Raw(sequence, int(at_s * SECOND), subject, b"x" * size, sequence)


def test_number_or_weight_counts_whichever_is_more() -> None:
    assert RULE.cost_s(100, 10) == 1
    assert RULE.cost_s(1, 20_000) == 2


def test_a_client_at_its_rate_is_never_ahead_of_its_burst() -> None:
    meter = Meter(RULE)
    assert max(meter.charge("c", n / 10, 10, 900) for n in range(1_000)) <= 0.2
    assert meter.charge("c", 100, 1_000, 0) <= RULE.burst_s + 0.2
    assert meter.charge("c", 100, 1_000, 0) > RULE.burst_s
    assert meter.ahead_s("c", 1_000) == 0
    assert meter.charge("other", 100, 1, 1) < 1, "each for itself"


def test_the_meter_forgets_who_has_caught_up() -> None:
    meter = Meter(RULE, most=10)
    for n in range(100):
        meter.charge(f"c{n}", n, 1, 1)
    assert len(meter._caught_up) <= 10


def test_kept_out_until_half_the_burst_is_free_and_longer_each_time() -> None:
    assert pause_s(20, 10, 1) == 15
    assert [pause_s(0, 10, n) for n in (0, 1, 2, 3, 7, 70)] == [1, 1, 2, 4, 60, 60]


def test_the_part_of_the_stream_that_one_may_hold() -> None:
    assert [share_allowed(n) for n in (0, 1, 2, 4, 100)] == [0.8, 0.8, 0.4, 0.2, 0.2]


def test_what_is_over_waits_and_the_neighbour_passes() -> None:
    batch = [raw(n, "loud", 50 + n / 10_000) for n in range(300)]
    batch.insert(250, raw(1_000, "quiet", 50.02))
    passes, waits = Sorter(RULE, MqttFormat().source).sort(batch)
    # A second at once; the batch is some hundredths long.
    assert 100 <= len(passes) - 1 <= 104
    assert len(waits["loud"]) + len(passes) == 301
    assert 1_000 in [one.sequence for one in passes]
    assert list(waits) == ["loud"]


def test_a_backlog_that_was_sent_at_its_own_pace_does_not_wait() -> None:
    batch = [raw(n, "c", n / 50) for n in range(4_000)]
    assert Sorter(RULE, MqttFormat().source).sort(batch) == (batch, {})


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50), st.integers(1, 5_000))),
    st.integers(1, 40),
)
def test_nothing_is_lost_or_doubled_and_order_stays(
    told: list[tuple[str, int, int]], size: int
) -> None:
    times = sorted(at / 10 for _, at, _ in told)
    batch = [raw(n, told[n][0], times[n], told[n][2]) for n in range(len(told))]
    sorter = Sorter(RULE, MqttFormat().source)
    for start in range(0, len(batch), size):
        part = batch[start : start + size]
        passes, waits = sorter.sort(part)
        found = [*passes, *(one for waiting in waits.values() for one in waiting)]
        assert sorted(found) == part
        for some in (list(passes), *waits.values()):
            assert some == sorted(some)


@pytest.mark.parametrize("size", [1, 7, 100, 1_000])
def test_how_the_batches_are_cut_lets_no_more_pass(size: int) -> None:
    sorter = Sorter(RULE, MqttFormat().source)
    batch = [raw(n, "c", 9 + n / 1_000) for n in range(1_000)]
    passed = sum(len(sorter.sort(batch[at : at + size])[0]) for at in range(0, 1_000, size))
    # A second at once, and a second of its rate.
    assert abs(passed - 100 * (LANE_BURST_S + 1)) <= 2
