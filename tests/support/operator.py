"""An operator who commands lights all along, and a screen whose word is written down."""

import contextlib
import itertools
import threading
import time
from typing import Any

import httpx
from playwright.sync_api import Page

from tests.support.centre import Centre, json

GROUP = 40
MOST_ASSETS = 4_000
_TRY_AGAIN = (429, 502, 503, 504)
_NOTE_LIVE = """() => {
  const noted = (window.__noted = []);
  const look = () => {
    const live = document.querySelector('[data-testid=live-indicator]')?.dataset.live === 'true';
    if (noted.at(-1)?.[1] !== live) noted.push([Date.now() / 1000, live]);
  };
  look();
  new MutationObserver(look).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ['data-live'],
  });
}"""


class Operator:
    """Commands group after group, whatever is broken: tries again with the same key."""

    def __init__(self, centre: Centre, every_s: float = 1.5) -> None:
        self.client = centre.login()
        self.every_s = every_s
        self.commands: list[str] = []
        self.tries = 0
        self._stop = threading.Event()
        self._error: BaseException | None = None
        assets = self._lights()
        groups = [assets[i : i + GROUP] for i in range(0, len(assets) - GROUP + 1, GROUP)]
        # Not a multiple of the levels: each group is asked for another level the next time.
        self._groups = itertools.cycle(groups[: len(groups) - 1 + len(groups) % 2])
        self._levels = itertools.cycle((35, 60, 45, 80))
        self._thread = threading.Thread(target=self._work, name="operator", daemon=True)

    def start(self) -> None:
        """Go to work."""
        self._thread.start()

    def finish(self) -> None:
        """Ask for nothing more; what is under way is asked to its end."""
        self._stop.set()
        self._thread.join(120)
        assert not self._thread.is_alive(), "a command could not be asked for in two minutes"
        if self._error is not None:
            raise self._error

    def open_commands(self) -> int:
        """How many commands have not ended."""
        found = json(self.client.get("/api/v1/commands", params={"open": "true", "limit": 500}))
        return len(found["items"])

    def _work(self) -> None:
        try:
            while not self._stop.wait(self.every_s):
                self._act()
        except BaseException as error:
            self._error = error

    def _act(self) -> None:
        body = {
            "verb": "set_dimming_level",
            "params": {"level": next(self._levels)},
            "assets": next(self._groups),
            "reason": "fault test",
            "expires_in_s": 180,
        }
        key = f"fault-{time.monotonic_ns()}"
        while True:
            self.tries += 1
            with contextlib.suppress(httpx.HTTPError):
                answer = self.client.post(
                    "/api/v1/commands", json=body, headers={"Idempotency-Key": key}, timeout=5
                )
                if answer.status_code == httpx.codes.ACCEPTED:
                    self.commands.append(answer.json()["id"])
                    return
                assert answer.status_code in _TRY_AGAIN, f"{answer.status_code} {answer.text}"
            time.sleep(0.3)

    def _lights(self) -> list[int]:
        found: list[int] = []
        cursor: str | None = None
        while len(found) < MOST_ASSETS:
            params: dict[str, Any] = {"filter": "kind:Streetlight", "limit": 500}
            if cursor:
                params["cursor"] = cursor
            page = json(self.client.get("/api/v1/assets", params=params))
            found += [asset["id"] for asset in page["items"]]
            cursor = page["next"]
            if not cursor:
                break
        return found


class Screen:
    """A console that is never reloaded: when it said that it was live, and when not."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.await_live(30)
        page.evaluate(_NOTE_LIVE)

    def await_live(self, within_s: float) -> None:
        """Wait until it says that it is live."""
        self.page.wait_for_function(
            "() => document.querySelector('[data-testid=live-indicator]')?.dataset.live === 'true'",
            timeout=within_s * 1000,
        )

    def await_updates(self, within_s: float) -> None:
        """Wait until lights change on it: being live is more than a word."""
        self.page.wait_for_function(
            "(before) => window.__vigie.updates > before",
            arg=self.page.evaluate("() => window.__vigie.updates"),
            timeout=within_s * 1000,
        )

    def noted(self, since: float = 0.0) -> list[tuple[float, bool]]:
        """When its word changed, and to what."""
        return [(at, live) for at, live in self.page.evaluate("() => window.__noted") if at > since]
