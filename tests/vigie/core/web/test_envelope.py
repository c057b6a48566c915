"""What surrounds every request: host, headers, compression, screens, log lines."""

import json
import os

import msgspec
import pytest
import structlog

from tests.support.web import client
from vigie.core.errors import VigieError
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.core.web import PUBLIC, build_app, get
from vigie.core.web.hosts import check_host


class Long(msgspec.Struct):
    """A long answer."""

    text: str


@get("/long", permission=PUBLIC)
async def read_long(size: int = 200_000) -> Long:
    """Read much."""
    return Long("abc " * (size // 4))


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text("<!doctype html><title>Vigie</title>" + " " * 2000)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "main-Bx81kd9Z.js").write_text("export default 1;" * 500)
    return folder


@pytest.fixture(scope="module")
def app(runtime: Runtime, dist):
    return build_app(runtime, [read_long], [], screens=dist)


@pytest.fixture
async def browser(app):
    async with client(app) as made:
        yield made


async def test_headers_on_every_answer(browser):
    for path in ("/", "/api/v1/long", "/api/v1/none", "/healthz", "/none.js"):
        headers = (await browser.get(path)).headers
        policy = headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "strict-transport-security" not in headers
        assert headers["x-request-id"]
    assert (await browser.get("/api/v1/long")).headers["cache-control"] == "no-store"


async def test_https_asks_for_https_for_good(app):
    async with client(app, base="https://127.0.0.1:8080") as browser:
        answer = await browser.get("/healthz")
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_text_is_pressed_when_asked(browser):
    pressed = await browser.get("/api/v1/long")
    assert pressed.headers["content-encoding"] == "gzip"
    assert pressed.headers["vary"] == "accept-encoding"
    assert int(pressed.headers["content-length"]) < 3000
    assert len(pressed.json()["text"]) == 200_000
    plain = await browser.get("/api/v1/long", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    short = await browser.get("/api/v1/long?size=40")
    assert "content-encoding" not in short.headers


@pytest.mark.parametrize(
    ("listening", "names", "host", "us"),
    [
        ("127.0.0.1", "", "127.0.0.1:8080", True),
        ("127.0.0.1", "", "localhost", True),
        ("127.0.0.1", "", "[::1]:8080", True),
        ("127.0.0.1", "", "evil.example", False),
        ("127.0.0.1", "", "127.0.0.1.evil.example", False),
        ("127.0.0.1", "", "", False),
        ("127.0.0.1", "vigie.dijon.fr", "vigie.dijon.fr:443", True),
        ("0.0.0.0", "", "anything.example", True),
        ("0.0.0.0", "vigie.dijon.fr", "anything.example", False),
        ("0.0.0.0", "vigie.dijon.fr", "VIGIE.dijon.fr", True),
        ("0.0.0.0", "vigie.dijon.fr", "192.0.2.4:8080", True),
    ],
)
def test_hosts(listening, names, host, us):
    settings = Settings(http_host=listening, http_names=names)
    if us:
        check_host(settings, host)
    else:
        with pytest.raises(VigieError):
            check_host(settings, host)


async def test_another_host_is_refused_everywhere(browser):
    for path in ("/", "/healthz", "/api/v1/long"):
        answer = await browser.get(path, headers={"Host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (400, "wrong_host")


async def test_screens_are_served_and_their_own_addresses_answer_with_the_page(browser):
    page = await browser.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    for path in ("/map/21231", "/journal?x=1", "/index.html"):
        assert (await browser.get(path)).content == page.content
    script = await browser.get("/assets/main-Bx81kd9Z.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-encoding"] == "gzip"
    etag = {"If-None-Match": script.headers["etag"]}
    assert (await browser.get("/assets/main-Bx81kd9Z.js", headers=etag)).status_code == 304
    assert (await browser.head("/")).content == b""


@pytest.mark.parametrize(
    "path",
    ["/none.js", "/assets/none.css", "/../conftest.py", "/%2e%2e/pyproject.toml", "/api/none"],
)
async def test_what_is_not_a_screen_is_not_found(browser, path):
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_a_new_build_is_picked_up(app, dist):
    async with client(app) as browser:
        (dist / "index.html").write_text("new")
        os.utime(dist / "index.html", (1, 1))
        assert (await browser.get("/")).text == "new"


async def test_missing_screens_say_what_to_do(runtime, tmp_path):
    app = build_app(runtime, [], [], screens=tmp_path / "none")
    async with client(app) as browser:
        answer = await browser.get("/")
        assert answer.status_code == 503
        assert "make run" in answer.text
        assert (await browser.get("/healthz")).json() == {"status": "ok"}


async def test_one_log_line_a_request_without_the_query(browser):
    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as lines:
        await browser.get("/api/v1/long?size=44", headers={"X-Request-Id": "line-0001"})
    line = next(line for line in lines if line["event"] == "request")
    assert line["path"] == "/api/v1/long"
    assert line["status"] == 200
    assert line["request_id"] == "line-0001"
    assert "size=44" not in json.dumps(line, default=str)


async def test_health_and_figures(browser, app):
    assert (await browser.get("/readyz")).json() == {
        "status": "ok",
        "database": "ok",
        "bus": "ok",
        "disk": "ok",
    }
    await browser.get("/api/v1/long")
    figures = (await browser.get("/metrics")).text
    assert 'vigie_http_requests_total{method="GET",route="/api/v1/long",status="200"' in figures
    async with client(app, base="https://127.0.0.1:8080", address="192.0.2.1") as stranger:
        assert (await stranger.get("/metrics")).status_code == 401
    for passed_on in ({"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}):
        assert (await browser.get("/metrics", headers=passed_on)).status_code == 401
