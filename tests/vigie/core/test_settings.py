"""Settings: where each comes from, and one line about what is wrong."""

from pathlib import Path

import pytest

from vigie.core.errors import SetupError
from vigie.core.settings import describe, load, unknown


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    file = tmp_path / "vigie.toml"
    file.write_text('http_port = 9001\nterritory = "dijon"\nshards = 4\n')
    environ = {"VIGIE_CONFIG": str(file), "VIGIE_HTTP_PORT": "9002"}
    settings = load(environ)
    assert (settings.http_port, settings.shards, settings.mqtt_port) == (9002, 4, 1883)
    sources = {row.name: row.source for row in describe(environ)}
    assert sources["http_port"] == "environment"
    assert sources["shards"] == str(file)
    assert sources["mqtt_port"] == "default"


def test_every_setting_says_what_it_means_and_hides_its_secret() -> None:
    rows = describe({"VIGIE_DATABASE_URL": "postgresql://vigie:hunter2@db/vigie"})
    assert all(row.meaning.endswith(".") for row in rows)
    assert all("hunter2" not in row.value for row in rows)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"VIGIE_HTTP_PORT": "70000"}, "http_port"),
        ({"VIGIE_HTTP_PORT": "eighty"}, "http_port"),
        ({"VIGIE_SYNC": "never"}, "sync"),
        ({"VIGIE_CONFIG": "/nowhere/vigie.toml"}, "cannot be read"),
        ({"VIGIE_TRUSTED_PROXIES": "*"}, "TRUSTED_PROXIES"),
        ({"VIGIE_TRUSTED_PROXIES": "10.0.0.1, proxy.example"}, "TRUSTED_PROXIES"),
        ({"VIGIE_TRUSTED_PROXIES": "10.0.0.1/8"}, "TRUSTED_PROXIES"),
    ],
)
def test_a_wrong_setting_is_named(environ: dict[str, str], says: str) -> None:
    with pytest.raises(SetupError, match=says):
        load(environ)


@pytest.mark.parametrize(
    ("text", "says"),
    [("http_prot = 1", r"'http_prot' \(did you mean http_port\?\)"), ("http_port = ", "TOML")],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "vigie.toml"
    file.write_text(text)
    with pytest.raises(SetupError, match=says):
        load({"VIGIE_CONFIG": str(file)})


def test_a_variable_that_is_no_setting_is_named_with_the_nearest() -> None:
    environ = {"VIGIE_HTP_PORT": "1", "VIGIE_CONFIG": "", "VIGIE_VAR": "x", "VIGIER": "1"}
    assert unknown(environ) == [
        "VIGIE_HTP_PORT is no setting and has no effect (did you mean VIGIE_HTTP_PORT?)."
    ]
    assert unknown({"VIGIE_QQQQ": "1"}) == ["VIGIE_QQQQ is no setting and has no effect."]


def test_an_ipv4_proxy_is_known_to_an_ipv6_listener() -> None:
    settings = load({"VIGIE_TRUSTED_PROXIES": "10.0.0.1, 10.1.0.0/16,fd00::/8"})
    assert settings.proxies == [
        "10.0.0.1", "10.1.0.0/16", "fd00::/8", "::ffff:10.0.0.1/128", "::ffff:10.1.0.0/112"
    ]  # fmt: skip
