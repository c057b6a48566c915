"""Everything is killed and frozen in turn under load; three ledgers must agree afterwards.

simcity's own ledger (what the broker acknowledged, what lamps did), the history, and the commands:
every acknowledged message is in history exactly once, no command is confirmed that no lamp
executed, nearly all are confirmed after recovery and the rest ended truthfully.

`VIGIE_FAULT_ROUNDS` and `VIGIE_FAULT_FREEZE_S` make it longer (3 and 30 for the record in
docs/performance.md); `make test` runs a short form.
"""

import contextlib
import itertools
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import Desk
from tests.e2e.conftest import browser as browser
from tests.support.centre import Centre, json
from tests.support.city import City, draw_city
from tests.support.ledgers import compare_commands, compare_history

pytestmark = pytest.mark.faults

ROUNDS = int(os.environ.get("VIGIE_FAULT_ROUNDS", "1"))
FREEZE_S = float(os.environ.get("VIGIE_FAULT_FREEZE_S", "4"))
RATE = int(os.environ.get("VIGIE_FAULT_RATE", "1000"))
LIGHTS = int(os.environ.get("VIGIE_FAULT_LIGHTS", "3000"))
VICTIMS = ("supervisor", "postgres", "backend", "nats", "ingest", "api", "watch", "gateways")


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre with a small synthetic city in its registry and nothing simulated yet."""
    made = Centre(tmp_path_factory.mktemp("faults") / "var")
    try:
        made.up("--no-city")
        yield made
    finally:
        made.stop()


class Operator:
    """Commands small groups of lights all along, as a person at a desk who tries again."""

    def __init__(self, centre: Centre) -> None:
        self.centre = centre
        self.client = centre.login()
        self.assets = [a["id"] for a in self._lights()]
        self.groups = itertools.cycle(
            [self.assets[i : i + 40] for i in range(0, len(self.assets) - 40, 40)]
        )
        self.levels = itertools.cycle((35, 60, 45, 80))
        self.commands: list[str] = []

    def _lights(self) -> list[dict[str, Any]]:
        found = json(
            self.client.get("/api/v1/assets", params={"filter": "kind:Streetlight", "limit": 500})
        )
        return found["items"]

    def act(self, within_s: float = 60) -> None:
        """One command on 40 lights; the same idempotency key until it is accepted."""
        body = {
            "verb": "set_dimming_level",
            "params": {"level": next(self.levels)},
            "assets": next(self.groups),
            "reason": "fault test",
            "expires_in_s": 180,
        }
        key = f"fault-{time.monotonic_ns()}"
        deadline = time.monotonic() + within_s
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answer = self.client.post(
                    "/api/v1/commands", json=body, headers={"Idempotency-Key": key}, timeout=10
                )
                if answer.status_code == httpx.codes.ACCEPTED:
                    self.commands.append(answer.json()["id"])
                    return
                assert answer.status_code in (429, 500, 502, 503, 504), answer.text
            assert time.monotonic() < deadline, "the centre accepted no command in a minute"
            time.sleep(0.5)


def victim_pid(centre: Centre, name: str) -> int:
    """The process to hurt; "backend" is one PostgreSQL backend of the ingest."""
    if name != "backend":
        return centre.pids()[name]
    parent = psutil.Process(centre.pids()["postgres"])
    backends = [p for p in parent.children() if "vigie_owner" not in " ".join(p.cmdline())]
    clients = [p for p in backends if " vigie vigie " in f" {' '.join(p.cmdline())} "]
    return (clients or backends)[0].pid


def await_live(page: Page, within_s: float) -> float:
    """Seconds until the console says it is live."""
    began = time.monotonic()
    page.wait_for_function(
        "() => document.querySelector('[data-testid=live-indicator]')?.dataset.live === 'true'",
        timeout=within_s * 1000,
    )
    return time.monotonic() - began


def await_ready(centre: Centre, within_s: float) -> None:
    """Wait until the API and everything it needs answers."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{centre.url}/readyz", timeout=2, trust_env=False).status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"not ready after {within_s} s")


def hurt(centre: Centre, name: str, how: signal.Signals) -> None:
    """kill -9, or freeze for a while; the supervisor is started again as systemd would."""
    pid = victim_pid(centre, name)
    os.kill(pid, how)
    if how == signal.SIGSTOP:
        time.sleep(FREEZE_S)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
    elif name == "supervisor":
        assert centre.process
        centre.process.wait()
        centre.up("--no-city")


def test_nothing_acknowledged_is_lost(centre: Centre, browser: Browser, tmp_path: Path) -> None:
    """The whole story, then the three ledgers."""
    provisioning = draw_city(centre, LIGHTS)
    operator = Operator(centre)
    city = City(tmp_path / "city", provisioning)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    desk = Desk(context)
    recovered: list[tuple[str, str, float]] = []
    try:
        city.start(f"--rate={RATE}")
        from tests.e2e.test_spine import log_in

        log_in(desk, centre)
        await_live(desk.page, 30)
        for _ in range(ROUNDS):
            for how in (signal.SIGKILL, signal.SIGSTOP):
                for name in VICTIMS:
                    operator.act()
                    hurt(centre, name, how)
                    await_ready(centre, 60)
                    taken = await_live(desk.page, 30)
                    recovered.append((name, how.name, taken))
                    operator.act()
        counts = city.drain()
        settle(centre, operator)
        compare_state(desk, centre)
    finally:
        context.close()
        city.stop()
    assert counts["published"] >= counts["acknowledged"] > 0
    compare_history(centre, city)
    compare_commands(centre, city)
    slow = [r for r in recovered if r[2] > 5]
    assert not slow, f"not live within 5 s of recovery: {slow}"
    print("live again after (s):", [(n, h, round(t, 1)) for n, h, t in recovered])


def settle(centre: Centre, operator: Operator, within_s: float = 240) -> None:
    """Wait until the ingest has caught up and every command has ended."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        open_commands = [
            c
            for c in operator.commands
            if json(operator.client.get(f"/api/v1/commands/{c}"))["ended_at"] is None
        ]
        system = json(operator.client.get("/api/v1/system"))
        lags = [c.get("params", {}).get("pending", 0) for c in system["components"]]
        if not open_commands and not any(lags):
            return
        time.sleep(1)
    raise AssertionError(f"not settled: {len(open_commands)} commands open, lags {lags}")


def compare_state(desk: Desk, centre: Centre) -> None:
    """What the console holds equals a fresh snapshot."""
    time.sleep(2)
    held = desk.page.evaluate("() => window.__vigie.state()")
    fresh_page = desk.context.new_page()
    fresh_page.goto(centre.url)
    await_live(fresh_page, 30)
    fresh_page.wait_for_timeout(1000)
    fresh = fresh_page.evaluate("() => window.__vigie.state()")
    assert held == fresh
