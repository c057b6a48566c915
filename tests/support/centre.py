"""A whole centre in a folder of its own, started by its real command, for tests and benches."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import msgspec

from vigie.core.engines import free_port

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"


class Centre:
    """`vigie up` as a person would start it, on free ports."""

    def __init__(self, var: Path, **settings: str) -> None:
        self.var = var
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("VIGIE_")},
            "VIGIE_VAR": str(var),
            "VIGIE_HTTP_PORT": str(free_port()),
            "VIGIE_HTTP_PUBLIC_PORT": str(free_port()),
            "VIGIE_MQTT_PORT": str(free_port()),
            "VIGIE_POSTGRES_PORT": str(free_port()),
            "VIGIE_NATS_PORT": str(free_port()),
            "PYTHONUNBUFFERED": "1",
            **{f"VIGIE_{name.upper()}": value for name, value in settings.items()},
        }
        self.url = f"http://127.0.0.1:{self.environment['VIGIE_HTTP_PORT']}"
        self.public_url = f"http://127.0.0.1:{self.environment['VIGIE_HTTP_PUBLIC_PORT']}"
        self.output = var / "up.txt"
        self.process: subprocess.Popen[bytes] | None = None
        self.username = ""
        self.password = ""

    def up(self, *options: str, within_s: float = 90) -> float:
        """Start it and wait until it says it is ready; the seconds that took."""
        self.var.mkdir(parents=True, exist_ok=True)
        offset = self.output.stat().st_size if self.output.exists() else 0
        began = time.monotonic()
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "vigie", "up", *options],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=ROOT,
                start_new_session=True,
            )
        text = self._await(r"Vigie is ready after", within_s, offset)
        taken = time.monotonic() - began
        text = self._await(r"First login|lives:|Ctrl-C|is ready", 5, offset)
        time.sleep(0.2)
        text = self.said()[offset:]
        if found := re.search(r"First login:\s+(\S+)\n\s+Password:\s+(\S+)", text):
            self.username, self.password = found.groups()
        return taken

    def await_city(self, within_s: float = 180) -> None:
        """Wait until the simulated city lives."""
        self._await(r"lives: \d+ devices", within_s, 0)

    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def command(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another `vigie` command on the same installation."""
        done = subprocess.run(
            [sys.executable, "-m", "vigie", *arguments],
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=ROOT,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"vigie {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done

    def pids(self) -> dict[str, int]:
        """Process ids by name: supervisor, postgres, nats, the roles, simcity."""
        state = msgspec.json.decode((self.var / "run" / "supervisor.json").read_bytes())
        alive = {name: pid for name, pid in state["children"].items() if pid}
        return {"supervisor": state["supervisor"], **alive}

    def login(self, username: str = "", password: str = "", new_password: str = "") -> httpx.Client:
        """A logged-in client; the first login's forced change of password is done on the way."""
        username, password = username or self.username, password or self.password
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)
        answer = client.post("/api/v1/session", json={"username": username, "password": password})
        assert answer.status_code < 300, answer.text
        session = answer.json()
        client.headers["X-CSRF-Token"] = session["csrf"]
        if session["user"]["must_change_password"]:
            changed = new_password or password + "-changed"
            answer = client.post(
                "/api/v1/session/password", json={"current": password, "new": changed}
            )
            assert answer.status_code < 300, answer.text
            client.close()
            if username == self.username:
                self.password = changed
            return self.login(username, changed)
        return client

    def stop(self) -> None:
        """Ask it to end; kill what remains."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def _await(self, pattern: str, within_s: float, offset: int) -> str:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            text = self.said()[offset:]
            if re.search(pattern, text):
                return text
            if self.process is None or self.process.poll() is not None:
                raise AssertionError(f"vigie up ended: {text[-2000:]}")
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} after {within_s} s: {self.said()[-2000:]}")


def json(answer: httpx.Response) -> Any:
    """The body of an answer that must be a success."""
    assert answer.status_code < 300, f"{answer.request.url}: {answer.status_code} {answer.text}"
    return answer.json()


Row = Mapping[str, Any]
