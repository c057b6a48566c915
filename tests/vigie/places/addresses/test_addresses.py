"""Addresses: read as people type them, imported from BAN's CSV, corrected, found."""

from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie import places
from vigie.core import journal, search
from vigie.core.errors import Forbidden, Invalid, NotFound, PreconditionFailed, TooLarge
from vigie.core.journal.read import Filter
from vigie.core.runtime import Runtime
from vigie.core.scope import Grant, Principal, scope_of
from vigie.core.web import build_app
from vigie.places.addresses import importing, rules, service
from vigie.places.addresses.model import AddressChange
from vigie.places.addresses.rules import Reading

ANNE = Principal(None, "anne", "user", (Grant("operator"),))
BRUNO = Principal(None, "bruno", "user", (Grant("operator", "21166"),))
HEAD = (
    "id;id_fantoir;numero;rep;nom_voie;code_postal;code_insee;nom_commune;x;y;lon;lat;"
    "type_position;certification_commune"
)
ROWS = [
    ("21231_1_00012", 12, "", "Rue de la Liberté", "21000", "21231", 5.0380, 47.3221),
    ("21231_1_00012_bis", 12, "bis", "Rue de la Liberté", "21000", "21231", 5.0381, 47.3222),
    ("21231_1_00014", 14, "", "Rue de la Liberté", "21000", "21231", 5.0384, 47.3221),
    ("21231_1_00017", 17, "", "Rue de la Liberté", "21000", "21231", 5.0390, 47.3224),
    ("21231_2_00003", 3, "", "Avenue du Maréchal Foch", "21000", "21231", 5.0290, 47.3235),
    ("21231_3_00005", 5, "", "Rue du 8 Mai 1945", "21000", "21231", 5.0500, 47.3300),
    ("21166_1_00012", 12, "", "Rue de la Liberté", "21300", "21166", 5.0540, 47.2930),
    ("21001_1_00001", 1, "", "Rue Ailleurs", "21110", "21001", 5.2, 47.2),
]


def ban(folder: Path, rows=ROWS, name: str = "adresses-21.csv") -> Path:
    lines = [HEAD]
    for id_, number, rep, street, postcode, insee, lon, lat in rows:
        lines.append(
            f"{id_};;{number};{rep};{street};{postcode};{insee};X;854000.1;6691000.2;{lon};{lat};"
            "entrée;1"
        )
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest_asyncio.fixture(loop_scope="session")
async def town(new_runtime, tmp_path: Path) -> Runtime:
    runtime = await new_runtime()
    async with runtime.database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    report = await places.import_addresses(runtime.database, ban(tmp_path))
    assert (report.read, report.created, report.refused) == (8, 7, 0)
    assert "1 addresses of other municipalities" in " ".join(report.notes)
    return runtime


def unit_of(runtime: Runtime, principal: Principal = ANNE):
    return runtime.database.unit(principal, scope_of(principal.grants))


async def found(runtime: Runtime, query: str) -> list[tuple[str, str, str]]:
    async with unit_of(runtime) as unit:
        return [(p.label, p.accuracy, p.municipality) for p in await service.geocode(unit, query)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("12 bis rue de la Liberté", Reading(12, "bis", "rue de la liberte")),
        ("12bis, rue de la Liberté", Reading(12, "bis", "rue de la liberte")),
        ("12 B rue de la Liberté", Reading(12, "bis", "rue de la liberte")),
        ("12 r de la Liberté", Reading(12, "", "r de la liberte")),
        ("12a rue Foch", Reading(12, "a", "rue foch")),
        ("12 rue Foch 21000 Dijon", Reading(12, "", "rue foch dijon", "21000")),
        ("rue du 8 mai 1945", Reading(0, "", "rue du 8 mai 1945")),
        ("Dijon", Reading(0, "", "dijon")),
    ],
)
def test_an_address_is_read(text, first):
    assert rules.readings(text)[0] == first


def test_a_number_may_come_last():
    assert Reading(12, "bis", "rue de la liberte dijon") in rules.readings(
        "rue de la Liberté 12 bis Dijon"
    )


@given(st.text(max_size=300))
def test_any_text_is_read_without_harm(text):
    for reading in rules.readings(text):
        assert reading.street
        assert 0 <= reading.number <= 9999


@given(
    st.integers(1, 9999),
    st.sampled_from(["", "bis", "ter", "quater"]),
    st.sampled_from(["rue de la Liberté", "avenue Foch", "place Grangier"]),
)
def test_a_label_is_read_back(number, suffix, street):
    label = rules.label(number, suffix, street)
    assert rules.readings(label)[0] == Reading(number, suffix, " ".join(rules.words(street)))


