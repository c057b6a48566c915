"""The few MQTT 3.1.1 packets the platform itself needs: log in, publish once, hear the PUBACK.

For the canary and `vigie doctor`; devices bring their own library.
"""

import asyncio
import contextlib
import ssl
from types import TracebackType

CONNACK, PUBLISH, PUBACK, SUBACK = 0x20, 0x30, 0x40, 0x90


class Refused(Exception):
    """The broker did not let the client in; `code` is CONNACK's (5: not authorized)."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the broker refused the login (code {code})")
        self.code = code


def text(value: str) -> bytes:
    """A string as MQTT writes it."""
    raw = value.encode()
    return len(raw).to_bytes(2, "big") + raw


def packet(kind: int, body: bytes) -> bytes:
    """A packet with its remaining length."""
    length, head = len(body), bytearray([kind])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def connect(client: str, user: str, password: str, keepalive_s: int = 30) -> bytes:
    """CONNECT with a clean session."""
    return packet(
        0x10,
        text("MQTT")
        + b"\x04\xc2"
        + keepalive_s.to_bytes(2, "big")
        + text(client)
        + text(user)
        + text(password),
    )


def publish(topic: str, payload: bytes, identifier: int = 1, *, qos: int = 1) -> bytes:
    """PUBLISH."""
    number = identifier.to_bytes(2, "big") if qos else b""
    return packet(PUBLISH | qos << 1, text(topic) + number + payload)


def subscribe(topic: str, identifier: int = 1, *, qos: int = 0) -> bytes:
    """SUBSCRIBE to one filter."""
    return packet(0x82, identifier.to_bytes(2, "big") + text(topic) + bytes([qos]))


class Connection:
    """One MQTT connection; every wait ends with TimeoutError, a closed line with OSError."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        client: str,
        password: str,
        *,
        user: str | None = None,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 10.0,
    ) -> "Connection":
        """Connect and log in. Raises Refused, OSError or TimeoutError."""
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port, ssl=tls)
        connection = cls(reader, writer)
        try:
            writer.write(connect(client, client if user is None else user, password))
            async with asyncio.timeout(timeout_s):
                kind, body = await connection.receive()
        except BaseException:
            await connection.close()
            raise
        if kind != CONNACK or body[1] != 0:
            await connection.close()
            raise Refused(body[1] if kind == CONNACK else -1)
        return connection

    async def receive(self) -> tuple[int, bytes]:
        """The next packet: its first byte and its body. Raises OSError when the line closed."""
        try:
            kind = (await self.reader.readexactly(1))[0]
            length = shift = 0
            while True:
                digit = (await self.reader.readexactly(1))[0]
                length |= (digit & 0x7F) << shift
                if digit < 0x80:
                    break
                shift += 7
            return kind, await self.reader.readexactly(length)
        except asyncio.IncompleteReadError as error:
            raise ConnectionResetError("the broker closed the line") from error

    async def publish(
        self, topic: str, payload: bytes, identifier: int = 1, *, timeout_s: float = 10.0
    ) -> None:
        """Publish at QoS 1 and wait for the PUBACK."""
        self.writer.write(publish(topic, payload, identifier))

        async with asyncio.timeout(timeout_s):
            while True:
                kind, body = await self.receive()
                if kind == PUBACK and int.from_bytes(body[:2], "big") == identifier:
                    return

    async def close(self) -> None:
        """Say goodbye and leave."""
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.write(b"\xe0\x00")
            self.writer.close()
            async with asyncio.timeout(1):
                await self.writer.wait_closed()

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.close()
