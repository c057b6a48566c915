"""`vigie up`: the whole centre in order — engines, shape, first login, roles, city."""

import asyncio
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec

from vigie.app import ROLES
from vigie.city import Simulation, prepare, read_city
from vigie.commands.engines import Session
from vigie.commands.first_login import forget_when_used, way_in
from vigie.core import logs
from vigie.core.engines import port_fault
from vigie.core.errors import SetupError
from vigie.core.settings import Settings, load, public_settings, unknown
from vigie.core.supervisor import Supervisor

T = TypeVar("T")
log = logs.logger(__name__)


class CityOptions(msgspec.Struct, frozen=True):
    """What lives around the centre."""

    folder: Path | None = None
    simulated: bool = True
    lights: int = 34_000
    failure_rate: float = 0.01
    batch: int = 20


async def run(options: CityOptions, reload: bool = False, without: str = "") -> None:
    """Start everything, print where to look, and run until told to stop.

    `reload` starts the roles again whenever the code changes; the role `without` is left to you.
    Raises SetupError: what cannot be had, and what to do about it.
    """
    settings = load()
    logs.configure(settings.log_level, settings.log_format, role="supervisor")
    for warning in unknown():
        log.warning("setting_unknown", detail=warning)
    began = time.monotonic()
    if options.simulated and options.folder is not None:
        read_city(options.folder)
    supervisor = Supervisor(settings)
    supervisor.claim()
    supervisor.on_signals()
    try:
        await _until_stopped(supervisor, _start(settings, supervisor, options, began, without))
        if reload:
            await _until_stopped(supervisor, _reload(supervisor))
        await _until_stopped(supervisor, forget_when_used(Session(settings)))
        await supervisor.wait()
    finally:
        await supervisor.stop()


async def _start(
    settings: Settings, supervisor: Supervisor, options: CityOptions, began: float, without: str
) -> None:
    if without and without not in ROLES:
        raise SetupError(f"There is no role {without!r}: choose one of {', '.join(ROLES)}.")
    if fault := port_fault(settings.http_host, settings.http_port):
        raise SetupError(f"{fault}, or set VIGIE_HTTP_PORT and VIGIE_HTTP_HOST.")
    if fault := port_fault(settings.http_public_host, settings.http_public_port):
        raise SetupError(f"{fault}, or set VIGIE_HTTP_PUBLIC_PORT and VIGIE_HTTP_PUBLIC_HOST.")
    await supervisor.start_engines()
    session = Session(settings)
    await session.migrate()
    login = await way_in(session)
    for role in ROLES:
        if role != without:
            supervisor.role(role)
    address = _address(settings)
    if without:
        _say(f"\n  Now start the role you left out:  .venv/bin/vigie run {without}")
    await _await_ready(settings, address, within_s=3600.0 if without else 60.0)
    # By name, not by number: passkeys belong to a name.
    shown = address.replace("//127.0.0.1:", "//localhost:")
    _say(f"\n  Vigie is ready after {time.monotonic() - began:.1f} s: {shown}\n")
    public = _address(public_settings(settings)).replace("//127.0.0.1:", "//localhost:")
    _say(f"  The citizens' pages: {public}\n")
    if login:
        _say(login)
    if options.simulated:
        simulation = await prepare(session, options.folder, options.lights, _say)
        supervisor.start_process("simcity", _command(simulation, options))
        _say(f"  {simulation.name} lives: {simulation.devices} devices report over MQTT.\n")
    _say("  Ctrl-C stops everything.")


async def _reload(supervisor: Supervisor) -> None:
    """Start the roles again a moment after the code changed, until told to stop."""
    try:
        from watchfiles import PythonFilter, awatch
    except ImportError as error:
        raise SetupError("--reload needs the tools of `make setup-dev`.") from error
    async for _ in awatch(Path(__file__).parent, watch_filter=PythonFilter()):
        _say("  The code changed: the roles start again.")
        supervisor.restart_roles()


def _command(simulation: Simulation, options: CityOptions) -> list[str]:
    return [
        sys.executable,
        "-m",
        "simcity",
        "run",
        f"--provisioning={simulation.provisioning}",
        f"--city={simulation.folder}",
        f"--ledger={simulation.ledger}",
        f"--control={simulation.control}",
        f"--failure-rate={options.failure_rate}",
        f"--batch={options.batch}",
    ]


async def _until_stopped(supervisor: Supervisor, work: Awaitable[T]) -> T | None:
    """The work's result, or None when the supervisor was told to stop meanwhile."""
    task = asyncio.ensure_future(work)
    stop = asyncio.create_task(supervisor.wait())
    await asyncio.wait({task, stop}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        stop.cancel()
        return await task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return None


async def _await_ready(settings: Settings, address: str, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    log = settings.root / "log"
    # The certificate may be of a local authority; the address is this machine's own.
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=2) as client:  # noqa: S501
        while time.monotonic() < deadline:
            try:
                answer = await client.get(f"{address}/readyz")
                if answer.is_success:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise SetupError(f"The centre is not ready after {within_s:.0f} s: see {log}.")


def _address(settings: Settings) -> str:
    host = settings.http_host
    if host in ("0.0.0.0", "::"):  # noqa: S104
        host = "127.0.0.1"
    scheme = "https" if settings.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.http_port}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
