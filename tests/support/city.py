"""The simulated city beside a centre, started by its real command; and its ledger."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.centre import ROOT, Centre


def draw_city(centre: Centre, lights: int, *, seed: int = 1) -> Path:
    """A synthetic city drawn and imported into a running centre, its gateways provisioned."""
    folder = centre.var / "drawn"
    packs = ROOT / "src" / "vigie" / "places" / "packs" / "dijon"
    subprocess.run(
        [sys.executable, "-m", "simcity", "generate", f"--territory={packs}", f"--out={folder}",
         f"--lights={lights}", f"--seed={seed}"],
        check=True, capture_output=True, cwd=ROOT,
    )  # fmt: skip
    centre.command("import", "streets", str(folder / "streets.geojson"))
    for kind, name in (("StreetlightControlCabinet", "cabinets"), ("Streetlight", "streetlights")):
        centre.command(
            "import", "equipment", str(folder / f"{name}.geojson"), "--kind", kind,
            "--mapping", str(folder / f"{name}.toml"),
        )  # fmt: skip
    provisioning = centre.var / "provisioning.json"
    centre.command("provision", "--out", str(provisioning))
    return provisioning


class City:
    """One simcity process with a ledger and a control socket."""

    def __init__(self, folder: Path, provisioning: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.provisioning = provisioning
        self.ledger = folder / "ledger.sqlite"
        self.socket = folder / "control.sock"
        self.log = folder / "simcity.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str, ledger: bool = True) -> None:
        """Start it; options as of `simcity run`."""
        command = [
            sys.executable, "-m", "simcity", "run", f"--provisioning={self.provisioning}",
            f"--control={self.socket}", *options,
        ]  # fmt: skip
        if ledger:
            command.append(f"--ledger={self.ledger}")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while not self.socket.exists():
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            assert time.monotonic() < deadline, "simcity opened no control socket"
            time.sleep(0.05)

    def ask(self, within_s: float = 60, **request: Any) -> dict[str, Any]:
        """One question over the control socket."""
        return ask(self.socket, within_s, **request)

    def drain(self, timeout: float = 60) -> dict[str, Any]:
        """Report no more and wait until all is acknowledged (`drained`); the counts."""
        drained = self.ask(timeout + 5, op="drain", timeout=timeout)["drained"]
        self.ask(op="write")
        return self.ask(op="stats") | {"drained": drained}

    def stop(self) -> None:
        """End it."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the ledger."""
        with sqlite3.connect(f"file:{self.ledger}?mode=ro", uri=True) as connection:
            return connection.execute(sql).fetchall()


def ask(path: Path, within_s: float = 60, **request: Any) -> dict[str, Any]:
    """One question to a simcity process over its control socket."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(within_s)
        client.connect(str(path))
        client.sendall(json.dumps(request).encode() + b"\n")
        answer = client.makefile().readline()
    said: dict[str, Any] = json.loads(answer)
    assert said.pop("ok"), said
    return said
