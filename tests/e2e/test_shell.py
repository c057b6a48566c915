"""The shell, driven as an operator does with the mouse: nothing covers anything, nothing moves
under the hand, and what one window shows the others know."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.support.centre import ROOT
from tests.support.desk import Desk, both_languages

pytestmark = pytest.mark.e2e

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
FAULTY = 3
# Where a point of the screen lies in the city.
SMALLEST = """
() => Math.min(
  ...[...document.querySelectorAll('[data-testid=wall] span, [data-testid=wall] p')]
    .filter((one) => one.offsetParent && one.textContent.trim() && !one.closest('[inert]'))
    .map((one) => parseFloat(getComputedStyle(one).fontSize)),
)
"""
GROUND = """
([x, y]) => {
  const { map } = window.__vigie;
  const box = map.getCanvas().getBoundingClientRect();
  const { lng, lat } = map.unproject([x - box.left, y - box.top]);
  return [lng, lat];
}
"""


@pytest.fixture
def faulty(admin: httpx.Client, simcity: Callable[..., dict[str, Any]]) -> Iterator[list[str]]:
    """Some lamps that say they are broken."""
    found = admin.get("/api/v1/assets", params={"filter": "kind:Streetlight", "limit": 40}).json()
    devices = [item["token"] for item in found["items"][::13]][:FAULTY]
    for device in devices:
        simcity(op="fault", device=device, mode="lampFailure")
    try:
        yield devices
    finally:
        for device in devices:
            simcity(op="fault", device=device, mode="none")


def live(page: Page) -> None:
    expect(page.get_by_test_id("live-indicator")).to_have_attribute("data-live", "true")


def a_street(admin: httpx.Client) -> str:
    lights = admin.get("/api/v1/assets", params={"filter": "kind:Streetlight", "limit": 1}).json()
    return lights["items"][0]["street"]


@both_languages
def test_a_pressed_counter_lists_exactly_what_it_counts(
    operator: Desk, faulty: list[str], pictures: Path
) -> None:
    """And the fault says since when; the columns sort; the map's pixels stay where they are."""
    page = operator.page
    live(page)
    counter = page.get_by_test_id("faults-lamp")
    expect(counter).to_contain_text(str(len(faulty)), timeout=120_000)
    point = [700, 300]
    before = page.evaluate(GROUND, point)
    counter.click()
    rows = page.get_by_test_id("list-row")
    expect(rows).to_have_count(len(faulty))
    page.get_by_test_id("list-sort-name").click()
    page.get_by_test_id("list-sort-name").click()
    expect(page.locator("[aria-sort=descending]")).to_be_visible()
    expect(rows).to_have_count(len(faulty))
    assert page.evaluate(GROUND, point) == pytest.approx(before, abs=1e-5)
    rows.first.click()
    panel = page.get_by_test_id("asset-panel")
    expect(panel.get_by_test_id("onset")).to_be_visible()
    page.wait_for_timeout(600)
    operator.picture(pictures / f"shell-fault-{operator.language}.png")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")


@both_languages
def test_a_found_street_is_shown_selected_let_go_and_recalled(
    operator: Desk, admin: httpx.Client, pictures: Path
) -> None:
    page = operator.page
    live(page)
    page.get_by_test_id("search-input").fill(a_street(admin))
    page.locator("[data-testid=search-result][data-type=street]").first.click()
    shown = page.get_by_test_id("street-found")
    expect(shown).to_be_visible()
    shown.get_by_test_id("street-select").click()
    count = page.get_by_test_id("selection-count")
    expect(count).to_be_visible()
    lights = count.get_attribute("data-count")
    expect(page.get_by_test_id("command-effect")).to_be_visible()
    operator.picture(pictures / f"shell-street-{operator.language}.png")
    page.keyboard.press("Escape")
    expect(count).to_have_count(0)
    page.get_by_test_id("recall").click()
    expect(count).to_have_attribute("data-count", str(lights))


