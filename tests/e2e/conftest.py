"""One real centre and one real Chromium for all browser tests.

How a room adds a browser test: a file `test_ROOM.py` here, with

    from tests.support.desk import Desk, both_languages

    pytestmark = pytest.mark.e2e

    def test_the_queue_is_emptied(operator: Desk, admin: httpx.Client) -> None:
        operator.page.goto("/queue")
        expect(operator.page.get_by_test_id("queue-row")).to_have_count(3)

What it is given:

`centre`    one `vigie up` for the whole run, with the synthetic city that ships (LIGHTS street
            lights, none at fault). It starts in about ten seconds, once: do not stop it, and leave
            it as you found it. Objects a test creates carry names of their own; a test never
            counts on being the first or the only one.
`admin`     an HTTP client of its administrator: prepare what the page needs, read what it did.
`operator`  a fresh browser profile (`Desk`), logged in as an operator of every municipality and
            trade, in French, on the console's first screen. Paths are relative to the centre.
`seat`      the same for others: `seat("auditor", "en")`, `seat("operator", municipality="21278")`.
`desk`      a browser in which nobody has logged in yet. The login page offers OpenID providers;
            they answer only while test_sign_in.py runs them.
`simcity`   the simulated city's control socket: `simcity(op="fault", device=…, mode="silent")`.
`pictures`  where screenshots go.

In both languages: `@both_languages` above the test; `operator.language` says which it is.

An error in the browser's console fails the test. One that belongs to it is announced first:
`operator.expect_error(r"403")`.

A test that needs a city of its own or restarts its centre has a module-scoped fixture with its own
`Centre`, as the published city in test_spine.py; it costs the suite a start.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support.centre import Centre
from tests.support.city import ask
from tests.support.desk import Desk, chromium, seated
from tests.support.oidc import write_providers
from tests.support.people import Account, new_account

LIGHTS = 2_000
expect.set_options(timeout=20_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium; each desk has a profile of its own in it."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    """The centre that all browser tests share, its synthetic city alive."""
    folder = tmp_path_factory.mktemp("e2e")
    made = Centre(folder / "var", oidc_file=str(write_providers(folder / "oidc.toml")))
    try:
        made.up("--lights", str(LIGHTS), "--failure-rate", "0")
        made.await_city()
        yield made
    finally:
        made.stop()


@pytest.fixture(scope="session")
def admin(centre: Centre) -> Iterator[httpx.Client]:
    """An HTTP client of the centre's first administrator."""
    with contextlib.closing(centre.login()) as client:
        yield client


@pytest.fixture
def desk(browser: Browser, centre: Centre) -> Iterator[Desk]:
    """A browser in French, nobody logged in."""
    with seated(browser, centre) as made:
        yield made


class Seat(Protocol):
    """Opens a browser in which an account with this role is logged in."""

    def __call__(
        self, role: str, language: str = "fr", *, municipality: str = "*", trade: str = "*"
    ) -> Desk: ...


@pytest.fixture(scope="session")
def accounts(centre: Centre, admin: httpx.Client) -> Callable[..., Account]:
    """Name and password of an account with this role; each is created once for all tests."""
    known: dict[tuple[str, ...], Account] = {}

    def account(role: str, language: str, municipality: str, trade: str) -> Account:
        key = (role, language, municipality, trade)
        if key not in known:
            username, first = new_account(
                admin, role, language=language, municipality=municipality, trade=trade
            )
            chosen = first + "-changed"
            centre.login(username, first, chosen).close()
            known[key] = username, chosen
        return known[key]

    return account


@pytest.fixture
def seat(browser: Browser, centre: Centre, accounts: Callable[..., Account]) -> Iterator[Seat]:
    """Seats as many people as a test needs, each with a browser profile of their own."""
    with contextlib.ExitStack() as stack:

        def sit(
            role: str, language: str = "fr", *, municipality: str = "*", trade: str = "*"
        ) -> Desk:
            username, password = accounts(role, language, municipality, trade)
            # Logged in over HTTP: the form has its own test, and a login costs the city a hash.
            session = stack.enter_context(contextlib.closing(centre.login(username, password)))
            made = stack.enter_context(seated(browser, centre, language, session))
            made.page.goto("/")
            # Several maps drawn without a graphics card keep each other waiting.
            expect(made.page.get_by_test_id("user-menu")).to_be_visible(timeout=60_000)
            return made

        yield sit


@pytest.fixture
def operator(request: pytest.FixtureRequest, seat: Seat) -> Desk:
    """An operator of the whole territory in a fresh browser; `both_languages` changes French."""
    return seat("operator", getattr(request, "param", "fr"))


@pytest.fixture
def simcity(centre: Centre) -> Callable[..., dict[str, Any]]:
    """Asks the simulated city something over its control socket."""
    return lambda **request: ask(centre.var / "run" / "simcity.sock", **request)


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where screenshots of this run go: `var/pictures` under the checkout."""
    folder = Path(request.config.rootpath) / "var" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
