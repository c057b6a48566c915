"""The citizens' page: light, without an account, in both languages, on a telephone."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.support.centre import Centre

pytestmark = pytest.mark.e2e
TITLES = {"fr-FR": "l’espace public", "en-GB": "the public space"}


@pytest.mark.parametrize("locale", TITLES)
def test_a_citizen_finds_their_municipality(
    browser: Browser, centre: Centre, pictures: Path, locale: str
):
    context = browser.new_context(
        base_url=centre.public_url, locale=locale, viewport={"width": 390, "height": 844}
    )
    faults: list[str] = []
    page = context.new_page()
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text(TITLES[locale])
    expect(page.get_by_role("listitem")).to_have_count(23)
    page.screenshot(path=pictures / f"portal-{locale[:2]}.png")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link").first).to_be_focused()
    page.get_by_role("searchbox").fill("chenove")
    expect(page.get_by_role("listitem")).to_have_text(["Chenôve"])
    assert page.evaluate("document.documentElement.lang") == locale[:2]
    page.get_by_role("button").first.click()
    assert page.evaluate("document.documentElement.lang") != locale[:2]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not faults
    assert not context.cookies(), "nothing is stored about who only reads"
    context.close()
