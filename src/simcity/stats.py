"""What one process did, counted; printed as one JSON line."""

import resource
import time

import msgspec

RESOLUTION = 2000  # latency buckets a second (half a millisecond)
BUCKETS = 20_000  # up to ten seconds, the last bucket holds the rest


class Stats:
    def __init__(self) -> None:
        self.began = time.time()
        self._cpu0 = cpu_seconds()
        self.published = 0  # PUBLISH packets of readings, resends included
        self.acknowledged = 0  # messages of readings that got their PUBACK
        self.readings_acknowledged = 0
        self.answers_acknowledged = 0
        self.resent = 0
        self.dropped = 0  # readings lost from a full buffer
        self.skipped = 0  # readings never made, the process being late by a whole round
        self.connected = 0
        self.reconnects = 0
        self.refused = 0
        self.commands = 0  # copies received
        self.executed = 0
        self.expired = 0
        self.malformed = 0
        self.first_command: float | None = None
        self.last_command: float | None = None
        self.first_done: float | None = None
        self.last_done: float | None = None
        self.last_answer_acknowledged: float | None = None
        self._latency = [0] * (BUCKETS + 1)

    def begin(self) -> None:
        """Count time and CPU from here: start-up is not part of a message's cost."""
        self.began, self._cpu0 = time.time(), cpu_seconds()

    def latency(self, seconds: float) -> None:
        bucket = int(seconds * RESOLUTION)
        self._latency[bucket if bucket < BUCKETS else BUCKETS] += 1

    def quantile(self, share: float) -> float | None:
        """Milliseconds within which this share of messages was acknowledged."""
        total = sum(self._latency)
        if not total:
            return None
        left = share * total
        for bucket, count in enumerate(self._latency):
            left -= count
            if left <= 0:
                return (bucket + 1) / RESOLUTION * 1000
        return BUCKETS / RESOLUTION * 1000

    def as_dict(self) -> dict[str, object]:
        seconds, cpu = time.time() - self.began, cpu_seconds() - self._cpu0
        counts = {k: v for k, v in vars(self).items() if not k.startswith("_")}
        return {
            **counts,
            "seconds": round(seconds, 3),
            "rate": round(self.acknowledged / seconds, 1) if seconds else 0.0,
            "puback_p50_ms": self.quantile(0.5),
            "puback_p99_ms": self.quantile(0.99),
            "cpu_seconds": round(cpu, 3),
            "cpu_us_per_message": round(cpu / self.published * 1e6, 2) if self.published else None,
        }

    def line(self, **more: object) -> str:
        return msgspec.json.encode({**self.as_dict(), **more}).decode()


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