@pytest.mark.parametrize(
    ("query", "label", "accuracy", "municipality"),
    [
        ("12 bis rue de la Liberté", "12 bis Rue de la Liberté", "address", "21231"),
        ("12bis r. de la liberte dijon", "12 bis Rue de la Liberté", "address", "21231"),
        ("12 rue de la liberté 21300", "12 Rue de la Liberté", "address", "21166"),
        ("12 rue de la liberte chenove", "12 Rue de la Liberté", "address", "21166"),
        ("3 av. du Mal Foch", "3 Avenue du Maréchal Foch", "address", "21231"),
        ("3 av foch", "3 Avenue du Maréchal Foch", "address", "21231"),
        ("rue de la liberté 14", "14 Rue de la Liberté", "address", "21231"),
        ("16 rue de la liberté dijon", "14 Rue de la Liberté", "near_number", "21231"),
        ("19 rue de la liberté dijon", "17 Rue de la Liberté", "near_number", "21231"),
        ("rue du 8 mai 1945", "Rue du 8 Mai 1945", "street", "21231"),
        ("5 rue du 8 mai 1945", "5 Rue du 8 Mai 1945", "address", "21231"),
        ("Quetigny", "Quetigny", "municipality", "21515"),
    ],
)
async def test_what_people_type_is_found(town, query, label, accuracy, municipality):
    assert (await found(town, query))[0] == (label, accuracy, municipality)


async def test_what_is_not_there_is_not_found(town):
    assert await found(town, "12 rue zzzz") == []
    assert await found(town, "???") == []


async def test_the_same_file_twice_changes_nothing(town, tmp_path):
    again = await places.import_addresses(town.database, ban(tmp_path))
    assert (again.created, again.changed, again.unchanged, again.missing) == (0, 0, 7, 0)
    moved = [(*ROWS[0][:7], 47.3229), *ROWS[2:]]
    dry = await places.import_addresses(town.database, ban(tmp_path, moved), dry_run=True)
    assert (dry.created, dry.changed, dry.unchanged, dry.missing) == (0, 1, 5, 1)
    changed = await places.import_addresses(town.database, ban(tmp_path, moved))
    assert (changed.created, changed.changed, changed.missing) == (0, 1, 1)
    async with unit_of(town) as unit:
        acts = await journal.list_entries(unit, Filter(acts=("places.addresses_imported",)))
        assert [a.params["changed"] for a in acts.items] == [1, 0]


async def test_a_correction_survives_the_next_import(town, tmp_path):
    async with unit_of(town) as unit:
        place = (await service.geocode(unit, "14 rue de la liberté dijon"))[0]
        fixed = await service.correct_address(
            unit, place.address, AddressChange(number=16, point=(5.0386, 47.3223)), None
        )
        assert (fixed.number, fixed.corrected, fixed.version) == (16, ["number", "point"], 2)
        with pytest.raises(PreconditionFailed):
            await service.correct_address(unit, fixed.id, AddressChange(number=18), 1)
    same = await places.import_addresses(town.database, ban(tmp_path))
    assert (same.changed, same.unchanged) == (0, 7)
    # The file changes what was corrected, and what was not.
    other = (*ROWS[2][:1], 20, "", "Rue de la Liberté", "21009", "21231", 5.0384, 47.3221)
    third = await places.import_addresses(town.database, ban(tmp_path, [*ROWS[:2], other]))
    assert third.changed == 1
    assert [w.code for w in third.warnings] == ["corrected"]
    async with unit_of(town) as unit:
        now = await service.read_address(unit, fixed.id)
        assert (now.number, now.postcode, now.point) == (16, "21009", (5.0386, 47.3223))
        assert now.corrected == ["number", "point"]
        # Set back to what the file says, it follows the file again.
        back = await service.correct_address(unit, now.id, AddressChange(number=20), None)
        assert back.corrected == ["point"]
    agreed = (*ROWS[2][:1], 21, "", "Rue de la Liberté", "21009", "21231", 5.0386, 47.3223)
    await places.import_addresses(town.database, ban(tmp_path, [agreed]))
    async with unit_of(town) as unit:
        last = await service.read_address(unit, fixed.id)
        assert (last.number, last.corrected) == (21, [])


async def test_one_corrects_in_ones_own_municipalities(town):
    async with unit_of(town, BRUNO) as unit:
        place = (await service.geocode(unit, "14 rue de la liberté dijon"))[0]
        with pytest.raises(Forbidden):
            await service.correct_address(unit, place.address, AddressChange(number=1), None)
        own = (await service.geocode(unit, "12 rue de la liberté chenôve"))[0]
        fixed = await service.correct_address(
            unit, own.address, AddressChange(street="Rue Neuve", suffix="B"), None
        )
        assert (fixed.street, fixed.suffix) == ("Rue Neuve", "bis")
        assert (await service.geocode(unit, "12 bis rue neuve"))[0].address == fixed.id
        with pytest.raises(NotFound):
            await service.read_address(unit, 987654)


