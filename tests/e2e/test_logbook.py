"""A shift's log and its hand-over, by keyboard alone, in both languages."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.desk import Desk, both_languages

pytestmark = pytest.mark.e2e

WORDS = {
    "fr": {"desk": "Main courante", "open": "en cours", "handed": "transmise"},
    "en": {"desk": "Log", "open": "under way", "handed": "handed over"},
}


@both_languages
def test_a_shift_is_written_and_handed_over(operator: Desk, pictures: Path) -> None:
    """g l goes there; an entry is typed; the shift is handed over with a note, and taken."""
    page, words = operator.page, WORDS[operator.language]
    expect(page.get_by_test_id("live-indicator")).to_have_attribute("data-live", "true")
    page.keyboard.type("gl")
    expect(page).to_have_url(re.compile("/logbook$"))
    line = f"Fumée rue Monge, pompiers prévenus ({operator.language})"
    page.get_by_test_id("log-text").focus()
    page.keyboard.type(line)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("log-row").filter(has_text=line)).to_be_visible()
    shift = page.get_by_test_id("shift")
    expect(shift).to_contain_text(words["open"])
    page.screenshot(path=pictures / f"logbook-{operator.language}.png", timeout=90_000)
    page.get_by_test_id("hand-over").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("RAS")
    page.keyboard.press("Enter")
    expect(shift).to_contain_text(words["handed"])
    page.get_by_test_id("take").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("take")).to_have_count(0)
    expect(shift).not_to_contain_text(words["handed"])
