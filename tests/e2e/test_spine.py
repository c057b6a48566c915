"""The main job, from the login to the journal: lights watched, searched, commanded, accounted for.

What an operator does, in a real browser, on a real centre; the journal says who, when and why. On
the synthetic city that ships; the first night also on 29,969 published lights where they are.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import LIGHTS
from tests.support.centre import SHARED, Centre, json
from tests.support.cities import montpellier
from tests.support.desk import Desk, both_languages, log_in
from tests.support.people import new_account
from vigie.core.text import fold

pytestmark = pytest.mark.e2e

REASON = "Essai de nuit du secteur Gambetta"
DIJON, FONTAINE = "21231", "21278"
EVERY_REPORT_S = 75

# A square on the screen around the middle light that holds exactly `count` lights.
SQUARE = """
async (count) => {
  const { map } = window.__vigie;
  const assets = [];
  let cursor = '';
  const answer = await fetch('/api/v1/assets.geojson?filter=kind:Streetlight');
  for (const feature of (await answer.json()).features) {
    const point = map.project(feature.geometry.coordinates);
    assets.push([point.x, point.y]);
  }
  const box = map.getCanvas().getBoundingClientRect();
  const middle = [box.width / 2, box.height / 2];
  const reach = assets
    .map(([x, y]) => Math.max(Math.abs(x - middle[0]), Math.abs(y - middle[1])))
    .sort((a, b) => a - b);
  const half = (reach[count - 1] + reach[count]) / 2;
  return {
    left: box.left + middle[0] - half, top: box.top + middle[1] - half,
    right: box.left + middle[0] + half, bottom: box.top + middle[1] + half, half,
  };
}
"""


def only_lights(desk: Desk) -> None:
    """Show street lights alone: what is not shown is not selected."""
    page = desk.page
    picker = page.get_by_test_id("layers")
    if picker.count() == 0:
        # A city of street lights alone has nothing to choose between.
        return
    picker.click()
    panel = page.get_by_test_id("layer-panel")
    for trade in panel.locator("fieldset").all():
        trade.locator("input").first.set_checked(False)
    panel.get_by_test_id("layer-Streetlight").locator("input").set_checked(True)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)


def select_square(desk: Desk, count: int) -> None:
    """Box-select exactly `count` lights around the middle of the map, with Shift and the mouse."""
    page = desk.page
    square: dict[str, Any] = page.evaluate(SQUARE, count)
    while square["half"] > 380:
        page.get_by_role("button", name="Dézoomer").click()
        page.wait_for_timeout(800)
        square = page.evaluate(SQUARE, count)
    page.mouse.move(square["left"], square["top"])
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(square["right"], square["bottom"], steps=8)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.get_by_test_id("selection-count")).to_have_attribute("data-count", str(count))


def set_level(desk: Desk, level: int, reason: str) -> None:
    """Fill the command form of the open panel and act."""
    page = desk.page
    page.get_by_test_id("level-input").fill(str(level))
    page.get_by_test_id("reason-input").fill(reason)
    page.get_by_test_id("command-submit").click()


@dataclass(frozen=True)
class City:
    """A centre that runs, how many lights it has, and a street of it as its file writes it."""

    name: str
    centre: Centre
    lights: int
    street: str


@pytest.fixture(scope="module", params=["synthetic", "published"])
def city(request: pytest.FixtureRequest) -> Iterator[City]:
    """The synthetic city of the shared centre, or Montpellier's published lights in their own."""
    if request.param == "synthetic":
        centre: Centre = request.getfixturevalue("centre")
        yield City("synthetic", centre, LIGHTS, accented_street(centre))
        return
    if not SHARED.exists():
        pytest.skip("the published data of ../shared/data is not here: run on the synthetic city")
    folder = request.getfixturevalue("tmp_path_factory").mktemp("montpellier")
    centre = Centre(folder / "var", territory=str(montpellier(folder / "city")))
    try:
        centre.up("--city", str(folder / "city"), "--failure-rate", "0")
        centre.await_city()
        yield City("montpellier", centre, 29_969, "République")
    finally:
        centre.stop()


def accented_street(centre: Centre) -> str:
    """A street of the synthetic city that one finds only when accents do not matter."""
    with contextlib.closing(centre.login()) as client:
        lights = json(client.get("/api/v1/assets", params={"limit": 500}))["items"]
    return next(light["street"] for light in lights if not light["street"].isascii())


