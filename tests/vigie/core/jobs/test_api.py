"""Jobs over HTTP."""

import contextlib

from tests.support.rooms import PERMISSIONS, ROLES, ROUTES
from tests.support.web import person
from vigie.core import jobs
from vigie.core.web import build_app


async def test_an_administrator_sees_cancels_and_is_told_of_changes(runtime):
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    async with runtime.database.unit() as unit:
        job = await jobs.defer(unit, "core.prune_jobs")
    browser = await person(app, runtime, "jobs-admin", "administrator")
    async with contextlib.aclosing(browser):
        (row,) = (await browser.get("/api/v1/jobs?filter=state:waiting")).json()["items"]
        assert (row["id"], row["name"]) == (str(job), "core.prune_jobs")
        kinds = {k["name"]: k for k in (await browser.get("/api/v1/jobs/kinds")).json()}
        assert kinds["core.prune_jobs"]["waiting"] == 1
        address = f"/api/v1/jobs/{job}"
        assert (await browser.get(address)).json()["possible"] == ["cancel"]
        refused = await browser.post(f"{address}/retry")
        assert (refused.status_code, refused.json()["code"]) == (409, "step_refused")
        stale = await browser.post(f"{address}/cancel", headers={"If-Match": '"7"'})
        assert stale.status_code == 412
        done = await browser.post(f"{address}/cancel", headers={"If-Match": '"1"'})
        assert done.json()["job"]["state"] == "cancelled"
        wrong = await browser.get("/api/v1/jobs?filter=state:asleep")
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "filter")


async def test_an_operator_of_a_part_operates_no_jobs(runtime):
    app = build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    async with runtime.database.unit() as unit:
        job = await jobs.defer(unit, "core.prune_jobs", key="b")
    browser = await person(app, runtime, "jobs-operator", "operator@21231")
    async with contextlib.aclosing(browser):
        assert (await browser.get(f"/api/v1/jobs/{job}")).json()["payload"] is None
        refused = await browser.post(f"/api/v1/jobs/{job}/cancel")
        assert refused.json()["code"] == "not_permitted"
