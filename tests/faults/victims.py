"""Whom the fault test hurts, and how to see that it is back."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable

import httpx
import psutil
import psycopg

from tests.support.centre import Centre
from tests.support.ledgers import owner

VICTIMS = ("supervisor", "postgres", "backend", "nats", "ingest", "api", "watch", "gateways")
# The ingest's pooled sessions, the one it used last first: not those that hold a leader's lock.
_BACKEND = """
select pid from pg_stat_activity where application_name = 'vigie-ingest'
 and pid not in (select pid from pg_locks where locktype = 'advisory')
order by state_change desc
"""


def find(centre: Centre, name: str) -> psutil.Process:
    """The process to hurt; `backend` is one PostgreSQL backend of the ingest."""
    if name != "backend":
        return psutil.Process(centre.pids()[name])
    deadline = time.monotonic() + 60
    while True:
        # It opens sessions again as it needs them, after the fault before this one.
        with contextlib.suppress(psycopg.OperationalError), owner(centre) as connection:
            row = connection.execute(_BACKEND).fetchone()
            if row is not None:
                return psutil.Process(row[0])
        assert time.monotonic() < deadline, "the ingest has no session"
        time.sleep(0.05)


def kill(centre: Centre, name: str) -> float | None:
    """kill -9. The supervisor is started again as systemd would: seconds that took."""
    victim = find(centre, name)
    victim.kill()
    if name == "supervisor":
        assert centre.process
        centre.process.wait()
        return centre.up("--no-city")
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(OSError, KeyError, ValueError):
            if not victim.is_running() and (name == "backend" or centre.pids()[name] != victim.pid):
                return None
        assert time.monotonic() < deadline, f"{name} was not started again"
        time.sleep(0.02)


def freeze(centre: Centre, name: str, seconds: float) -> None:
    """SIGSTOP for a while; PostgreSQL with all its backends. `backend` is all that the ingest has:
    of several lanes one goes on with another session, and the screens are right to stay live."""
    victim = find(centre, name)
    frozen = [victim]
    if name == "backend":
        with owner(centre) as connection:
            rows = connection.execute(_BACKEND).fetchall()
        frozen = [psutil.Process(row[0]) for row in rows if psutil.pid_exists(row[0])]
    _signal(frozen, signal.SIGSTOP)
    if name == "postgres":
        children = victim.children(recursive=True)
        _signal(children, signal.SIGSTOP)
        frozen += children
    try:
        time.sleep(seconds)
    finally:
        _signal(reversed(frozen), signal.SIGCONT)


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def await_ready(centre: Centre, within_s: float = 60) -> None:
    """Wait until the API and everything it needs answers."""
    deadline = time.monotonic() + within_s
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{centre.url}/readyz", timeout=3, trust_env=False).status_code == 200:
                return
        assert time.monotonic() < deadline, f"not ready after {within_s} s"
        time.sleep(0.05)


def await_well(client: httpx.Client, within_s: float = 60) -> None:
    """Wait until every process says that it is well."""
    deadline = time.monotonic() + within_s
    said: object = None
    while True:
        with contextlib.suppress(httpx.HTTPError, KeyError, ValueError):
            said = client.get("/api/v1/system", timeout=3).json()
            if said["status"] == "ok":
                return
        assert time.monotonic() < deadline, f"not well after {within_s} s: {said}"
        time.sleep(0.2)
