"""One live socket a browser, on a centre without equipment: maps of a city take long to draw in
software, and are not what is looked at here."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Desk
from tests.e2e.test_spine import log_in
from tests.support.centre import Centre

pytestmark = pytest.mark.e2e
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """A centre of no lights."""
    made = Centre(tmp_path_factory.mktemp("tabs") / "var")
    try:
        made.up()
        yield made
    finally:
        made.stop()


def is_live(page: Page) -> None:
    indicator = page.get_by_test_id("live-indicator")
    expect(indicator).to_have_attribute("data-live", "true", timeout=PATIENCE_MS)


def test_tabs_share_one_socket(desk: Desk, empty: Centre) -> None:
    """Two tabs are live without a socket of their own; a browser without shared workers has one."""
    sockets: list[str] = []
    desk.context.on("page", lambda page: page.on("websocket", lambda s: sockets.append(s.url)))
    desk.page.on("websocket", lambda socket: sockets.append(socket.url))
    log_in(desk, empty)
    is_live(desk.page)
    second = desk.context.new_page()
    second.goto(empty.url + "/system")
    is_live(second)
    component = second.locator('[data-testid=health-component][data-name="live-frames"]')
    expect(component).to_have_attribute("data-status", "ok", timeout=PATIENCE_MS)
    desk.page.close()
    second.wait_for_timeout(4_000)
    is_live(second)
    assert sockets == []
    alone = desk.context.new_page()
    alone.add_init_script("delete window.SharedWorker")
    alone.goto(empty.url)
    is_live(alone)
    assert len(sockets) == 1
    assert desk.errors == []
