"""Folding, as people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.errors import Invalid
from vigie.core.text import checked_name, fold, name_fault, spellings, successor, visible, words


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Rue de la Liberté", "rue de la liberte"),
        ("L’Œuvre-Élan", "l oeuvre elan"),
        ("Fontaine-lès-Dijon", "fontaine les dijon"),
        ("  Ænima\tÇa  ", "aenima ca"),
        ("STRAßE", "strasse"),
        ("21231-L-000042", "21231 l 000042"),
        ("", ""),
        ("'-'", ""),
    ],
)
def test_fold(written: str, folded: str) -> None:
    assert fold(written) == folded


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("ST APOLLINAIRE", "Saint-Apollinaire"),
        ("Chevigny St Sauveur", "Chevigny-Saint-Sauveur"),
        ("av. st-exupéry", "Avenue Saint-Exupéry"),
        ("Ave Foch", "Avenue Foch"),
        ("rue ste anne", "Rue Sainte-Anne"),
        ("BD. DE BROSSES", "Boulevard de Brosses"),
        ("Place des Sts-Innocents", "place des saints innocents"),
        ("Rue du Gal de Gaulle", "Rue du Général de Gaulle"),
        ("rue de l\u02bcégalité", "Rue de l'Égalité"),
        ("rue de l\u02bbégalité", "Rue de l’Égalité"),
        ("rue de l\uff07égalité", "Rue de l`Égalité"),
        ("Liber\u00adté", "Liberté"),
        ("\ufeffLiberté\u200b", "Liberté"),
    ],
)
def test_spellings_of_one_name_fold_alike(written: str, same: str) -> None:
    assert fold(written) == fold(same)


def test_other_words_are_not_taken_for_abbreviations() -> None:
    assert fold("Stade") == "stade"
    assert fold("ST0012") == "st0012"
    assert fold("Sainte-Anne") != fold("Saint-Anne")


def test_typed_words_stay_as_typed() -> None:
    assert words("av. St-Ex") == ["av", "st", "ex"]


@pytest.mark.parametrize(
    ("written", "found_by"),
    [
        ("Rue Ste-Anne", {"rue", "ste", "sainte", "anne"}),
        ("Avenue Saint-Exupéry", {"avenue", "av", "ave", "saint", "st", "exupery"}),
        ("ST-12", {"st", "saint", "12"}),
        ("L-12", {"l", "12"}),
    ],
)
def test_a_text_is_found_by_every_spelling_of_its_words(written: str, found_by: set[str]) -> None:
    assert set(spellings(written)) == found_by
    assert spellings(written)[: len(words(written))] == words(written)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folded_text_is_words_parted_by_one_space(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(folded.split())
    assert len(words(text)) == len(folded.split())
    assert all(c.isalnum() or c == " " for c in folded)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_case_and_accents_do_not_matter(text: str) -> None:
    assert fold(text.upper().lower()) == fold(text.lower().upper().lower())


@given(st.text(alphabet=st.characters(codec="utf-8")), st.text(alphabet="abé1 "))
def test_a_prefix_range_holds_what_starts_so(start: str, rest: str) -> None:
    low, high, word = start.encode(), successor(start).encode(), (start + rest).encode()
    assert low <= word < high


@pytest.mark.parametrize(
    "name",
    ["Zoë O’Neill", "Équipe de nuit (3)", "Łukasz Żółć", "山田", "Pose 12/B", "a", "Jean Dupont"],
)
def test_names_that_people_have_are_accepted(name: str) -> None:
    assert name_fault(name) is None
    assert checked_name("name", f"  {name} ") == name


def test_a_name_is_kept_composed() -> None:
    assert checked_name("name", "Zoe\u0308") == "Zoë"


@pytest.mark.parametrize("name", ["", " ", "  \u00a0\u3000", "\u0301", "\t"])
def test_blank_names_are_refused(name: str) -> None:
    assert name_fault(name) is not None
    with pytest.raises(Invalid) as refused:
        checked_name("display_name", name)
    assert refused.value.errors[0]["field"] == "display_name"


@pytest.mark.parametrize(
    "character",
    [
        *"\x00\x07\n\t\x7f\x85",  # control
        *"\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c",  # direction
        *"\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\U000e0041",  # format
        *"\u2028\u2029",  # separators of lines
        *"\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800\ufe0f\U000e0100",  # drawn as nothing
        *"\ue000\ufdd0\U0010ffff\ud800",  # without a meaning
    ],
)
def test_characters_that_nobody_sees_are_refused_in_a_name(character: str) -> None:
    assert name_fault(f"Anna{character}Bob") == "invisible_character"
    assert name_fault(character) is not None
    with pytest.raises(Invalid, match=f"U\\+{ord(character):04X}"):
        checked_name("name", f"Anna{character}Bob")


@given(st.text())
def test_what_is_shown_of_any_text_holds_no_invisible_character(text: str) -> None:
    shown = visible(text)
    assert name_fault(f"a{shown}b") is None
    assert visible(shown) == shown


def test_a_hidden_character_is_shown_by_its_number() -> None:
    assert visible("pay\u202etxt\x1b[2J") == "pay⟨U+202E⟩txt⟨U+001B⟩[2J"
    assert visible("two\nlines\tof it") == "two lines of it"