def test_first_night(desk: Desk, city: City, pictures: Path) -> None:
    """Open, watch every lamp report within 60 s, search, select 500, set 40%, read the journal."""
    centre, page = city.centre, desk.page
    with contextlib.closing(centre.login()) as admin:
        username, password = new_account(admin)
    log_in(desk, centre, username, password)
    await_reports(desk, city.lights)
    desk.picture(pictures / f"map-{city.name}.png")

    page.get_by_test_id("search-input").click()
    page.keyboard.type(fold(city.street))
    first = page.get_by_test_id("search-result").first
    expect(first).to_contain_text(city.street, ignore_case=True)
    first.click()
    page.wait_for_timeout(1500)
    page.keyboard.press("Escape")

    only_lights(desk)
    select_square(desk, 500)
    set_level(desk, 40, REASON)
    expect(page.get_by_test_id("count-confirmed")).to_have_attribute(
        "data-count", "500", timeout=60_000
    )
    desk.picture(pictures / f"command-500-{city.name}.png")

    client = centre.login(username, password + "-changed")
    commands = json(client.get("/api/v1/commands"))["items"]
    assert commands[0]["counts"]["confirmed"] == 500
    entry = next(
        e for e in json(client.get("/api/v1/journal"))["items"] if e["act"] == "control.commanded"
    )
    assert entry["reason"] == REASON
    assert entry["actor"]["name"] == username
    assert entry["changes_count"] == 500
    asset = entry["changes"][0]["object_id"]
    detail = json(client.get(f"/api/v1/assets/{asset}"))
    assert detail["state"]["dimmingLevel"]["value"] == pytest.approx(40, abs=0.5)
    of_object = json(client.get(f"/api/v1/assets/{asset}/journal"))["items"]
    assert entry["id"] in [e["id"] for e in of_object]

    page.goto(f"{centre.url}/journal")
    expect(page.get_by_test_id("journal-entry").filter(has_text=REASON).first).to_be_visible()
    desk.picture(pictures / f"journal-{city.name}.png")


def test_another_municipality_sees_nothing(centre: Centre) -> None:
    """An operator of Fontaine-lès-Dijon: no list, object, export or channel of Dijon's."""
    client = centre.login()
    of_dijon = {"filter": f"kind:Streetlight municipality:{DIJON}"}
    asset = json(client.get("/api/v1/assets", params={**of_dijon, "limit": 1}))["items"][0]["id"]
    command = json(order(client, asset, "dijon"))["id"]
    username, password = new_account(client, municipality=FONTAINE)
    other = centre.login(username, password)

    assert json(other.get("/api/v1/assets", params=of_dijon))["items"] == []
    page = json(other.get("/api/v1/assets", params={"limit": 500}))
    assert {own["municipality"] for own in page["items"]} == {FONTAINE}
    for path in (f"/api/v1/assets/{asset}", f"/api/v1/assets/{asset}/history?metric=activePower"):
        assert other.get(path).status_code == 404
    for params, count in ((of_dijon, 0), ({}, page["total"])):
        features = json(other.get("/api/v1/assets.geojson", params=params))["features"]
        rows = other.get("/api/v1/assets.csv", params=params).text.strip().splitlines()[1:]
        assert len(features) == len(rows) == count
    assert order(other, asset, "fontaine").status_code == 404
    assert other.get(f"/api/v1/commands/{command}").status_code == 404
    assert command not in [c["id"] for c in json(other.get("/api/v1/commands"))["items"]]

    mine, theirs = (f"{place}/lighting/Streetlight" for place in (FONTAINE, DIJON))
    frames = live(other, centre, [mine, theirs])
    refused = [f["channel"] for f in frames if f.get("code") == "not_found"]
    assert refused == [theirs]
    channels = {f["channel"] for f in flattened(frames) if f.get("op") in ("snapshot", "delta")}
    assert channels == {mine}


