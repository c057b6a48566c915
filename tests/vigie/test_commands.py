"""Commands that fail say so in one line that says what to do: never a traceback."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vigie.core.engines import free_port
from vigie.core.supervisor import read_state


def vigie(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "VIGIE_" not in name}
    environment |= {f"VIGIE_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "vigie", *arguments],
        env=environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "command", [("migrate",), ("user", "list"), ("journal", "verify"), ("provision", "--out=x")]
)
def test_a_database_away_is_named(command: tuple[str, ...], tmp_path: Path) -> None:
    port = free_port()
    done = vigie(
        *command,
        var=tmp_path,
        database_url=f"postgresql://city:hidden@127.0.0.1:{port}/vigie",
        nats_url=f"nats://127.0.0.1:{free_port()}",
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"vigie: The database vigie on 127.0.0.1:{port} cannot be used")
    assert done.stderr.count("\n") == 1
    assert "hidden" not in done.stderr


def test_the_doctor_looks_at_an_installation_that_is_not_there(tmp_path: Path) -> None:
    done = vigie(
        "doctor",
        var=tmp_path / "not" / "yet",
        database_url=f"postgresql://127.0.0.1:{free_port()}/vigie",
        nats_url=f"nats://127.0.0.1:{free_port()}",
    )
    assert done.returncode == 1
    assert done.stderr == ""
    assert "does not run: `vigie up` starts it" in done.stdout
    assert "cannot be used" in done.stdout


@pytest.mark.parametrize(
    ("command", "settings", "says"),
    [
        ("nats-config", {"var": "/proc/none"}, "set VIGIE_VAR"),
        ("migrate", {"database_url": "db/vigie"}, "VIGIE_DATABASE_URL is wrong: it starts with"),
        ("migrate", {"nats_url": "http://bus"}, "VIGIE_NATS_URL is wrong: it starts with nats://"),
        ("up --city /nowhere", {}, "/nowhere is no city folder: /nowhere/city.toml"),
        ("run nobody", {}, "There is no role 'nobody'"),
    ],
)
def test_a_wrong_setting_is_one_line(
    command: str, settings: dict[str, str], says: str, tmp_path: Path
) -> None:
    done = vigie(*command.split(), **({"var": tmp_path} | settings))
    assert done.returncode == 1
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_word_of_a_killed_supervisor_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "supervisor.json").write_text('{"supervisor": 1}')
    assert read_state(tmp_path) is None
    with (tmp_path / "run" / "lock").open("w") as lock:
        assert read_state(tmp_path) is None
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert read_state(tmp_path) == {"supervisor": 1}
