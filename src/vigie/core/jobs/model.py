"""What a job is: its declaration by a room, and what a runner holds while it runs."""

from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec

from vigie.core.errors import VigieError


class GiveUp(VigieError):
    """Raised by a job that knows that trying again is useless: it is a dead letter at once."""

    def __init__(self, detail: str) -> None:
        super().__init__("job_given_up", detail)


class Job(msgspec.Struct, frozen=True):
    """A kind of deferred work, declared by a room in its JOBS.

    `run` is called in one of two ways. Outside (the default): `run(runtime, claimed)`, without a
    transaction, for calls to the outside; it is recorded as done afterwards, so a worker that is
    killed in between has it run again, with `claimed.attempt` 2. Inside (`inside=True`):
    `run(unit, payload)` in one transaction with its completion: its effect happens exactly once.

    `every` or `daily` (local time of the city) put it on a schedule, without a payload. At most
    `concurrency` of them run at once in the whole house. `on_dead(unit, payload, error)` runs in
    the transaction that gives up on it.
    """

    name: str
    run: Callable[[Any, Any], Awaitable[None]]
    payload: Any = dict[str, Any]
    inside: bool = False
    tries: int = 8
    concurrency: int = 4
    timeout_s: float = 60.0
    # A killed worker's job is claimed again this much after its last sign of life.
    lease_s: float = 30.0
    first_pause_s: float = 1.0
    longest_pause_s: float = 900.0
    every: timedelta | None = None
    daily: time | None = None
    on_dead: Callable[[Any, Any, str], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        if self.every is not None and self.daily is not None:
            raise ValueError(f"job {self.name!r}: every or daily, not both")
        if self.every is not None and self.every < timedelta(seconds=1):
            raise ValueError(f"job {self.name!r}: every second at most")
        if not 1 <= self.tries <= 100 or self.concurrency < 1 or self.lease_s <= 0:
            raise ValueError(f"job {self.name!r}: 1 to 100 tries, some concurrency, some lease")


class Claimed(msgspec.Struct, frozen=True):
    """A job in the hands of a runner. From `attempt` 2 on, it may have run before in part."""

    id: UUID
    name: str
    payload: Any
    attempt: int
    tries: int
    key: str | None
    created: datetime
    request_id: str

    @property
    def last(self) -> bool:
        """True when it will not be tried again."""
        return self.attempt >= self.tries


class JobRow(msgspec.Struct, frozen=True):
    """A job as lists show it. `error` is for those only who see the whole installation."""

    id: UUID
    name: str
    state: str
    attempt: int
    tries: int
    due: datetime
    created: datetime
    started: datetime | None
    ended: datetime | None
    runner: str
    error: str | None
    version: int


class JobDetail(msgspec.Struct, frozen=True):
    """One job with what it was given; `payload` null for those who may not operate jobs."""

    job: JobRow
    key: str | None
    created_by: UUID | None
    request_id: str
    payload: dict[str, Any] | None
    possible: list[str]


class JobKind(msgspec.Struct, frozen=True):
    """How one kind of job is doing; `late_s` is how long the first one due has been waiting.

    `declared` is false when no room that is switched on runs it; `next` is its schedule's."""

    name: str
    declared: bool
    waiting: int
    running: int
    dead: int
    late_s: float
    next: datetime | None