async def test_a_correction_that_rolls_back_is_not_remembered(town):
    with pytest.raises(RuntimeError):
        async with unit_of(town) as unit:
            place = (await service.geocode(unit, "3 av foch"))[0]
            await service.correct_address(
                unit, place.address, AddressChange(street="Rue Inventée"), None
            )
            assert (await service.geocode(unit, "3 rue inventee"))[0].address == place.address
            raise RuntimeError
    assert await found(town, "3 rue inventee") == []
    assert (await found(town, "3 av foch"))[0][1] == "address"


async def test_the_nearest_address_to_a_place(town):
    async with unit_of(town) as unit:
        near = await service.reverse(unit, (5.03802, 47.32212))
        assert (near.label, near.municipality_name) == ("12 Rue de la Liberté", "Dijon")
        assert near.distance_m == pytest.approx(2.7, abs=0.5)
        far = await service.reverse(unit, (5.0600, 47.3350))
        assert (far.address, far.distance_m, far.municipality) == (None, None, "21231")


async def test_houses_are_found_in_the_search_box(town):
    async with unit_of(town) as unit:
        items = (await search.find(unit, "12 bis rue de la liberté")).items
        house = next(item for item in items if item.type == "address")
        assert (house.label, house.detail, house.group) == (
            "12 bis Rue de la Liberté", "Dijon", "places.address",
        )  # fmt: skip
        assert house.point == (5.0381, 47.3222)
        words = (await search.find(unit, "rue de la liberté")).items
        assert not [item for item in words if item.type == "address"]


async def test_rows_that_are_no_address(town, tmp_path):
    rows = [
        ("a", 99999, "", "Lieu-dit", "", "21231", 5.03, 47.32),
        ("b", "12 x", "", "Rue A", "", "21231", 5.03, 47.32),
        ("c", 1, "", " - ", "", "21231", 5.03, 47.32),
        ("d", 1, "", "Rue A", "", "21231", "", ""),
        ("e", 1, "", "R" * 400, "", "21231", 5.03, 47.32),
        ("f", 1, "", "Rue A", "", "21231", 5.03, 47.32),
        ("f", 2, "", "Rue A", "", "21231", 5.03, 47.32),
    ]
    report = await places.import_addresses(
        town.database, ban(tmp_path, rows), source="odd", dry_run=True
    )
    assert report.created == 1
    assert report.refused_by == {
        "number": 2, "no_street": 1, "no_geometry": 1, "too_long": 1, "twice": 1,
    }  # fmt: skip


async def test_a_file_without_addresses_is_refused(town, tmp_path, monkeypatch):
    file = tmp_path / "x.csv"
    file.write_text("lon;lat;name\n5;47;x\n")
    with pytest.raises(Invalid, match="number"):
        await places.import_addresses(town.database, file)
    monkeypatch.setattr(importing, "MOST_ROWS", 3)
    with pytest.raises(TooLarge):
        await places.import_addresses(town.database, ban(tmp_path), source="many")
    async with unit_of(town) as unit:
        raw = await unit.raw()
        counted = await (await raw.execute(
            "select count(*) from places.address where source = 'many'"
        )).fetchone()  # fmt: skip
        assert counted == (0,)


async def test_the_routes_of_the_api(town):
    app = build_app(town, ROUTES, PERMISSIONS, ROLES)
    anne = await person(app, town, "anne", "operator")
    viewer = await person(app, town, "viola", "viewer")
    answer = await viewer.get("/api/v1/places/geocode", params={"q": "12 rue de la liberté dijon"})
    assert answer.status_code == 200, answer.text
    place = answer.json()["items"][0]
    path = f"/api/v1/places/addresses/{place['address']}"
    assert (await viewer.get(path)).json()["street"] == "Rue de la Liberté"
    assert (await viewer.patch(path, json={"number": 13})).status_code == 403
    fixed = await anne.patch(path, json={"number": 13}, headers={"If-Match": '"1"'})
    assert (fixed.status_code, fixed.json()["number"]) == (200, 13)
    assert (await anne.patch(path, json={"number": -1})).status_code == 422
    where = await viewer.get("/api/v1/places/reverse", params={"lon": 5.038, "lat": 47.3221})
    assert where.json()["label"] == "13 Rue de la Liberté"
    assert (await viewer.get("/api/v1/places/addresses/987654")).status_code == 404
    assert (await viewer.get("/api/v1/places/geocode", params={"q": ""})).status_code == 422
    assert (await viewer.get("/api/v1/places/reverse", params={"lon": 500, "lat": 0})).status_code \
        == 422  # fmt: skip
