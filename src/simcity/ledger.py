"""The witness: a SQLite file of what the platform acknowledged and what devices did.

A row of `acknowledged` is written after its PUBACK arrived, within 100 ms. Killing simcity
itself can therefore lose the rows of its last 100 ms, never add one: what the ledger holds was
acknowledged, and the platform may hold a little more. Rows survive a killed process at once
(WAL in the page cache), a power cut from the last checkpoint on.
"""

import contextlib
import os
import queue
import sqlite3
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import msgspec

from simcity.provisioning import Device
from simcity.world import Happening

SCHEMA = """
CREATE TABLE IF NOT EXISTS device(
  number INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, client TEXT NOT NULL,
  kind TEXT NOT NULL, source_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS boot(boot INTEGER PRIMARY KEY, started REAL NOT NULL, seed INTEGER,
  failure_rate REAL);
CREATE TABLE IF NOT EXISTS acknowledged(
  device INTEGER NOT NULL, boot INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS command(
  id TEXT NOT NULL, device INTEGER NOT NULL, level REAL, at INTEGER NOT NULL,
  expires INTEGER, status TEXT NOT NULL, code TEXT, verb TEXT, PRIMARY KEY(id, device))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS state(
  device INTEGER PRIMARY KEY, at INTEGER NOT NULL, kept TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS happening(
  t REAL NOT NULL, device INTEGER, point TEXT NOT NULL, value NOT NULL);
CREATE TABLE IF NOT EXISTS reading(
  device INTEGER NOT NULL, boot INTEGER NOT NULL, n INTEGER NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lamp(
  device INTEGER PRIMARY KEY, at INTEGER NOT NULL, level REAL NOT NULL, fault TEXT NOT NULL,
  manual REAL, until REAL, energy REAL NOT NULL, hours REAL NOT NULL);
CREATE VIEW IF NOT EXISTS acknowledged_message AS
  SELECT d.token AS device, a.boot, a.n, a.at FROM acknowledged a
  JOIN device d ON d.number = a.device;
CREATE VIEW IF NOT EXISTS what_happened AS
  SELECT h.t, d.kind, d.source_id, d.token AS device, h.point, h.value FROM happening h
  LEFT JOIN device d ON d.number = h.device;
CREATE VIEW IF NOT EXISTS reading_of AS
  SELECT d.kind, d.token AS device, r.boot, r.n, r.body FROM reading r
  JOIN device d ON d.number = r.device;
CREATE VIEW IF NOT EXISTS executed_command AS
  SELECT c.id, d.token AS device, d.source_id, c.level, c.at, c.status, c.code
  FROM command c JOIN device d ON d.number = c.device;
CREATE VIEW IF NOT EXISTS lamp_level AS
  SELECT d.token AS device, d.source_id, l.level, l.fault, l.at FROM lamp l JOIN device d
  ON d.number = l.device;
"""
AcknowledgedRow = tuple[int, int, int]  # device, n, at
CommandRow = tuple[str, int, float | None, int, int | None, str, str | None, str]
LampRow = tuple[int, int, float, str, float | None, float | None, float, float]


def open_file(path: Path) -> sqlite3.Connection:
    """The ledger, made when it is not there; what devices did is for its owner to read.

    SQLite gives the files beside it (-wal, -shm) the rights of the ledger itself."""
    with contextlib.suppress(OSError):  # SQLite says better what is wrong with the path.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for beside in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        with contextlib.suppress(FileNotFoundError, PermissionError):
            beside.chmod(0o600)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.executescript(SCHEMA)
    with contextlib.suppress(sqlite3.OperationalError):  # ledgers of before have no verbs
        connection.execute("ALTER TABLE command ADD COLUMN verb TEXT")
    return connection


