"""The embedded NATS: JetStream, MQTT for devices, every login decided by Vigie's auth callout."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import nkeys

from vigie.core.engines.process import Child, port_fault
from vigie.core.engines.secrets import append_to, ensure, ensure_bytes, write
from vigie.core.errors import SetupError

ACCOUNT = "VIGIE"
SYSTEM_ACCOUNT = "SYS"
USER = "vigie"
SYSTEM_USER = "vigie-system"
_LOG_SIZE = 16 * 1024 * 1024


def binary() -> Path:
    """The wheel's nats-server, never the one on PATH."""
    path = Path(sys.executable).parent / "nats-server"
    if not path.exists():
        raise SetupError(f"nats-server is missing from {path.parent}: run `make setup` again.")
    return path


def issuer_seed(secrets: Path) -> bytes:
    """Seed of the account key that signs what a device may do; made once."""
    seed: bytes = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_ACCOUNT)
    return ensure_bytes(secrets / "nats-issuer.seed", seed).strip()


def issuer_public(secrets: Path) -> str:
    """Public part of the issuer key, for the server's configuration."""
    key: Any = nkeys.from_seed(bytearray(issuer_seed(secrets))).public_key
    return key.decode()


class NatsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration depends on."""

    port: int
    mqtt_host: str
    mqtt_port: int
    sync: str
    store: str
    log: str = ""
    tls_certificate: str = ""
    tls_key: str = ""


def configuration(options: NatsOptions, secrets: Path) -> str:
    """The server's configuration file; `vigie nats-config` prints it for a server of one's own."""

    def quoted(value: str) -> str:
        return msgspec.json.encode(value).decode()

    tls = ""
    if options.tls_certificate:
        tls = (
            "  tls { "
            f"cert_file: {quoted(options.tls_certificate)}, key_file: {quoted(options.tls_key)}"
            " }\n"
        )
    log = ""
    if options.log:
        # Rotated by the server itself; the gateways role reads it for what was refused.
        log = f"log_file: {quoted(options.log)}\nlog_size_limit: {_LOG_SIZE}\nlog_max_num: 4\n"
    return (
        f"host: 127.0.0.1\nport: {options.port}\nserver_name: vigie\n"
        f"{log}"
        "max_payload: 1MB\nmax_pending: 128MB\nwrite_deadline: 10s\n"
        "jetstream {\n"
        f"  store_dir: {quoted(options.store)}\n"
        f"  sync_interval: {'always' if options.sync == 'always' else '200ms'}\n"
        "  max_mem: 256MB\n  max_file: 64GB\n"
        "}\n"
        "mqtt {\n"
        f"  host: {quoted(options.mqtt_host)}\n  port: {options.mqtt_port}\n"
        "  ack_wait: 30s\n  max_ack_pending: 1000\n"
        # Readings are QoS 1; the state of subscriptions need not outlive the server.
        "  reject_qos2_publish: true\n  consumer_memory_storage: true\n"
        f"{tls}"
        "}\n"
        "accounts {\n"
        f"  {ACCOUNT}: {{ jetstream: enabled, users: [ "
        f"{{ user: {USER}, password: {quoted(ensure(secrets, 'nats-' + USER))} }} ] }}\n"
        f"  {SYSTEM_ACCOUNT}: {{ users: [ "
        f"{{ user: {SYSTEM_USER}, "
        f"password: {quoted(ensure(secrets, 'nats-' + SYSTEM_USER))} }} ] }}\n"
        "}\n"
        f"system_account: {SYSTEM_ACCOUNT}\n"
        "authorization {\n"
        "  timeout: 10\n"
        "  auth_callout {\n"
        f"    issuer: {issuer_public(secrets)}\n"
        f"    account: {ACCOUNT}\n"
        f"    auth_users: [ {USER}, {SYSTEM_USER} ]\n"
        "  }\n"
        "}\n"
    )


class NatsEngine:
    """Writes the configuration, starts and stops the server."""

    def __init__(
        self,
        root: Path,
        *,
        port: int,
        mqtt_host: str,
        mqtt_port: int,
        sync: str = "interval",
        tls_certificate: str = "",
        tls_key: str = "",
    ) -> None:
        self.root = root
        self.secrets = root / "secrets"
        self.port = port
        self.mqtt_host = mqtt_host
        self.mqtt_port = mqtt_port
        self.log = root / "log" / "nats.log"
        self._options = NatsOptions(
            port=port,
            mqtt_host=mqtt_host,
            mqtt_port=mqtt_port,
            sync=sync,
            store=str(root / "nats"),
            log=str(self.log),
            tls_certificate=tls_certificate,
            tls_key=tls_key,
        )
        self.child: Child | None = None

    def url(self, user: str = USER) -> str:
        """Connection address of the platform's user, or of the system account's."""
        return f"nats://{user}:{ensure(self.secrets, 'nats-' + user)}@127.0.0.1:{self.port}"

    async def start(self) -> None:
        """A running server that answers.

        Raises SetupError when a port is taken or the server refuses its configuration.
        """
        for host, port, name in (
            ("127.0.0.1", self.port, "VIGIE_NATS_PORT"),
            (self.mqtt_host, self.mqtt_port, "VIGIE_MQTT_PORT and VIGIE_MQTT_HOST"),
        ):
            deadline = time.monotonic() + 5
            while fault := port_fault(host, port):
                # A server whose supervisor was just killed may still be closing.
                if time.monotonic() > deadline:
                    raise SetupError(f"{fault}, or set {name}.")
                await asyncio.sleep(0.1)
        path = self.root / "run" / "nats.conf"
        write(path, configuration(self._options, self.secrets).encode())
        # The server would make its log readable for everyone.
        os.close(append_to(self.log))
        self.child = Child(
            "nats",
            [str(binary()), "-c", str(path)],
            self.log.with_name("nats-start.log"),
            death_signal=signal.SIGTERM,
        )
        self.child.start()
        await self._await_answer()

    async def stop(self) -> None:
        """Lame-duck free stop: streams are flushed to disk."""
        if self.child:
            await self.child.stop()

    async def answers(self) -> bool:
        """True when it greets a client: it does so before any login."""
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                with contextlib.closing(writer):
                    return (await reader.readline()).startswith(b"INFO")
        except (OSError, TimeoutError, ValueError):
            return False

    async def _await_answer(self, within_s: float = 60.0) -> None:
        assert self.child is not None
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if self.child.returncode is not None:
                raise SetupError(f"NATS did not start: {self._last_words()}")
            with (
                contextlib.suppress(OSError),
                socket.create_connection(
                    ("127.0.0.1", self.mqtt_port if self.mqtt_host == "127.0.0.1" else self.port),
                    timeout=1,
                ),
            ):
                return
            await asyncio.sleep(0.03)
        raise SetupError(f"NATS does not answer after {within_s:.0f} s; see {self.log}.")

    def _last_words(self) -> str:
        """Why it ended: a faulty configuration is told before the log is opened."""
        assert self.child is not None
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()[-20:]
            fatal = [line for line in lines if "[FTL]" in line]
            if fatal:
                return fatal[-1]
        return self.child.tail(2)