@pytest.mark.long
def test_a_second_night_names_exactly_the_lamps_that_fail(
    operator: Desk, centre: Centre, simcity: Callable[..., dict[str, Any]], pictures: Path
) -> None:
    """Some lamps do not answer or refuse: those, and no other, did not confirm."""
    page = operator.page
    await_reports(operator, LIGHTS)
    lamps = sorted(simcity(op="levels")["levels"])
    broken = dict(zip(lamps[::40], ("silent", "refuses", "lampFailure") * 99, strict=False))
    try:
        for device, mode in broken.items():
            simcity(op="fault", device=device, mode=mode)
        only_lights(operator)
        select_square(operator, 500)
        set_level(operator, 43, "Second essai de nuit")
        client = centre.login()
        command = json(client.get("/api/v1/commands"))["items"][0]
        assert command["params"] == {"level": 43}
        expected = set(broken) & set(targets(client, command["id"]))
        assert len({broken[lamp] for lamp in expected}) == 3, "too few faults among 500 lights"
        missing = page.get_by_test_id("not-confirmed-list")
        expect(missing).to_have_attribute("data-count", str(len(expected)), timeout=150_000)
        expect(page.get_by_test_id("count-confirmed")).to_have_attribute(
            "data-count", str(500 - len(expected))
        )
        expect(page.get_by_test_id("not-confirmed")).to_have_count(len(expected))
        operator.picture(pictures / "command-failures.png")
        assert unconfirmed(client, command["id"]) == expected
    finally:
        for device in broken:
            simcity(op="fault", device=device, mode="none")


@both_languages
def test_the_console_speaks_the_language_of_its_reader(operator: Desk) -> None:
    """Its controls, not only its texts: what a screen reader reads aloud is translated too."""
    page = operator.page
    expect(page.locator("html")).to_have_attribute("lang", operator.language)
    zoom = {"fr": "Dézoomer", "en": "Zoom out"}[operator.language]
    expect(page.get_by_role("button", name=zoom)).to_be_visible()
    expect(page.get_by_test_id("live-indicator")).to_have_attribute("data-live", "true")


def test_an_error_in_the_console_fails_a_test(operator: Desk) -> None:
    """The check at the end of every browser test can fail."""
    operator.page.evaluate("() => { console.error('lamp 7'); console.error('lamp 8'); }")
    with pytest.raises(AssertionError, match="lamp 7"):
        operator.check()
    operator.expect_error("lamp [78]")
    operator.check()


def await_reports(desk: Desk, lights: int) -> None:
    """Every lamp has reported, as the map counts them."""
    desk.page.wait_for_function(
        f"() => window.__vigie && window.__vigie.lightsReported() === {lights}",
        timeout=EVERY_REPORT_S * 1000,
    )


def order(client: Any, asset: int, key: str) -> Any:
    """The answer to a command to one light."""
    return client.post(
        "/api/v1/commands",
        headers={"Idempotency-Key": f"spine-{key}-{time.time_ns()}"},
        json={
            "verb": "set_dimming_level",
            "params": {"level": 55},
            "assets": [asset],
            "reason": "Essai",
        },
    )


def unconfirmed(client: Any, command: str) -> set[str]:
    """Tokens of the lights that did not confirm."""
    return {token for token, state in targets(client, command).items() if state != "confirmed"}


def targets(client: Any, command: str) -> dict[str, str]:
    """State of every light of a command, by token."""
    found: dict[str, str] = {}
    cursor: str | None = None
    while True:
        page = json(
            client.get(
                f"/api/v1/commands/{command}/targets",
                params={"limit": 500, **({"cursor": cursor} if cursor else {})},
            )
        )
        found.update({item["asset"]["token"]: item["state"] for item in page["items"]})
        cursor = page["next"]
        if cursor is None:
            return found


def live(client: Any, centre: Centre, channels: list[str]) -> list[dict[str, Any]]:
    """What the WebSocket says in the first two seconds."""
    import msgspec
    from websockets.sync.client import connect

    cookie = "; ".join(f"{c.name}={c.value}" for c in client.cookies.jar)
    frames: list[dict[str, Any]] = []
    with connect(
        centre.url.replace("http", "ws") + "/api/v1/live",
        additional_headers={"Cookie": cookie, "Origin": centre.url},
        max_size=None,
        proxy=None,
    ) as socket:
        socket.send(msgspec.json.encode({"op": "subscribe", "channels": channels}).decode())
        deadline = time.monotonic() + 2
        while (left := deadline - time.monotonic()) > 0:
            try:
                frames.append(msgspec.json.decode(socket.recv(timeout=left)))
            except TimeoutError:
                break
    return frames


def flattened(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Frames with batches opened."""
    return [item for f in frames for item in (f["items"] if f.get("op") == "batch" else [f])]
