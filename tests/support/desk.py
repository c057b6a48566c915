"""One person's browser, for tests that act as an operator would."""

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    StorageState,
    expect,
    sync_playwright,
)

from tests.support.centre import Centre

_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
both_languages = pytest.mark.parametrize("operator", ["fr", "en"], indirect=True)
_LOCALES = {"fr": "fr-FR", "en": "en-GB"}


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "the browser tests need Debian's package chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        yield launched
        launched.close()


class Desk:
    """One browser profile with one page; what its console printed as an error is kept."""

    def __init__(self, context: BrowserContext, language: str = "fr") -> None:
        self.context = context
        self.language = language
        self.errors: list[str] = []
        self._expected: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def expect_error(self, pattern: str) -> None:
        """Console errors that match this regular expression belong to the test."""
        self._expected.append(pattern)

    def go(self, path: str) -> None:
        """To another desk, as its link leads there: the map stays, which is slow to draw anew."""
        self.page.evaluate("path => { history.pushState(null, '', path); }", path)

    def picture(self, path: Path) -> None:
        """A screenshot; a map drawn without a graphics card takes a busy machine long."""
        self.page.screenshot(path=path, timeout=90_000)

    def check(self) -> None:
        """Fail when the console printed an error that the test did not expect."""
        unexpected = [
            error
            for error in self.errors
            if not any(re.search(pattern, error) for pattern in self._expected)
        ]
        assert unexpected == [], f"the browser's console printed errors: {unexpected}"

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


@contextlib.contextmanager
def seated(
    browser: Browser, centre: Centre, language: str = "fr", session: httpx.Client | None = None
) -> Iterator[Desk]:
    """A fresh profile in this language; fails at its end on console errors.

    With a `session` its person is logged in, without the form: paths are relative to the centre.
    """
    state: StorageState = {"cookies": [], "origins": []}
    if session is not None:
        # The console asks who is logged in only where someone has logged in before.
        mark = {"name": "vigie.entered", "value": "1"}
        state["origins"] = [{"origin": centre.url, "localStorage": [mark]}]
    context = browser.new_context(
        viewport={"width": 1920, "height": 1080},
        locale=_LOCALES[language],
        timezone_id="Europe/Paris",
        base_url=centre.url,
        storage_state=state,
    )
    if session is not None:
        context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": centre.url}
                for cookie in session.cookies.jar
            ]
        )
    context.set_default_timeout(20_000)
    desk = Desk(context, language)
    try:
        yield desk
    finally:
        context.close()
    desk.check()


def log_in(desk: Desk, centre: Centre, username: str = "", password: str = "") -> None:
    """Through the login form, and the forced change of a first password.

    Without a name it is the centre's first administrator, whose password the centre keeps.
    """
    page = desk.page
    page.goto(centre.url)
    page.get_by_test_id("login-username").fill(username or centre.username)
    page.get_by_test_id("login-password").fill(password or centre.password)
    page.get_by_test_id("login-submit").click()
    changed = page.get_by_test_id("password-next")
    page.wait_for_selector('[data-testid="password-next"], [data-testid="map"]')
    if changed.is_visible():
        new = (password or centre.password) + "-changed"
        page.get_by_test_id("password-current").fill(password or centre.password)
        changed.fill(new)
        page.get_by_test_id("password-again").fill(new)
        page.get_by_test_id("password-submit").click()
        if not username:
            centre.password = new
    expect(page.get_by_test_id("map")).to_be_visible()
