"""Screens of a bench: live WebSockets that receive all, and one that reads what it receives.

    .venv/bin/python bench/screens.py --url http://127.0.0.1:8080 --token vgt_… --screens 50

Runs until it is told on its standard input to end; then prints one JSON object: frames and bytes a
second of all screens, changes read by the first one, its seconds from device to screen (p50, p99,
most), and what must be zero: numbers missed, snapshots sent anew, screens lost.
"""

import argparse
import asyncio
import json
import sys
import time

import numpy as np
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed


class Screens:
    """What all screens received, and what the first one read."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.frames = self.bytes = self.missed = self.anew = self.lost = self.dark = 0
        self.ages: list[np.ndarray] = []
        self.seen: dict[str, int] = {}

    async def attend(self, url: str, token: str, number: int) -> None:
        """One screen, until the connection ends."""
        headers = {"Authorization": f"Bearer {token}"}
        try:
            async with connect(
                url, additional_headers=headers, max_size=None, proxy=None, compression=None
            ) as socket:
                await socket.send('{"op":"subscribe","channels":null}')
                await (self.read(socket) if number == 0 else self.receive(socket))
        except (ConnectionClosed, OSError):
            self.lost += 1

    async def receive(self, socket: ClientConnection) -> None:
        """Count, as cheaply as can be: the machine is shared with what is measured."""
        async for frame in socket:
            self.frames += 1
            self.bytes += len(frame)

    async def read(self, socket: ClientConnection) -> None:
        """Read every frame, as the console does."""
        async for frame in socket:
            now = time.time()
            self.frames += 1
            self.bytes += len(frame)
            told = orjson.loads(frame)
            if told["op"] == "heartbeat":
                self.dark += not told["live"]
            for item in told.get("items", ()):
                if item["op"] == "snapshot":
                    self.anew += item["channel"] in self.seen
                elif item["op"] == "delta":
                    self.missed += self.seen.get(item["channel"]) != item["prev"]
                    at = np.array(item["at"], dtype=float)
                    self.ages.append(now - at[~np.isnan(at)])
                else:
                    continue
                self.seen[item["channel"]] = item["seq"]

    def said(self) -> dict[str, float]:
        """The counts."""
        seconds = time.monotonic() - self.began
        ages = np.concatenate(self.ages) if self.ages else np.array([np.nan])
        p50, p99, most = np.percentile(ages, [50, 99, 100])
        return {
            "frames_a_second": self.frames / seconds,
            "mbytes_a_second": self.bytes / seconds / 1e6,
            "changes": len(ages),
            "changes_a_second": len(ages) / seconds,
            "p50_s": float(p50), "p99_s": float(p99), "most_s": float(most),
            "missed": self.missed, "anew": self.anew, "lost": self.lost, "dark": self.dark,
        }  # fmt: skip


async def main() -> None:
    """Attend until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--screens", type=int, default=50)
    options = parser.parse_args()
    url = options.url.replace("http", "ws", 1) + "/api/v1/live"
    screens = Screens()
    tasks = [
        asyncio.create_task(screens.attend(url, options.token, number))
        for number in range(options.screens)
    ]
    await asyncio.to_thread(sys.stdin.readline)
    said = screens.said()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps(said))


if __name__ == "__main__":
    asyncio.run(main())
