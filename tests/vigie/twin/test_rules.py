"""Identity, dates, differences, and what the kinds declare."""

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.ids import tokens
from vigie.twin import kinds, rules

METRES = st.floats(-2e7, 2e7)


@given(METRES, METRES)
def test_a_place_has_one_key_and_it_is_a_topic_segment(x: float, y: float) -> None:
    key = rules.position_key(x, y)
    assert key == rules.position_key(x, y)
    assert all(c.isascii() and (c.isalnum() or c == "-") for c in key)


@given(METRES, METRES, st.sampled_from([-0.2, 0.2, 5.0]))
def test_neighbours_have_other_keys(x: float, y: float, apart: float) -> None:
    assert rules.position_key(x, y) != rules.position_key(x + apart, y)
    assert rules.position_key(x, y) != rules.position_key(x, y + apart)


@given(st.dictionaries(st.sampled_from("abc"), st.integers()),
       st.dictionaries(st.sampled_from("abc"), st.integers()))  # fmt: skip
def test_differences_lead_from_before_to_after(before: dict, after: dict) -> None:
    old, new = rules.differences(before, after)
    assert (before | new) == (before | after)
    assert old.keys() == new.keys()
    assert all(old[k] != new[k] for k in new)


def test_words_of_an_asset() -> None:
    assert rules.folded("Candélabre", "L-12") == "candelabre l 12"
    assert rules.folded("L-12", "L-12") == "l 12"
    assert rules.folded("Mât Ste-Anne", "ST-12") == "mat ste anne sainte st 12 saint"
    assert rules.folded("", "") == ""


def test_tokens_are_many_different_and_plain() -> None:
    made = tokens(5000)
    assert len(set(made)) == 5000
    assert all(len(t) == 16 and t.isascii() and t.isalnum() for t in made)


def test_kinds_are_declared_whole() -> None:
    light = kinds.kinds()["Streetlight"]
    assert [m.name for m in light.points] == [
        "dimmingLevel", "activePower", "activeEnergy", "operatingHours", "supplyVoltage",
        "temperature", "lampFailure", "supplyLoss",
    ]  # fmt: skip
    assert light.slot("lampFailure") == 6
    assert light.slot("doorOpen") is None
    command = light.command("set_dimming_level")
    assert command is not None
    assert light.point(command.shows["level"]) is not None
    for kind in kinds.kinds().values():
        assert all(p.low < p.high for p in kind.points)
        assert all(rules.may_feed(kinds.kinds()[p], kind) for p in kind.parents)
        assert kind.draws, f"{kind.name} shows nothing on the map"
    assert not rules.may_feed(light, kinds.kinds()["StreetlightControlCabinet"])
