"""Ways in which one person or one device may exhaust a centre.

An attack is a function that goes on for ever; `launch` runs one in a process of its own for a few
seconds and answers with what it counted. It comes from an address of its own and at a low priority:
what is measured is what the centre does with it, not how busy the attacker keeps the machine.
"""

import asyncio
import contextlib
import multiprocessing
import os
import resource
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

# Linux routes all of 127/8 to this machine: the attacker is another address than the operator.
ADDRESS = "127.0.0.66"
HOST = "127.0.0.1"
_LISTENING_S = 20
_KINDS = ("requests", "connections", "devices")


@dataclass
class Target:
    """The centre, what the attacker may use of it, and what came of each try."""

    http_port: int
    mqtt_port: int
    cookie: str
    csrf: str
    client: str
    secret: str
    shard: int
    devices: list[str]
    lamp: int
    municipality: str
    address: str = ADDRESS
    tally: Counter[str] = field(default_factory=Counter)

    async def repeat(self, workers: int, once: Callable[[], Awaitable[object]]) -> None:
        """Do it again and again from this many workers; tries and what came of them are counted."""

        async def work() -> None:
            while True:
                self.tally["tried"] += 1
                try:
                    self.tally[str(await once())] += 1
                except Exception as error:
                    self.tally[type(error).__name__] += 1
                    await asyncio.sleep(0.02)  # a refused connection is no reason to spin

        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(work())

    async def connect(
        self, port: int | None = None, receive_buffer: int = 0
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection from the attacker's address."""
        line = socket.socket()
        try:
            if receive_buffer:
                # Before it connects: a window once offered is not taken back.
                line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            line.setblocking(False)
            line.bind((self.address, 0))
            where = (HOST, port or self.http_port)
            await asyncio.get_running_loop().sock_connect(line, where)
            return await asyncio.open_connection(sock=line)
        except BaseException:
            line.close()
            raise


Attack = Callable[[Target], Awaitable[None]]


def registry() -> dict[str, Attack]:
    """All attacks by name."""
    from tests.support.attacks import connections, devices, requests

    return {
        attack.__name__: attack
        for module in (requests, connections, devices)
        for attack in module.ATTACKS
    }


class Running:
    """An attack under way."""

    def __init__(self, name: str, target: Target, seconds: float) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([f"{__name__}.{kind}" for kind in _KINDS])
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(name, target, seconds, theirs))
        self._process.start()
        theirs.close()
        self._ends = time.monotonic() + seconds + _LISTENING_S

    @property
    def running(self) -> bool:
        """Whether it has not answered yet."""
        return not self._ours.poll(0) and time.monotonic() < self._ends

    def result(self) -> dict[str, int]:
        """Its tally, once it has ended."""
        try:
            assert self._ours.poll(0), "the attack did not end"
            counted: dict[str, int] = self._ours.recv()
        finally:
            self._process.join(1)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        return counted


def _run(name: str, target: Target, seconds: float, answer: Connection) -> None:
    os.nice(10)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.suppress(TimeoutError):
        asyncio.run(_for(seconds, registry()[name](target)))
    answer.send(dict(target.tally))
    answer.close()
    # What is still open is dropped as a process that dies drops it.
    os._exit(0)


async def _for(seconds: float, attack: Awaitable[None]) -> None:
    async with asyncio.timeout(seconds):
        await attack
        # What it opened stays open to the end.
        await asyncio.Event().wait()
