"""Log lines: bounded, whatever somebody sends."""

import io
import json
import logging
import sys

import pytest

from vigie.core import logs


@pytest.fixture
def lines(monkeypatch):
    """Configured like a process; what it wrote, a dict a line."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stdout", written)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    logs.configure("info", "json", role="test")

    def read():
        return [json.loads(line) for line in written.getvalue().splitlines()]

    yield read
    root.handlers[:] = handlers
    root.setLevel(level)
    logs.structlog.reset_defaults()
    logs.structlog.contextvars.clear_contextvars()


def test_no_value_enters_the_log_whole_when_it_is_long(lines):
    long = "x" * 60_000
    log = logs.logger("test")
    log.warning("device_refused", client=long, ids=[long] * 300, facts={long: {long: [long]}})
    log.warning("object", cause=ValueError(long), raw=long.encode())
    logging.getLogger("other.library").warning("it says %s", long)
    written = lines()
    assert len(written) == 3
    assert all(len(json.dumps(line)) < 20_000 for line in written)
    assert written[0]["client"].startswith("xxxx")
    assert "60000" in written[0]["client"], "how long it was is said"
    assert written[2]["event"].startswith("it says xxx")


def test_what_is_short_stays_as_it_is(lines):
    facts = {"a": 1, "b": None, "c": [1.5, True], "d": {"e": "é"}}
    logs.logger("test").info("said", path="/api/v1/long", facts=facts, size=3)
    (line,) = lines()
    assert (line["event"], line["path"], line["size"]) == ("said", "/api/v1/long", 3)
    assert line["facts"] == facts
    assert line["role"] == "test"


def test_a_traceback_is_kept(lines):
    try:
        raise ValueError("the cause " * 300)
    except ValueError:
        logs.logger("test").exception("failed")
    (line,) = lines()
    assert line["exception"].endswith("the cause " * 300)