class Ledger:
    """Writes in a thread of its own, a transaction every 50 ms. `flush` waits for the disk."""

    def __init__(self, path: Path, devices: list[tuple[Device, str]]):
        """`devices` in the fleet's order, each with the token of its client."""
        self._connection = open_file(path)
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany(
            "INSERT OR IGNORE INTO device(token, client, kind, source_id) VALUES (?, ?, ?, ?)",
            [(d.device, client, d.kind, d.source_id) for d, client in devices],
        )
        self._connection.execute("COMMIT")
        numbers = dict(self._connection.execute("SELECT token, number FROM device").fetchall())
        self._numbers: list[int] = [numbers[d.device] for d, _ in devices]
        self._back = {number: index for index, number in enumerate(self._numbers)}
        self._boot = 0
        self._acknowledged: list[AcknowledgedRow] = []
        self._commands: list[CommandRow] = []
        self._readings: list[tuple[int, int, str]] = []
        self._marks: deque[tuple[float, int]] = deque()  # (when, last row by then)
        self._jobs: queue.SimpleQueue[tuple[Any, ...] | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)

    # --- reading, before it runs

    def last_boot(self) -> int:
        (boot,) = self._connection.execute("SELECT max(boot) FROM boot").fetchone()
        return -1 if boot is None else int(boot)

    def lamps(self) -> list[tuple[int, float, float | None, float | None, float, float]]:
        """(device, at in s, manual level, until, energy, hours) as last written."""
        found = self._connection.execute(
            "SELECT device, at, manual, until, energy, hours FROM lamp"
        )
        return [
            (self._back[row[0]], row[1] / 1000, *row[2:]) for row in found if row[0] in self._back
        ]

    def states(self) -> list[tuple[int, dict[str, float]]]:
        """What devices other than lamps were asked to remember."""
        found = self._connection.execute("SELECT device, kept FROM state")
        return [
            (self._back[row[0]], msgspec.json.decode(row[1], type=dict[str, float]))
            for row in found
            if row[0] in self._back
        ]

    def recent_commands(self, now_ms: int) -> list[tuple[str, int, float | None, str, str | None]]:
        """Those carried out that may still be sent again: (id, device, level, status, code)."""
        found = self._connection.execute(
            "SELECT id, device, level, status, code FROM command "
            "WHERE status IN ('done', 'refused', 'failed') AND (expires IS NULL OR expires > ?)",
            (now_ms,),
        )
        return [(r[0], self._back[r[1]], *r[2:]) for r in found if r[1] in self._back]

    # --- writing

    def start(self, boot: int, seed: int, failure_rate: float) -> None:
        self._boot = boot
        self._connection.execute(
            "INSERT OR IGNORE INTO boot VALUES (?, ?, ?, ?)",
            (boot, time.time(), seed, failure_rate),
        )
        self._thread.start()

    def acknowledged(self, rows: list[AcknowledgedRow]) -> None:
        self._acknowledged += rows

    def command(self, row: CommandRow) -> None:
        self._commands.append(row)

    def readings(self, bodies: list[bytes], rows: list[AcknowledgedRow]) -> None:
        """What was said, whether or not it arrives."""
        self._readings += [
            (row[0], row[1], body.decode()) for body, row in zip(bodies, rows, strict=True)
        ]

    def pass_on(
        self,
        lamps: list[LampRow] | None = None,
        states: list[tuple[int, int, str]] | None = None,
        happenings: list[Happening] | None = None,
    ) -> None:
        """Hand what came in to the writer; called every 50 ms from the loop."""
        if self._error is not None:
            raise RuntimeError(f"the ledger cannot be written: {self._error}")
        if states or happenings or self._readings:
            what = list(happenings or ())
            self._jobs.put((self._commit_world, states or [], what, self._readings))
            self._readings = []
        if self._acknowledged or self._commands or lamps:
            self._jobs.put((self._commit, self._acknowledged, self._commands, lamps or []))
            self._acknowledged, self._commands = [], []

    def flush(self) -> None:
        """Wait until all that was passed on is committed."""
        self.pass_on()
        done = threading.Event()
        self._jobs.put((done.set,))
        while not done.wait(0.05):
            if not self._thread.is_alive():
                raise RuntimeError(f"the ledger cannot be written: {self._error}")

    def forget(self, seconds: float) -> None:
        """Drop acknowledged messages witnessed longer ago: a city that lives for months."""
        now = time.monotonic()
        if not self._marks or now - self._marks[-1][0] > seconds / 10:
            self._jobs.put((self._mark,))
        while self._marks and now - self._marks[0][0] > seconds:
            self._jobs.put((self._trim, self._marks.popleft()[1]))

    def _mark(self) -> None:
        (row,) = self._connection.execute("SELECT max(rowid) FROM acknowledged").fetchone()
        self._marks.append((time.monotonic(), row or 0))

    def _trim(self, row: int) -> None:
        """In steps, so that the writer is never held up for long."""
        while self._connection.execute(
            "DELETE FROM acknowledged WHERE rowid IN "
            "(SELECT rowid FROM acknowledged WHERE rowid <= ? LIMIT 20000)",
            (row,),
        ).rowcount:
            pass

    def close(self) -> None:
        if self._thread.is_alive():
            self.pass_on()
            self._jobs.put(None)
            self._thread.join()
        self._connection.close()

    def _work(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                job[0](*job[1:])
        except BaseException as error:
            self._error = error

    def _commit(
        self,
        acknowledged: list[AcknowledgedRow],
        commands: list[CommandRow],
        lamps: list[LampRow],
    ) -> None:
        numbers, boot, connection = self._numbers, self._boot, self._connection
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO acknowledged VALUES (?, ?, ?, ?)",
            [(numbers[device], boot, n, at) for device, n, at in acknowledged],
        )
        connection.executemany(
            "INSERT INTO command VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id, device) DO UPDATE "
            "SET level = excluded.level, at = excluded.at, status = excluded.status, "
            "code = excluded.code WHERE command.status IN ('expired', 'unheard')",
            [(row[0], numbers[row[1]], *row[2:]) for row in commands],
        )
        connection.executemany(
            "INSERT OR REPLACE INTO lamp VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [(numbers[row[0]], *row[1:]) for row in lamps],
        )
        connection.execute("COMMIT")

    def _commit_world(
        self,
        states: list[tuple[int, int, str]],
        happenings: list[Happening],
        readings: list[tuple[int, int, str]],
    ) -> None:
        numbers, boot, connection = self._numbers, self._boot, self._connection
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT OR REPLACE INTO state VALUES (?, ?, ?)",
            [(numbers[device], at, kept) for device, at, kept in states],
        )
        connection.executemany(
            "INSERT INTO happening VALUES (?, ?, ?, ?)",
            [
                (h.t, None if h.device < 0 else numbers[h.device], h.point, h.value)
                for h in happenings
            ],
        )
        connection.executemany(
            "INSERT INTO reading VALUES (?, ?, ?, ?)",
            [(numbers[device], boot, n, body) for device, n, body in readings],
        )
        connection.execute("COMMIT")


