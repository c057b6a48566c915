"""Finding places as people type."""

import pytest

from vigie.core.text import fold
from vigie.places.gazetteer import Gazetteer, Named

NAMES = [
    "Rue de la Liberté", "Place de la Liberté", "Rue Jean Jaurès", "Avenue Jean Jaurès",
    "Rue de l’Œuvre", "Rue Liberte Chérie", "Boulevard de Brosses", "Rue de Brosses",
    "Avenue Saint-Exupéry", "Rue Ste-Anne", "Rue du Stade",
]  # fmt: skip


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    streets = [
        Named("street", str(i), n, "Dijon", fold(n), (5.0, 47.3), None) for i, n in enumerate(NAMES)
    ]
    towns = [
        Named("municipality", code, name, code, fold(name), (5.0, 47.3), None)
        for code, name in (("21231", "Dijon"), ("21540", "Saint-Apollinaire"),
                           ("21171", "Chevigny-Saint-Sauveur"))
    ]  # fmt: skip
    return Gazetteer([*streets, *towns])


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("rue de la liberte", "Rue de la Liberté"),
        ("RUE LIB", "Rue Liberte Chérie"),
        ("liberté place", "Place de la Liberté"),
        ("jaures jean av", "Avenue Jean Jaurès"),
        ("oeuvre", "Rue de l’Œuvre"),
        ("dij", "Dijon"),
        ("21231", "Dijon"),
        ("boulevard brosses", "Boulevard de Brosses"),
        ("dijon oeuvre", "Rue de l’Œuvre"),
        ("st apollinaire", "Saint-Apollinaire"),
        ("saint apo", "Saint-Apollinaire"),
        ("Chevigny St Sauveur", "Chevigny-Saint-Sauveur"),
        ("av. st-exupéry", "Avenue Saint-Exupéry"),
        ("sainte anne", "Rue Ste-Anne"),
        ("rue ste anne", "Rue Ste-Anne"),
        ("rue de l\u02bcœuvre", "Rue de l’Œuvre"),
        ("rue du sta", "Rue du Stade"),
    ],
)
def test_first_answer(gazetteer: Gazetteer, typed: str, first: str) -> None:
    assert gazetteer.search(typed)[0].label == first


@pytest.mark.parametrize("typed", ["", "   ", "zzz", "rue zzz", "'", "\x00", "x" * 5000])
def test_nothing_found(gazetteer: Gazetteer, typed: str) -> None:
    assert gazetteer.search(typed) == []


def test_another_kind_of_way_of_that_name_is_found(gazetteer: Gazetteer) -> None:
    found = {hit.label for hit in gazetteer.search("place de brosses")}
    assert found == {"Rue de Brosses", "Boulevard de Brosses"}


def test_the_start_of_a_word_may_also_be_an_abbreviation(gazetteer: Gazetteer) -> None:
    assert {hit.label for hit in gazetteer.search("rue st")} == {"Rue du Stade", "Rue Ste-Anne"}


def test_limit_and_names(gazetteer: Gazetteer) -> None:
    assert len(gazetteer.search("rue", 2)) == 2
    assert gazetteer.search("rue", 0) == []
    assert gazetteer.names("street", ["rue de la liberte"]) == ["Rue de la Liberté"]
    assert gazetteer.names("street", ["dijon"]) == []
    assert gazetteer.names("street", [fold("rue sainte anne")]) == ["Rue Ste-Anne"]


def test_many_names_stay_quick() -> None:
    many = Gazetteer(
        Named("street", str(i), f"Rue {i}", "X", f"rue {i}", (5.0, 47.0), None)
        for i in range(30_000)
    )
    assert len(many.search("rue", 10)) == 10
    assert many.search("rue 29999")[0].label == "Rue 29999"
