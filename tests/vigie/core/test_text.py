"""Folding, as people type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.text import fold, successor, words


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


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_folded_text_is_words_parted_by_one_space(text: str) -> None:
    folded = fold(text)
    assert folded == " ".join(words(text))
    assert all(c.isalnum() or c == " " for c in folded)


@given(st.text(alphabet=st.characters(codec="utf-8"), min_size=1))
def test_case_and_accents_do_not_matter(text: str) -> None:
    assert fold(text.upper().lower()) == fold(text.lower().upper().lower())


@given(st.text(alphabet=st.characters(codec="utf-8")), st.text(alphabet="abé1 "))
def test_a_prefix_range_holds_what_starts_so(start: str, rest: str) -> None:
    low, high, word = start.encode(), successor(start).encode(), (start + rest).encode()
    assert low <= word < high