def summary(path: Path) -> dict[str, object]:
    """What the ledger witnessed, in numbers."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:

        def one(sql: str) -> tuple[int, ...]:
            return connection.execute(sql).fetchone()

        messages, devices, first, last = one(
            "SELECT count(*), count(DISTINCT device), min(at), max(at) FROM acknowledged"
        )
        return {
            "devices": one("SELECT count(*) FROM device")[0],
            "boots": one("SELECT count(*) FROM boot")[0],
            "acknowledged": messages,
            "acknowledged_devices": devices,
            "acknowledged_twice": one(
                "SELECT count(*) FROM (SELECT 1 FROM acknowledged GROUP BY device, boot, n "
                "HAVING count(*) > 1)"
            )[0],
            "first_at": first,
            "last_at": last,
            "commands": dict(
                connection.execute("SELECT status, count(*) FROM command GROUP BY status")
            ),
            "happenings": dict(
                connection.execute("SELECT point, count(*) FROM happening GROUP BY point")
            ),
            "lamps": dict(
                connection.execute("SELECT CAST(level AS TEXT), count(*) FROM lamp GROUP BY level")
            ),
            "faults": dict(connection.execute("SELECT fault, count(*) FROM lamp GROUP BY fault")),
        }
    finally:
        connection.close()
