"""The city's own time (for sun and meters), and the count of its restarts."""

import datetime as dt
import fcntl
import os
import time
from pathlib import Path

LAST_BOOT = 32_767


class Clock:
    """True time, or a time that began elsewhere or runs faster."""

    def __init__(self, speed: float = 1.0, start: dt.datetime | None = None):
        self._speed = speed
        self._true0 = time.time()
        self._city0 = self._true0 if start is None else start.timestamp()

    @property
    def is_true(self) -> bool:
        return self._speed == 1.0 and self._city0 == self._true0

    def at(self, true: float) -> float:
        """The city's time at a true time."""
        return self._city0 + (true - self._true0) * self._speed


def next_boot(path: Path, at_least: int = 0) -> int:
    """A boot number never given before to any process of this provisioning file.

    Numbers start again after 32,767 restarts, by when retention has dropped the first ones.
    """
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read().strip()
        boot = max(int(text) + 1 if text.isdigit() else 0, at_least)
        boot = 0 if boot > LAST_BOOT else boot
        file.seek(0)
        file.truncate()
        file.write(str(boot))
        file.flush()
        os.fsync(file.fileno())
    return boot
