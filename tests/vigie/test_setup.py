"""The set-up's own script: fit tools pass, unfit ones are one line that says what to do."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "setup"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with nothing but the script, `web/`, and an npm that does nothing."""
    (tmp_path / "web" / "node_modules").mkdir(parents=True)
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts" / "setup")
    _program(tmp_path / "bin" / "npm", "exit 0")
    return tmp_path


def test_this_machines_node_is_fit(clone: Path) -> None:
    done = _setup(clone, "node")
    assert done.returncode == 0, done.stderr
    assert (clone / "web" / "node_modules" / ".installed").exists()


def test_an_old_node_is_refused_in_one_line(clone: Path) -> None:
    _program(clone / "bin" / "node", '[ "$1" = -e ] && exit 1; echo v18.0.0')
    done = _setup(clone, "node")
    assert done.returncode == 1
    assert done.stderr == "vigie: Node.js v18.0.0 is too old: Vigie needs 20 or newer.\n"


def test_an_old_python_is_refused_in_one_line(clone: Path) -> None:
    _program(clone / "bin" / "python3", '[ "$1" = -c ] && exit 1; echo Python 3.9.2')
    done = _setup(clone, "python", "requirements.lock", ".venv/.installed")
    assert done.returncode == 1
    assert done.stderr.startswith("vigie: Python 3.9.2 is too old: Vigie needs 3.11 or newer;")
    assert done.stderr.count("\n") == 1


def _program(path: Path, body: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def _setup(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", str(clone / "scripts" / "setup"), *arguments],
        env=os.environ | {"PATH": f"{clone / 'bin'}:{os.environ['PATH']}", "PYTHON": "python3"},
        capture_output=True,
        text=True,
        check=False,
    )
