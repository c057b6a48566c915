"""The running API answers as its OpenAPI document says, whatever is sent to it.

Bounded: a few examples an operation, the same ones every time. `VIGIE_EXAMPLES=200` digs deeper.
"""

import asyncio
import contextlib
import os
import time

import httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.web import PASSWORD, account, log_in
from vigie import app
from vigie.core.engines import free_port
from vigie.core.runtime import Runtime

EXAMPLES = int(os.environ.get("VIGIE_EXAMPLES", "8"))
BUDGET_S = 45.0 if EXAMPLES <= 8 else 3600.0
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
async def base(runtime: Runtime):
    """The address of an api process that is running, with nothing imported yet."""
    changed = msgspec.structs.replace(runtime.settings, http_port=free_port())
    process = Runtime(changed, "api", runtime.database, runtime.bus, runtime.rooms)
    task = asyncio.create_task(app.api(process)["http"]())
    address = f"http://127.0.0.1:{changed.http_port}"
    async with httpx.AsyncClient(base_url=address) as browser:
        for _ in range(1500):
            with contextlib.suppress(httpx.TransportError):
                if (await browser.get("/healthz")).status_code == 200:
                    break
            await asyncio.sleep(0.05)
    yield address
    process.stopping.set()
    await asyncio.wait_for(task, 30)


@pytest.fixture(scope="module")
async def token(runtime: Runtime, base: str) -> str:
    """An administrator's token with every permission."""
    first = await account(runtime.database, "fuzz", "administrator")
    async with httpx.AsyncClient(base_url=base) as browser:
        await log_in(browser, "fuzz", first)
        body = {"current": first, "new": PASSWORD}
        session = (await browser.post("/api/v1/session/password", json=body)).json()
        made = await browser.post(
            "/api/v1/tokens", json={"name": "fuzz", "permissions": session["permissions"]}
        )
        return made.json()["token"]


async def test_every_operation_answers_as_documented(base: str, token: str):
    failures = await asyncio.to_thread(_fuzz, base, token)
    assert not failures, "\n\n".join(failures)


def _fuzz(base: str, token: str) -> list[str]:
    schema = schemathesis.openapi.from_url(f"{base}/api/v1/openapi.json")
    headers = {"Authorization": f"Bearer {token}"}
    failures: list[str] = []
    started = time.monotonic()
    tried = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if time.monotonic() - started > BUDGET_S:
            break
        tried += 1

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def one(case: schemathesis.Case) -> None:
            response = case.call(base_url=base, headers=headers)
            case.validate_response(response, checks=CHECKS)

        try:
            one()
        except (Exception, BaseExceptionGroup) as failure:
            failures.append(f"{operation.label}: {failure}"[:3000])
    assert tried > 25, f"only {tried} operations in {BUDGET_S} s"
    return failures
