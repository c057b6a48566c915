"""A real centre and a real Chromium for tests that act as an operator would."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.support.centre import SHARED, Centre
from tests.support.cities import montpellier

ARGUMENTS = [
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "the browser tests need Debian's package chromium"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield launched
        launched.close()


class Desk:
    """One operator's browser; what the console printed as an error is kept."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        self.errors: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


@pytest.fixture
def desk(browser: Browser) -> Iterator[Desk]:
    """A fresh browser profile, French, on an operator's screen."""
    context = browser.new_context(
        viewport={"width": 1920, "height": 1080}, locale="fr-FR", timezone_id="Europe/Paris"
    )
    context.set_default_timeout(20_000)
    yield Desk(context)
    context.close()


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre on Montpellier's 29,969 published street lights, none of which fails."""
    if not SHARED.exists():
        pytest.skip("the published data of ../shared/data is not here")
    folder = tmp_path_factory.mktemp("e2e")
    made = Centre(folder / "var", territory=str(montpellier(folder / "city")))
    try:
        made.up("--city", str(folder / "city"), "--failure-rate", "0")
        made.await_city()
        yield made
    finally:
        made.stop()


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where screenshots of this run go: `var/pictures` under the checkout."""
    folder = Path(request.config.rootpath) / "var" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
