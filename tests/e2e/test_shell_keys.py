"""The shell by keyboard alone: an operator goes everywhere and acts without a mouse."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.desk import Desk, both_languages

pytestmark = [pytest.mark.long, pytest.mark.e2e]

HELP = {"fr": "Aide : Carte", "en": "Help: Map"}
REASON = "Essai au clavier"


@both_languages
def test_a_night_without_a_mouse(operator: Desk, admin: httpx.Client, pictures: Path) -> None:
    """Help, a place under a digit, a street selected and commanded, the selection let go and
    recalled, and the journal of it."""
    page = operator.page
    expect(page.get_by_test_id("live-indicator")).to_have_attribute("data-live", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name=HELP[operator.language])).to_be_visible()
    operator.picture(pictures / f"shell-help-{operator.language}.png")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)

    # In one go: a busy machine may take its time between two presses, and a `g` does not wait.
    page.keyboard.type("gj")
    expect(page).to_have_url(re.compile("/journal$"))
    page.keyboard.press("f")
    expect(page.get_by_test_id("filter")).to_be_focused()
    page.keyboard.type("act:control")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("filter=act"))
    page.keyboard.type("g7")
    page.keyboard.type("gm")
    expect(page).to_have_url(re.compile(r":\d+/$"))

    lights = admin.get("/api/v1/assets", params={"filter": "kind:Streetlight", "limit": 1}).json()
    page.keyboard.press("/")
    expect(page.get_by_test_id("search-input")).to_be_focused()
    page.keyboard.type(lights["items"][0]["street"])
    street = page.locator("[data-testid=search-result][data-type=street]").first
    expect(street).to_be_visible()
    # The first of what can be done with a street that was found: select its lights.
    verb = page.locator("[role=option][value='verb:0']")
    expect(verb).to_be_visible()
    for _ in range(40):
        if verb.get_attribute("data-combobox-selected"):
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    count = page.get_by_test_id("selection-count")
    expect(count).to_be_visible()
    selected = count.get_attribute("data-count")
    expect(page.get_by_test_id("selection-panel").locator("h2")).to_be_focused()
    page.keyboard.press("Escape")
    expect(count).to_have_count(0)
    page.keyboard.press("r")
    expect(count).to_have_attribute("data-count", str(selected))

    page.keyboard.press("p")
    expect(page.get_by_test_id("selection-panel").locator("h2")).to_be_focused()
    reason = page.get_by_test_id("reason-input")
    for _ in range(30):
        if reason.evaluate("one => one === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type(REASON)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("command-panel")).to_be_visible()
    operator.picture(pictures / f"shell-keys-{operator.language}.png")
    page.keyboard.press("Escape")

    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("7")
    expect(page).to_have_url(re.compile("/journal.filter=act"))
    expect(page.get_by_test_id("journal-entry").filter(has_text=REASON).first).to_be_visible()


def test_the_tour_shows_one_part_after_another_and_comes_once(operator: Desk) -> None:
    page = operator.page
    offer = page.get_by_test_id("tour-start")
    if not offer.is_visible():
        page.keyboard.press("?")
        page.keyboard.press("Escape")
    expect(offer).to_be_visible()
    offer.focus()
    page.keyboard.press("Enter")
    tour = page.get_by_test_id("tour")
    for step in range(1, 7):
        expect(tour).to_contain_text(f"{step} / 6")
        expect(page.get_by_test_id("tour-next")).to_be_focused()
        page.keyboard.press("Enter")
    expect(tour).to_have_count(0)
    expect(offer).to_have_count(0)
    page.wait_for_timeout(500)
    page.reload()
    expect(page.get_by_test_id("live-indicator")).to_have_attribute("data-live", "true")
    expect(offer).to_have_count(0)
