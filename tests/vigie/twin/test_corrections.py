"""What people corrected stays through imports; what moved is seen from both places."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from vigie import twin
from vigie.core import journal
from vigie.core.database import Database
from vigie.core.geofiles import ImportReport, Mapping, SourceSpec
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING, Principal, Scope
from vigie.twin import rules

Points = Callable[[list[tuple[dict[str, Any], list[float] | None]]], Path]
AT, NEAR, TALANT = [5.0375, 47.3229], [5.0380, 47.3232], [4.9975, 47.339]
COLUMNS = {"source_id": "id", "name": "nom", "street": "rue", "manufacturer": "make",
           "installed": "year", "parent": "cab"}  # fmt: skip
SOMEONE = Principal(None, "someone", "user")


class Source:
    """One light of one source: as the file says it, and as it is here."""

    def __init__(self, city: Runtime, points_file: Points, name: str) -> None:
        self.city, self.points_file, self.name = city, points_file, name
        self.row: dict[str, Any] = {"id": f"{name}-1", "nom": "Old", "rue": "Rue A", "make": "Acme",
                                    "year": 2011, "cab": None, "w": 60, "h": 8}  # fmt: skip
        self.at: list[float] = AT

    async def load(
        self, at: list[float] | None = None, dry: bool = False, **said: Any
    ) -> ImportReport:
        """Import the file as it is after these changes."""
        self.row |= said
        self.at = at or self.at
        return await twin.import_equipment(
            self.city,
            self.points_file([(self.row, self.at)]),
            mapping=Mapping(kind="Streetlight", source=SourceSpec(name=self.name), columns=COLUMNS,
                            attributes={"power": "w", "height": "h"}),
            dry_run=dry,
        )  # fmt: skip

    async def light(self) -> twin.Asset:
        async with self.city.database.unit() as unit:
            return (await twin.list_assets(unit, f"source:{self.name}")).items[0]

    async def correct(self, **fields: Any) -> None:
        light = await self.light()
        async with self.city.database.unit() as unit:
            await twin.update(unit, light.id, twin.AssetChange(**fields), light.version)


@pytest.fixture
def source(city: Runtime, points_file: Points, request: pytest.FixtureRequest) -> Source:
    return Source(city, points_file, request.node.name.removeprefix("test_")[:40])


def remarks(report: ImportReport) -> list[str]:
    return [w.detail for w in report.warnings if w.code == "corrected"]


async def test_a_correction_stays_when_the_row_changes_elsewhere(source: Source) -> None:
    await source.load()
    await source.correct(name="Mended", attributes={"power": 80}, installed="2012-05-01",
                         street="Rue B", manufacturer="Other")  # fmt: skip
    report = await source.load(h=9, nom="Old")
    assert (report.changed, remarks(report)) == (1, [])
    light = await source.light()
    assert (light.name, light.street, light.lifecycle.manufacturer) == ("Mended", "Rue B", "Other")
    assert str(light.lifecycle.installed) == "2012-05-01"
    assert light.attributes == {"power": 80, "height": 9}, "what nobody corrected follows the file"
    async with source.city.database.unit() as unit:
        assert (await twin.list_assets(unit, f"mended source:{source.name}")).total == 1


async def test_both_changed_ours_stays_and_is_told(source: Source) -> None:
    await source.load()
    await source.correct(name="Mended", attributes={"power": 80})
    for dry in (True, False):
        report = await source.load(dry=dry, nom="New", w=70)
        assert remarks(report) == [
            "its name stays 'Mended' as corrected here; the file says 'New', before 'Old'",
            "its attributes.power stays 80 as corrected here; the file says 70, before 60",
        ]
    light = await source.light()
    assert (light.name, light.attributes["power"]) == ("Mended", 80)
    async with source.city.database.unit() as unit:
        told = (await twin.service.list_journal(unit, light.id)).items[0]
    assert (told.act, told.params["kept"]) == ("twin.equipment_imported", 2)
    assert told.changes[0].before == {"overridden": {"name": "Old", "attributes": {"power": 60}}}
    assert told.changes[0].after == {"overridden": {"name": "New", "attributes": {"power": 70}}}
    again = await source.load()
    assert (again.changed, again.unchanged, remarks(again)) == (0, 1, [])
    assert remarks(await source.load(h=10)) == [], "told once"


async def test_a_source_that_agrees_ends_the_correction(source: Source) -> None:
    await source.load()
    await source.correct(name="Mended")
    assert remarks(await source.load(nom="Mended")) == []
    await source.load(nom="Newest")
    assert (await source.light()).name == "Newest"


async def test_a_correction_taken_back_follows_the_source_again(source: Source) -> None:
    await source.load()
    await source.correct(name="Mended", attributes={"power": 80})
    await source.correct(name="Old", attributes={"power": 60})
    assert remarks(await source.load(nom="New", w=70)) == []
    light = await source.light()
    assert (light.name, light.attributes["power"]) == ("New", 70)


async def test_attributes_added_and_taken_away_by_people_stay(source: Source) -> None:
    await source.load()
    await source.correct(attributes={"note": "by hand", "power": None})
    assert remarks(await source.load(h=9)) == []
    assert (await source.light()).attributes == {"note": "by hand", "height": 9}


async def test_a_position_corrected_stays_with_what_follows_from_it(source: Source) -> None:
    source.row["rue"] = None
    await source.load()
    await source.correct(point=tuple(TALANT))
    assert (await source.light()).municipality == "21617"
    assert remarks(await source.load(nom="New")) == []
    light = await source.light()
    assert (light.name, list(light.point), light.municipality) == ("New", TALANT, "21617")
    assert len(remarks(await source.load(at=NEAR))) == 1
    assert list((await source.light()).point) == TALANT
    async with source.city.database.unit() as unit:
        rows = await unit.execute(
            text("select mercator[0] > 556500 from twin.asset where source = :s"),
            {"s": source.name},
        )
        assert rows.scalar_one() is False, "where the map draws it"


async def test_a_correction_made_during_the_import_is_waited_for(source: Source) -> None:
    await source.load()
    light = await source.light()
    database = source.city.database
    async with database.unit() as unit:
        await twin.update(unit, light.id, twin.AssetChange(name="Mended"), light.version)
        task = asyncio.create_task(source.load(h=9))
        for _ in range(400):
            async with database.unit() as other:
                waiting = await other.execute(
                    text("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                         " and datname = current_database()")
                )  # fmt: skip
                if waiting.scalar_one():
                    break
            await asyncio.sleep(0.05)
        assert not task.done()
    await task
    light = await source.light()
    assert (light.name, light.attributes["height"]) == ("Mended", 9)


async def cabinets(source: Source, *names: str) -> None:
    file = source.points_file([({"id": name}, AT) for name in names])
    mapping = Mapping(kind="StreetlightControlCabinet", source=SourceSpec(name=source.name),
                      columns={"source_id": "id"})  # fmt: skip
    await twin.import_equipment(source.city, file, mapping=mapping)


async def parent(source: Source) -> str | None:
    async with source.city.database.unit() as unit:
        rows = await unit.execute(
            text("select p.source_id from twin.asset a left join twin.asset p on p.id = a.parent"
                 " where a.source = :s and a.kind = 'Streetlight'"),
            {"s": source.name},
        )  # fmt: skip
        return rows.scalar_one()


class Fed(Source):
    async def light(self) -> twin.Asset:
        async with self.city.database.unit() as unit:
            found = await twin.list_assets(unit, f"source:{self.name} kind:Streetlight")
            return found.items[0]


@pytest.fixture
def fed(city: Runtime, points_file: Points, request: pytest.FixtureRequest) -> Fed:
    return Fed(city, points_file, request.node.name.removeprefix("test_")[:40])


async def test_an_unresolved_parent_keeps_the_known_one(fed: Fed) -> None:
    await cabinets(fed, "C1")
    await fed.load(cab="C1")
    report = await fed.load(cab="C9", nom="New")
    assert [w.detail for w in report.warnings] == [
        "its parent 'C9' is no known StreetlightControlCabinet; the one it has stays"
    ]
    assert await parent(fed) == "C1"
    again = await fed.load()
    assert (again.changed, again.unchanged) == (0, 1), "the same file again changes nothing"
    await cabinets(fed, "C9")
    assert (await fed.load()).changed == 1
    assert await parent(fed) == "C9"
    await fed.load(cab=None)
    assert await parent(fed) is None, "the source took it back"


async def test_a_parent_corrected_stays_and_the_same_file_changes_nothing(fed: Fed) -> None:
    await cabinets(fed, "C1", "C2", "C3")
    await fed.load(cab="C1")
    async with fed.city.database.unit() as unit:
        found = await twin.list_assets(unit, f"source:{fed.name} kind:StreetlightControlCabinet")
        ids = {a.source_id: a.id for a in found.items}
    await fed.correct(parent=ids["C2"])
    again = await fed.load()
    assert (again.changed, again.unchanged, await parent(fed)) == (0, 1, "C2")
    assert remarks(await fed.load(nom="New")) == []
    assert await parent(fed) == "C2"
    assert len(remarks(await fed.load(cab="C3"))) == 1
    assert await parent(fed) == "C2"
    again = await fed.load()
    assert (again.changed, again.unchanged) == (0, 1)


values = st.none() | st.integers(0, 3)
records = st.fixed_dictionaries(dict.fromkeys("abc", values)) | st.just({})


@given(
    st.fixed_dictionaries({k: st.integers(0, 3) for k in "abc"}),
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)), max_size=4),
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)), max_size=4),
)
def test_three_ways_is_field_by_field(
    source: dict[str, int], edits: list[dict[str, int]], imports: list[dict[str, int]]
) -> None:
    """Ours is what people wrote last, wherever that is not what the source says."""
    ours, said = dict(source), dict[str, Any]()
    for edit in edits:
        before, after = rules.differences(ours, {**ours, **edit})
        said, ours = rules.corrected(said, before, after), {**ours, **edit}
    assert said == {k: source[k] for k in "abc" if ours[k] != source[k]}
    for change in imports:
        now = {**source, **change}
        fields, after_said, kept = rules.three_ways(said, ours, now)
        for key in "abc":
            assert fields[key] == (ours[key] if key in said else now[key])
        assert {k.field for k in kept} == {
            k for k in said if now[k] != said[k] and now[k] != ours[k]
        }
        source, ours, said = now, fields, after_said
        assert said == {k: now[k] for k in "abc" if ours[k] != now[k]}


async def seen(database: Database, municipality: str, asset: int) -> list[Any]:
    """The acts about an asset that someone of a municipality sees, with their changes."""
    async with database.unit(SOMEONE, Scope(municipalities=frozenset({municipality}))) as unit:
        wanted = journal.Filter(text=f"object:twin.asset/{asset}")
        return (await journal.list_entries(unit, wanted)).items


async def test_a_move_is_seen_from_both_places(source: Source) -> None:
    database = source.city.database
    source.row["rue"] = None
    await source.load()
    light = await source.light()
    await source.correct(point=tuple(TALANT), reason="It stands in Talant")
    for municipality in ("21231", "21617"):
        entry = (await seen(database, municipality, light.id))[0]
        assert (entry.act, entry.changes_count) == ("twin.asset_changed", 1), municipality
        assert entry.changes[0].after["municipality"] == "21617"
        async with database.unit(SOMEONE, Scope(municipalities=frozenset({municipality}))) as unit:
            page = await journal.read_changes(unit, entry.id)
        assert [c.object_id for c in page.items] == [str(light.id)]
    assert await seen(database, "21166", light.id) == []
    async with database.unit(SOMEONE, EVERYTHING) as unit:
        whole = await journal.read_entry(unit, entry.id)
    assert whole.changes_count == 1, "one move, not two changes"


async def test_an_import_that_moves_is_seen_from_both_places(source: Source) -> None:
    await source.load()
    light = await source.light()
    await source.load(at=TALANT)
    for municipality in ("21231", "21617"):
        entry = (await seen(source.city.database, municipality, light.id))[0]
        assert (entry.act, entry.changes_count) == ("twin.equipment_imported", 1), municipality
        assert entry.changes[0].before["municipality"] == "21231", "the move, not the beginning"
