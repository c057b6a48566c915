"""Equipment and places over HTTP: answers, headers, and what another town's operator sees."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie import places, twin
from vigie.app import bind
from vigie.core.geofiles import Mapping
from vigie.core.runtime import Runtime
from vigie.core.web import build_app

Points = Callable[[list[tuple[dict[str, Any], list[float] | None]]], Path]
API = "/api/v1"


async def street(city: Runtime, folder: Path) -> None:
    """One street of Dijon."""
    line = {"type": "LineString", "coordinates": [[5.037, 47.323], [5.039, 47.323]]}
    feature = {"type": "Feature", "properties": {"name": "Rue de la Liberté"}, "geometry": line}
    file = folder / "streets.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    await places.import_streets(city.database, file)


async def test_equipment_over_http(city: Runtime, points_file: Points, tmp_path: Path) -> None:
    rows = [({"id": f"D-{i}"}, [5.0375 + i * 1e-4, 47.3229]) for i in range(5)]
    file = points_file([*rows, ({"id": "T-0"}, [4.9975, 47.339])])
    mapping = Mapping(kind="Streetlight", columns={"source_id": "id"})
    await twin.import_equipment(city, file, mapping=mapping)
    await street(city, tmp_path)
    app = build_app(city, ROUTES, PERMISSIONS, ROLES)
    admin = await person(app, city, "ada", "administrator")
    dijon = await person(app, city, "dora", "operator@21231/lighting")
    talant = await person(app, city, "tom", "operator@21617")

    page = (await admin.get(f"{API}/assets", params={"limit": 2})).json()
    assert (page["total"], len(page["items"])) == (6, 2)
    more = (await admin.get(f"{API}/assets", params={"cursor": page["next"]})).json()
    assert (len(more["items"]), more["next"]) == (4, None)
    light = next(a for a in more["items"] + page["items"] if a["source_id"] == "D-1")
    path = f"{API}/assets/{light['id']}"
    assert light["topology"] == {
        "parent": None, "ancestors": [], "children_count": 0, "feeder": "",
    }  # fmt: skip
    assert set(light["lifecycle"]) == {
        "installed", "commissioned", "retired", "manufacturer", "model",
    }  # fmt: skip

    read = await dijon.get(path)
    assert (read.status_code, read.headers["etag"]) == (200, '"1"')
    again = await admin.get(path, headers={"If-None-Match": '"1"'})
    assert again.status_code == 200, "its state has no version"
    assert again.headers["cache-control"] == "no-store"
    for url in (path, f"{path}/journal"):
        assert (await talant.get(url)).status_code == 404
    hidden = await talant.get(f"{API}/search", params={"q": light["token"]})
    assert hidden.json() == {"items": []}
    exported = (await talant.get(f"{API}/assets.geojson")).json()
    assert [f["properties"]["source_id"] for f in exported["features"]] == ["T-0"]
    table = await dijon.get(f"{API}/assets.csv", params={"filter": "municipality:Dijon"})
    assert table.text.count("\r\n") == 6
    assert table.headers["content-type"].startswith("text/csv")
    assert (await talant.get(f"{API}/assets.csv")).text.count("\r\n") == 2

    for signs in ("?!", '"-"', "municipality:Dijon …"):
        page = (await dijon.get(f"{API}/assets", params={"filter": signs})).json()
        assert (page["items"], page["total"]) == ([], 0), signs
    bad = await dijon.get(f"{API}/assets.geojson", params={"filter": "colour:red"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_filter")
    assert (await dijon.patch(path, json={"name": "x"})).status_code == 403
    assert (await admin.patch(path, json={"name": "x"})).status_code == 422
    for tag, answer in (
        ("\u00b2", (412, "version_changed")),
        ('"\u00b2"', (412, "version_changed")),
        ('"-1"', (412, "version_changed")),
        ("*", (422, "if_match_missing")),
    ):
        bad = await admin.patch(
            path, json={"name": "x"}, headers={"If-Match": tag.encode("latin-1")}
        )
        assert (bad.status_code, bad.json()["code"]) == answer
    hidden = {"name": "Neuf\u202e", "model": "\u200b"}
    for field, value in hidden.items():
        bad = await admin.patch(path, json={field: value}, headers={"If-Match": '"1"'})
        assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, field)
    changed = await admin.patch(path, json={"name": "Neuf"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["name"]) == (200, "Neuf")
    stale = await admin.patch(path, json={"name": "y"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    told = (await dijon.get(f"{path}/journal")).json()["items"]
    assert [e["act"] for e in told] == ["twin.asset_changed", "twin.equipment_imported"]

    found = (await dijon.get(f"{API}/search", params={"q": "rue de la liberte"})).json()["items"]
    assert (found[0]["type"], found[0]["label"]) == ("street", "Rue de la Liberté")
    exact = (await dijon.get(f"{API}/search", params={"q": light["token"]})).json()["items"]
    assert (exact[0]["type"], exact[0]["address"]) == ("asset", f"/asset/{light['id']}")
    kinds = (await talant.get(f"{API}/kinds")).json()["items"]
    assert {k["name"] for k in kinds} >= {"Streetlight", "StreetlightControlCabinet"}


@pytest.mark.parametrize(
    "typed",
    [
        "id:1e9999999",
        "parent:1e9999999",
        "-id:1,1e9999999",
        " ".join(" ".join("abcdefghijkl") for _ in range(40))[:1000],
        " ".join(f'"{c}a {c}b {c}c {c}d {c}e {c}f {c}g"' for c in "abcdefghij"),
        "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM} " * 39,
        "status:fault,silent,retired " * 30,
    ],
)
async def test_a_filter_that_would_cost_too_much_is_refused_with_the_reason(
    city: Runtime, typed: str
) -> None:
    app = build_app(city, ROUTES, PERMISSIONS, ROLES)
    who = f"costly-{abs(hash(typed))}"
    async with await person(app, city, who, "administrator") as admin:
        for path in ("assets", "assets.geojson", "assets.csv"):
            refused = await admin.get(f"{API}/{path}", params={"filter": typed})
            assert (refused.status_code, refused.json()["code"]) == (422, "bad_filter"), path
            assert refused.json()["params"]["reason"] in {"value", "too_costly", "too_many"}


async def test_a_time_without_offset_is_refused_alike_everywhere(
    city: Runtime, points_file: Points
) -> None:
    file = points_file([({"id": "N-1"}, [5.0375, 47.3229])])
    mapping = Mapping(kind="Streetlight", columns={"source_id": "id"})
    await twin.import_equipment(city, file, mapping=mapping)
    app = build_app(city, ROUTES, PERMISSIONS, ROLES)
    async with await person(app, city, "timely", "administrator") as admin:
        light = (await admin.get(f"{API}/assets")).json()["items"][0]["id"]
        for path in (f"assets/{light}/history?metric=dimmingLevel&", "journal?"):
            naive = await admin.get(f"{API}/{path}from=2026-11-23T00:00:00&to=2026-11-24T00:00:00Z")
            assert (naive.status_code, naive.json()["errors"][0]["code"]) == (422, "no_offset")
            aware = await admin.get(
                f"{API}/{path}from=2026-11-23T00:00:00Z&to=2026-11-23T22:00:00%2B02:00"
            )
            assert aware.status_code == 200
        filtered = await admin.get(f"{API}/journal?filter=recorded:>=2026-11-23T00:00:00")
        assert filtered.json()["params"]["reason"] == "value"
        assert "offset" in filtered.json()["detail"]
        body = {"name": "t", "permissions": ["twin.read"], "expires": "2027-01-01T00:00:00"}
        token = await admin.post(f"{API}/tokens", json=body)
        assert (token.status_code, token.json()["errors"][0]["field"]) == (422, "expires")


async def test_the_api_takes_its_days_from_the_territory(city: Runtime) -> None:
    bind(city)
    async with city.database.unit() as unit:
        assert str(await unit.zone()) == "Europe/Paris"
        page = await twin.list_assets(unit, "status:active")
        assert page.total == len(page.items)


async def test_the_base_map_is_light_and_kept(city: Runtime, tmp_path: Path) -> None:
    await street(city, tmp_path)
    app = build_app(city, ROUTES, PERMISSIONS, ROLES)
    vera = await person(app, city, "vera", "viewer@21617")
    territory = (await vera.get(f"{API}/territory")).json()
    assert (territory["code"], len(territory["municipalities"])) == ("dijon", 23)
    url = f"{API}/territory/streets.geojson"
    answer = await vera.get(url)
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["features"][0]["properties"]["name"] == "Rue de la Liberté"
    again = await vera.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    plain = await vera.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.json() == answer.json()
    contours = (await vera.get(f"{API}/territory/municipalities.geojson")).json()
    assert contours["features"] == []
