"""Providers of messages that are real: an SMTP server, and an HTTP server for SMS and push."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.policy import default
from typing import Any

from aiosmtpd.controller import Controller

from vigie.core.engines import free_port


@dataclass
class Mailbox:
    """What an SMTP server took; `answer` is what it says to the next mails."""

    port: int
    mails: list[Message] = field(default_factory=list[Message])
    answer: str = "250 OK"
    recipient_answer: str = "250 OK"
    # Set, it takes a mail and says nothing of it for so long.
    silent_s: float = 0.0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content, policy=default))
        await asyncio.sleep(self.silent_s)
        return self.answer


@contextlib.contextmanager
def mail_server() -> Iterator[Mailbox]:
    """An SMTP server in a thread of its own."""
    box = Mailbox(free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


@dataclass
class Gateway:
    """What an HTTP server was sent, and what it answers."""

    port: int = 0
    requests: list[tuple[str, dict[str, str], bytes]] = field(
        default_factory=list[tuple[str, dict[str, str], bytes]]
    )
    status: int = 200
    body: str = '{"status":"queued","id":"sms-77"}'

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
        }
        content = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append((head[0], headers, content))
        body = self.body.encode()
        writer.write(
            f"HTTP/1.1 {self.status} X\r\ncontent-length: {len(body)}\r\n"
            "connection: close\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def http_server() -> AsyncIterator[Gateway]:
    """An HTTP server of this process."""
    gateway = Gateway()
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0)
    gateway.port = server.sockets[0].getsockname()[1]
    async with server:
        yield gateway
