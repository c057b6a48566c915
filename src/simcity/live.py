"""One process of the city from start to end: signals, control socket, counts."""

import asyncio
import gc
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from simcity import control
from simcity.run import City

DRAIN = 5.0


def live(
    make: Callable[[], City], socket: Path | None, duration: float | None, stats_every: float
) -> None:
    """Runs until a signal, the duration's end or a `stop`; then drains and prints the counts."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_live(make, socket, duration, stats_every))


async def _live(
    make: Callable[[], City], socket: Path | None, duration: float | None, stats_every: float
) -> None:
    city = make()
    ask_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_end.set)
    loop.add_signal_handler(signal.SIGUSR1, _print, city)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    async with AsyncExitStack() as stack:
        if socket is not None:
            await stack.enter_async_context(control.serve(city, socket, ask_end))
        life = asyncio.create_task(city.run())
        ticker = asyncio.create_task(_print_every(city, stats_every)) if stats_every else None
        await _first(life, ask_end, duration)
        if not life.done():
            await city.drain(DRAIN, offline=False)
        if ticker is not None:
            ticker.cancel()
        city.stop.set()
        await life
        _print(city)


async def _first(life: asyncio.Task[None], ask_end: asyncio.Event, duration: float | None) -> None:
    """Until the city ends by itself (an error), is asked to, or its time is over."""
    asked = asyncio.create_task(ask_end.wait())
    await asyncio.wait([life, asked], timeout=duration, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()


async def _print_every(city: City, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        _print(city)


def _print(city: City) -> None:
    sys.stdout.write(city.stats.line(**city.summary) + "\n")
    sys.stdout.flush()