def test_the_dock_pins_compares_and_tears_off(operator: Desk, admin: httpx.Client) -> None:
    """The second of a kind replaces the first unless it is pinned; the dock takes its own room."""
    page = operator.page
    ids = [
        item["id"]
        for item in admin.get(
            "/api/v1/assets", params={"filter": "kind:Streetlight", "limit": 3}
        ).json()["items"]
    ]
    page.goto(f"/?light={ids[0]}")
    panels = page.get_by_test_id("asset-panel")
    expect(panels).to_have_count(1)
    dock = page.locator("[data-dock]").bounding_box()
    around = page.get_by_test_id("map").bounding_box()
    assert dock
    assert around
    assert around["x"] + around["width"] <= dock["x"] + 1
    page.get_by_test_id("dock-pin").click()
    page.evaluate("id => { history.pushState(null, '', `/?light=${id}`); }", ids[1])
    expect(panels).to_have_count(2)
    page.get_by_test_id("dock-side").first.click()
    expect(page.locator("[data-dock][data-side]")).to_be_visible()
    with page.context.expect_page() as opened:
        panels.first.get_by_test_id("dock-tear-off").click()
    torn = opened.value
    expect(torn.get_by_test_id("panel-window").get_by_test_id("asset-panel")).to_be_visible()
    expect(torn.get_by_test_id("window-link")).to_have_attribute("aria-pressed", "true")
    expect(panels).to_have_count(1)
    torn.close()


def test_windows_of_one_person_share_selection_and_time(
    operator: Desk, admin: httpx.Client
) -> None:
    """Until one is unlinked; and a post brings the windows back."""
    page = operator.page
    live(page)
    second = operator.context.new_page()
    second.goto("/")
    live(second)
    page.get_by_test_id("search-input").fill(a_street(admin))
    page.locator("[data-testid=search-result][data-type=street]").first.click()
    page.get_by_test_id("street-select").click()
    lights = page.get_by_test_id("selection-count").get_attribute("data-count")
    expect(second.get_by_test_id("selection-count")).to_have_attribute("data-count", str(lights))
    second.get_by_test_id("time-night").click()
    expect(page.get_by_test_id("time-night")).to_have_attribute("aria-pressed", "true")
    second.get_by_test_id("window-link").click()
    second.get_by_test_id("time-week").click()
    expect(second.get_by_test_id("time-week")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_test_id("time-night")).to_have_attribute("aria-pressed", "true")

    page.get_by_test_id("posts-menu").click()
    page.get_by_test_id("post-name").fill("Éclairage nuit")
    page.get_by_test_id("post-save").click()
    post = page.get_by_test_id("post").filter(has_text="Éclairage nuit")
    expect(post).to_contain_text("2 fenêtres")
    second.close()
    page.keyboard.press("Escape")
    page.get_by_test_id("time-yesterday").click()
    page.get_by_test_id("posts-menu").click()
    with operator.context.expect_page() as opened:
        post.click()
    expect(page.get_by_test_id("time-night")).to_have_attribute("aria-pressed", "true")
    back = opened.value
    expect(back.get_by_test_id("time-week")).to_have_attribute("aria-pressed", "true")
    back.close()


def test_two_operators_see_each_other_and_the_wall_obeys_a_desk(
    operator: Desk, seat: Callable[..., Desk], admin: httpx.Client, pictures: Path
) -> None:
    other = seat("administrator").page
    light = admin.get("/api/v1/assets", params={"filter": "kind:Streetlight", "limit": 1}).json()
    at = f"/?light={light['items'][0]['id']}"
    page = operator.page
    page.goto(at)
    other.goto(at)
    expect(page.get_by_test_id("colleagues-here")).to_be_visible(timeout=40_000)
    page.get_by_test_id("take-object").click()
    expect(other.get_by_test_id("colleagues")).to_contain_text("Pris par")
    expect(other.get_by_test_id("take-object")).to_have_text("Reprendre")
    page.get_by_test_id("take-object").click()
    expect(other.get_by_test_id("take-object")).to_have_text("Prendre")

    # Three maps drawn without a graphics card keep each other waiting.
    other.close()
    wall = seat("viewer")
    wall.page.goto("/wall")
    screen = wall.page.get_by_test_id("wall")
    expect(screen).to_have_attribute("data-tiles", "map counters commands", timeout=60_000)
    page.get_by_test_id("posts-menu").click()
    page.get_by_test_id("wall-send-object").click()
    expect(screen).to_have_attribute("data-tiles", "asset", timeout=40_000)
    page.get_by_test_id("wall-send-map").click()
    expect(screen).to_have_attribute("data-tiles", "asset map")
    page.get_by_test_id("wall-lock").click()
    expect(page.get_by_test_id("wall-send-map")).to_be_disabled()
    wall.page.wait_for_timeout(1_500)
    wall.picture(pictures / "shell-wall.png")
    small = wall.page.evaluate(SMALLEST)
    assert small >= 20, "text on the wall is read from afar"
    page.get_by_test_id("wall-unlock").click()
    page.get_by_test_id("wall-clear").click()
    expect(screen).to_have_attribute("data-tiles", "map counters commands")


