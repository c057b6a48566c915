"""The desks of the frame: deferred work, messages, calls, duty, second persons, preferences; and
saved views, which a list opens with."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.support.centre import Centre, json
from tests.support.desk import Desk

pytestmark = pytest.mark.e2e
LANGUAGES = pytest.mark.parametrize("language", ["fr", "en"])
TITLES = {
    "/jobs": ("Tâches différées", "Deferred work"),
    "/messages": ("Messages", "Messages"),
    "/cascades": ("Appels en cascade", "Call cascades"),
    "/duty": ("Astreintes", "On call"),
    "/approvals": ("Deuxième personne", "Second person"),
    "/preferences": ("Comment me joindre", "How to reach me"),
}


def duty(admin: httpx.Client) -> tuple[str, str]:
    """A team with someone on call, and a call cascade to them: names of the duty and the member."""
    tag = secrets.token_hex(3)
    now = datetime.now(UTC)
    start, end = now.isoformat(), (now + timedelta(days=2)).isoformat()
    made: dict[str, Any] = json(admin.post("/api/v1/duty/teams", json={"name": f"Régie {tag}"}))
    people = [
        json(
            admin.post(
                f"/api/v1/duty/teams/{made['id']}/members",
                json={"name": f"{name} {tag}", "phone": "06 12 34 56 78"},
            )
        )
        for name in ("Zoé", "Malo")
    ]
    function = json(
        admin.post(
            "/api/v1/duty/functions",
            json={"team": made["id"], "key": f"lights-{tag}", "name": f"Éclairage {tag}"},
        )
    )
    json(
        admin.post(
            f"/api/v1/duty/functions/{function['id']}/shifts",
            json={"kind": "shift", "member": people[0]["id"], "start": start,
                  "end": end},
        )
    )  # fmt: skip
    json(
        admin.post(
            "/api/v1/notify/cascades",
            json={"template": "notify.call", "params": {"reason": f"Armoire {tag}"},
                  "steps": [{"role": f"lights-{tag}", "wait_s": 3600}]},
        )
    )  # fmt: skip
    return function["name"], people[0]["name"]


@LANGUAGES
def test_every_desk_of_the_frame_opens(
    seat: Any, admin: httpx.Client, pictures: Path, language: str
):
    name, member = duty(admin)
    desk: Desk = seat("administrator", language)
    page = desk.page
    for path, words in TITLES.items():
        desk.go(path)
        title = page.get_by_role("heading", name=words[language == "en"]).first
        expect(title).to_be_visible(timeout=60_000)
        expect(page.get_by_text("{{")).to_have_count(0)
        page.wait_for_timeout(500)
        desk.picture(pictures / f"frame-{path[1:]}-{language}.png")
    desk.go("/duty")
    row = page.get_by_test_id("duty-row").filter(has_text=name)
    expect(row).to_be_visible()
    row.click()
    expect(page.get_by_test_id("duty-detail").get_by_text(member).first).to_be_visible()
    desk.picture(pictures / f"frame-duty-open-{language}.png")
    desk.go("/messages?filter=channel:sms")
    expect(page.get_by_test_id("message-row").first).to_be_visible()
    page.get_by_test_id("message-row").first.click()
    expect(page.get_by_test_id("message-detail")).to_be_visible()
    desk.picture(pictures / f"frame-message-open-{language}.png")
    desk.go("/jobs?filter=state:done")
    expect(page.get_by_test_id("job-row").first).to_be_visible()
    page.get_by_test_id("job-row").first.click()
    expect(page.get_by_test_id("job-detail")).to_be_visible()
    desk.picture(pictures / f"frame-job-open-{language}.png")


def test_a_list_opens_with_the_view_that_its_reader_chose(seat: Any, pictures: Path):
    desk: Desk = seat("administrator", "fr")
    page = desk.page
    page.goto("/jobs?filter=state:dead")
    page.get_by_test_id("views").click()
    page.get_by_test_id("view-name").fill("Abandonnées")
    page.get_by_test_id("view-save").click()
    view = page.get_by_test_id("view").filter(has_text="Abandonnées")
    expect(view).to_be_visible()
    page.get_by_test_id("view-default").first.click()
    expect(page.get_by_test_id("view-default").first).to_have_attribute("aria-pressed", "true")
    desk.picture(pictures / "frame-views-fr.png")
    page.goto("/jobs")
    expect(page).to_have_url("/jobs?filter=state%3Adead")


def test_a_second_person_approves_on_their_desk(
    seat: Any, centre: Centre, admin: httpx.Client, pictures: Path
):
    desk: Desk = seat("administrator", "fr")
    asked = json(
        admin.post(
            "/api/v1/approvals",
            json={"act": "core.clock_set", "object_type": "core.clock", "object_id": "1",
                  "params": {"to": "21:00", "rate": 1}, "permission": "core.jobs_operate",
                  "reason": "Exercice de nuit"},
        )
    )  # fmt: skip
    desk.page.goto(f"/approvals/{asked['id']}")
    expect(desk.page.get_by_test_id("approval-detail")).to_contain_text("Exercice de nuit")
    expect(desk.page.get_by_text("{{")).to_have_count(0)
    desk.picture(pictures / "frame-approval-fr.png")
    desk.page.get_by_test_id("approval-approve").click()
    expect(desk.page.get_by_test_id("approval-approve")).to_have_count(0)
    after = json(admin.get("/api/v1/approvals"))["items"]
    assert [one["decision"] for one in after if one["id"] == asked["id"]] == ["approved"]
