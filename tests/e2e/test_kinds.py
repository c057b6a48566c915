"""Several kinds of equipment on the map and in the panel: a small city with more than lights."""

import contextlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.centre import Centre
from tests.support.desk import seated
from tests.support.ledgers import owner
from vigie.twin import kinds
from vigie.twin.kinds import value_of

pytestmark = pytest.mark.e2e

# By kind, what some of them show; the others show something normal.
SHOWN: dict[str, list[dict[str, Any]]] = {
    "RetractableBollard": [
        {"barrier": "blocked", "mode": "automatic", "cycles": 48211, "oilTemperature": 18.44},
        {"barrier": "raised", "mode": "automatic", "supplyLoss": 1, "cycles": 1204},
        {"barrier": "lowered", "mode": "forced_open", "presence": 1},
    ],
    "TrafficLightController": [
        {"mode": "normal", "plan": 3, "cycleSecond": 41, "stage": 2, "lampFault": 0},
        {"mode": "flashing", "plan": 0},
    ],
    "Camera": [
        {"stream": "on", "recording": "recording", "pan": 112.5, "zoom": 2.5},
        {"stream": "lost"},
    ],
    "WeatherStation": [{"temperature": 3.42, "windSpeed": 4.1, "windDirection": 240}],
    "RiverGauge": [{"waterLevel": 1.834, "flow": 12.6}],
    "WasteContainer": [{"fillingLevel": 71}, {"fillingLevel": 96, "fire": 1}],
    "Bus": [
        {"speed": 8.2, "heading": 45, "delay": 190, "service": "in_service"},
        {"speed": 0, "heading": 300, "delay": 0, "service": "broken_down"},
    ],
    "ParkingSpot": [{"occupied": "free"}, {"occupied": "occupied"}],
}
EACH = 30
BLOCKED = {"fr": "Borne : bloquée", "en": "Bollard: blocked"}
LOWER = {"fr": "Abaisser la borne", "en": "Lower the bollard"}
PICTURE = """([lon, lat, zoom]) => new Promise((done) => {
  const { map } = window.__vigie;
  map.jumpTo({ center: [lon, lat], zoom });
  map.once("idle", () => done(null));
  map.triggerRepaint();
})"""


def features(kind: str, number: int, center: tuple[float, float]) -> dict[str, Any]:
    """A file of one kind: on a spiral of its own around the centre."""

    def point(i: int) -> list[float]:
        turn = i * 2.4 + number
        away = 0.0005 + 0.0011 * math.sqrt(i)
        return [center[0] + 1.4 * away * math.cos(turn), center[1] + away * math.sin(turn)]

    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": point(i)},
                "properties": {"ID": f"{kind}-{i}"},
            }
            for i in range(EACH)
        ],
    }


def show(centre: Centre) -> None:
    """Give the imported equipment a state, as if it had just been told."""
    with owner(centre) as database:
        for name, shown in SHOWN.items():
            kind = kinds.kinds()[name]
            rows = database.execute(
                "select id, lon, lat from twin.asset where kind = %s and source_id like %s"
                " order by id",
                [name, f"{name}-%"],
            ).fetchall()
            for i, (asset, lon, lat) in enumerate(rows):
                said = shown[i] if i < len(shown) else shown[0] if i % 3 else {}
                if i >= len(shown):
                    said = {
                        point: value
                        for point, value in said.items()
                        if value_of(kind.points[kind.slots[point]], value)
                        not in kind.points[kind.slots[point]].abnormal_values
                    }
                said = {"longitude": lon, "latitude": lat, **said} if kind.moves else said
                values = [
                    value_of(point, said[point.name]) if point.name in said else float("nan")
                    for point in kind.points
                ]
                if said:
                    database.execute(
                        "insert into twin.state (asset, n, at, recorded, boot, vals)"
                        " values (%s, 1, now(), now(), 1, %s)",
                        [asset, values],
                    )


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre with a small city, and around its middle eight kinds whose state is known."""
    folder = tmp_path_factory.mktemp("kinds")
    centre = Centre(folder / "var")
    try:
        centre.up("--lights", "300", "--failure-rate", "0")
        centre.await_city()
        with contextlib.closing(centre.login()) as admin:
            center = tuple(admin.get("/api/v1/territory").json()["center"])
        mapping = folder / "mapping.toml"
        mapping.write_text('[columns]\nsource_id = "ID"\n')
        for number, kind in enumerate(SHOWN):
            file = folder / f"{kind}.geojson"
            file.write_text(json.dumps(features(kind, number, center)))
            arguments = ("import", "equipment", str(file), "--kind", kind)
            if number == len(SHOWN) - 1:
                # The last import makes the live picture read what the others show.
                show(centre)
            centre.command(*arguments, "--mapping", str(mapping))
        yield centre
    finally:
        centre.stop()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_kind_is_drawn_opened_and_commanded(
    browser: Browser, mixed: Centre, pictures: Path, language: str
) -> None:
    """Clusters far away, faces near, layers by kind, a panel from the declaration; both themes."""
    with (
        contextlib.closing(mixed.login()) as session,
        seated(browser, mixed, language, session) as desk,
    ):
        page = desk.page
        theme = {"fr": "dark", "en": "light"}[language]
        page.add_init_script(f"localStorage.setItem('vigie.theme', '{theme}')")
        page.goto("/")
        expect(page.get_by_test_id("live-indicator")).to_have_attribute("data-live", "true")
        page.wait_for_function(f"() => window.__vigie?.kinds().Camera >= {EACH}")
        center = session.get("/api/v1/territory").json()["center"]
        page.evaluate(PICTURE, [*center, 12.2])
        page.wait_for_function("() => window.__vigie.clusters() > 0")
        page.wait_for_timeout(1500)
        desk.picture(pictures / f"kinds-far-{language}.png")
        page.evaluate(PICTURE, [*center, 16])
        page.wait_for_function("() => window.__vigie.clusters() === null")
        page.wait_for_timeout(1000)
        desk.picture(pictures / f"kinds-near-{language}.png")

        page.get_by_test_id("layers").click()
        row = page.get_by_test_id("layer-Camera")
        cameras = {"filter": "kind:Camera", "limit": 1}
        total = session.get("/api/v1/assets", params=cameras).json()["total"]
        expect(row).to_have_attribute("data-count", str(total))
        desk.picture(pictures / f"kinds-layers-{language}.png")
        page.keyboard.press("Escape")

        with owner(mixed) as database:
            query = "select id from twin.asset where source_id = 'RetractableBollard-0'"
            [bollard] = database.execute(query).fetchone() or [None]
        page.goto(f"/?light={bollard}")
        panel = page.get_by_test_id("asset-panel")
        expect(panel).to_contain_text(BLOCKED[language])
        page.get_by_test_id("verb-lower").click()
        expect(page.get_by_test_id("command-submit")).to_have_text(LOWER[language])
        expect(page.get_by_test_id("command-submit")).to_be_disabled()
        page.get_by_test_id("verb-set_mode").click()
        page.wait_for_timeout(1500)
        desk.picture(pictures / f"kinds-panel-{language}.png")