def test_a_failed_login_names_the_account_that_was_tried(
    seat: Callable[..., Desk], admin: httpx.Client
) -> None:
    """And the journal is asked for a period without grammar."""
    refused = httpx.post(
        f"{admin.base_url}/api/v1/session",
        json={"username": "personne.ici", "password": "rien du tout"},
        trust_env=False,
    )
    assert refused.status_code == 401
    chief = seat("administrator").page
    chief.goto("/journal")
    expect(chief.get_by_text("Échec de connexion au compte « personne.ici »").first).to_be_visible()
    chief.get_by_test_id("period-yesterday").click()
    expect(chief.get_by_test_id("period")).to_be_visible()
    expect(chief).to_have_url(re.compile("occurred"))
    expect(chief.get_by_text("personne.ici")).to_have_count(0)
    chief.get_by_test_id("period").click()
    expect(chief.get_by_text("personne.ici").first).to_be_visible()


def test_small_screens_show_one_thing_at_a_time(
    operator: Desk, faulty: list[str], pictures: Path
) -> None:
    """1024×768, 200% of 1920×1080, a phone: nothing covers anything, nothing is wider."""
    page = operator.page
    live(page)
    expect(page.get_by_test_id("faults-lamp")).to_be_visible(timeout=120_000)
    for name, width, height in (("1024", 1024, 768), ("200", 960, 540), ("phone", 390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        page.goto("/")
        expect(page.get_by_test_id("map")).to_be_visible()
        page.get_by_test_id("faults-lamp").first.click()
        expect(page.get_by_test_id("list-drawer")).to_be_visible()
        expect(page.get_by_test_id("map")).to_be_hidden()
        page.get_by_test_id("list-row").first.click()
        expect(page.get_by_test_id("asset-panel")).to_be_visible()
        expect(page.get_by_test_id("list-drawer")).to_be_hidden()
        page.wait_for_timeout(600)
        operator.picture(pictures / f"shell-object-{name}.png")
        page.get_by_test_id("tab-map").click()
        expect(page.get_by_test_id("map")).to_be_visible()
        operator.picture(pictures / f"shell-map-{name}.png")
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_with_data_on_the_screen(
    seat: Callable[..., Desk], faulty: list[str], theme: str, pictures: Path
) -> None:
    if not AXE.exists():
        pytest.skip("axe-core is not installed: npm ci in web/")
    chief = seat("administrator")
    page = chief.page
    page.add_init_script(f"localStorage.setItem('vigie.theme', '{theme}')")
    found: dict[str, Any] = {}
    light = page.request.get("/api/v1/assets?filter=kind:Streetlight&limit=1").json()
    places = (f"/?light={light['items'][0]['id']}", "/journal", "/system")
    for name, width, height in (("100", 1920, 1080), ("200", 960, 540)):
        page.set_viewport_size({"width": width, "height": height})
        for place in places:
            page.goto(place)
            live(page)
            page.wait_for_timeout(1_200)
            page.evaluate(AXE.read_text())
            result = page.evaluate(
                "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa'] })"
            )
            for fault in result["violations"]:
                nodes = [node["html"][:140] for node in fault["nodes"]]
                if fault["id"] == "scrollable-region-focusable":
                    # The rows of a grid scroll with its current row: the grid has the focus.
                    nodes = [node for node in nodes if 'role="rowgroup"' not in node]
                if nodes:
                    found[f"{name} {place} {fault['id']}"] = nodes[:3]
        chief.picture(pictures / f"shell-axe-{theme}-{name}.png")
    assert found == {}
