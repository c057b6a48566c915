"""The frame that every desk stands in: a list, the object, its verbs, all from the keyboard."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.desk import Desk, both_languages

pytestmark = pytest.mark.e2e

CANCEL = {"fr": "Annuler pour 1 luminaire", "en": "Cancel for 1 light"}


def order(client: httpx.Client, asset: int, level: int, reason: str) -> str:
    """Order one light to a level; the command's id."""
    answer = client.post(
        "/api/v1/commands",
        json={
            "verb": "set_dimming_level",
            "params": {"level": level},
            "assets": [asset],
            "reason": reason,
            "expires_in_s": 600,
        },
        headers={"Idempotency-Key": str(uuid4())},
    )
    answer.raise_for_status()
    return answer.json()["id"]


@both_languages
def test_a_command_is_found_opened_and_cancelled_by_keyboard_alone(
    operator: Desk,
    admin: httpx.Client,
    simcity: Callable[..., dict[str, Any]],
    pictures: Path,
) -> None:
    """g c goes there, j and k walk, Enter opens, x asks for the reason, Escape leads back."""
    page = operator.page
    light = admin.get("/api/v1/assets", params={"filter": "kind:Streetlight", "limit": 1}).json()
    asset, device = light["items"][0]["id"], light["items"][0]["token"]
    simcity(op="fault", device=device, mode="silent")
    try:
        older = order(admin, asset, 31, "Le premier des deux")
        newer = order(admin, asset, 32, "Celui qui suit")

        expect(page.get_by_test_id("live-indicator")).to_have_attribute("data-live", "true")
        # In one go: a busy machine may take its time between two presses, and a `g` does not wait.
        page.keyboard.type("gc")
        expect(page).to_have_url(re.compile("/commands$"))
        rows = page.get_by_test_id("list-grid")
        expect(rows).to_be_focused()
        expect(page.locator(f"[data-id='{newer}'][data-current]")).to_be_visible()
        page.keyboard.press("j")
        expect(page.locator(f"[data-id='{older}'][data-current]")).to_be_visible()
        operator.picture(pictures / f"frame-list-{operator.language}.png")
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/commands/{newer}$"))
        detail = page.get_by_test_id("command-detail")
        expect(detail.locator("h2")).to_be_focused()
        expect(detail).to_contain_text("Celui qui suit")
        operator.picture(pictures / f"frame-detail-{operator.language}.png")

        page.keyboard.press("x")
        reason = page.get_by_test_id("command-cancel-reason")
        expect(reason).to_be_focused()
        submit = page.get_by_test_id("command-cancel-submit")
        expect(submit).to_have_text(CANCEL[operator.language])
        page.keyboard.press("Enter")
        expect(submit).to_be_disabled()
        page.keyboard.type("Erreur de luminaire")
        operator.picture(pictures / f"frame-verb-{operator.language}.png")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("command-cancel")).to_have_count(0)
        expect(detail.get_by_test_id("count-cancelled")).to_have_attribute("data-count", "1")
        assert admin.get(f"/api/v1/commands/{newer}").json()["counts"]["cancelled"] == 1

        page.keyboard.press("Escape")
        expect(page).to_have_url(re.compile("/commands$"))
        expect(page.get_by_test_id("list-grid")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page).to_have_url(re.compile(r":\d+/$"))
    finally:
        simcity(op="fault", device=device, mode="none")


def test_a_filter_is_in_the_address_and_its_fault_is_shown_where_it_was_typed(
    operator: Desk, pictures: Path
) -> None:
    """What was typed becomes a chip; what the server does not understand is said at the field."""
    page = operator.page
    operator.expect_error("400|422")
    page.goto("/journal")
    field = page.get_by_test_id("filter")
    field.fill("act:access motif")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("term")).to_have_text("Comptes et accès")
    expect(field).to_have_value("motif")
    expect(page).to_have_url(re.compile(r"filter=act%3Aaccess\+motif"))
    page.reload()
    expect(page.get_by_test_id("term")).to_have_text("Comptes et accès")
    field.fill("colour:blue")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("filter-fault")).to_contain_text("colour")
    operator.picture(pictures / "frame-filter-fault.png")


def test_a_desk_is_there_for_who_may_use_it(operator: Desk, seat: Callable[..., Desk]) -> None:
    """The rail has no desk that one may not use, and its address leads nowhere."""
    page = operator.page
    expect(page.get_by_test_id("desk-commands")).to_be_visible()
    expect(page.get_by_test_id("desk-parked")).to_have_count(0)
    page.goto("/parked")
    expect(page.get_by_text("Aucun poste à cette adresse").first).to_be_visible()
    chief = seat("administrator").page
    chief.goto("/parked")
    expect(chief.get_by_text("Aucune réaction en échec").first).to_be_visible()


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_design_page_shows_what_the_desks_use(
    seat: Callable[..., Desk], language: str, pictures: Path
) -> None:
    """Also on a small screen and at 200%, where nothing is wider than the window."""
    chief = seat("administrator", language)
    page = chief.page
    for name, width, height in (("1280", 1280, 800), ("200", 640, 400)):
        page.set_viewport_size({"width": width, "height": height})
        for path in ("/design", "/commands", "/journal", "/parked", "/administration"):
            chief.go(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            page.wait_for_timeout(600)
            chief.picture(pictures / f"frame{path.replace('/', '-')}-{language}-{name}.png")
            wide = "document.documentElement.scrollWidth - innerWidth"
            assert page.evaluate(wide) <= 0
