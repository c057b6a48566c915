"""Work that is done later, once for the whole house: outside calls, heavy computing, schedules.

    SEND = Job("notify.send", send, payload=Send, tries=8)          # in the room's JOBS
    await jobs.defer(unit, SEND, Send(message), key=str(message))   # in the verb's transaction

A deferred job is a row of the verb's own transaction: it exists exactly when the verb's effect
does. Processes of the role `jobs` claim what is due, try again with growing pauses, and keep what
they give up on as dead letters that someone may have tried again.
Verbs: `defer`, `list_jobs`, `read_job`, `retry`, `cancel`, `summary`; `services` are the runners.
Never: an outside call inside a transaction; a payload that holds what only some may see (the
object's id is enough).
"""

from collections.abc import Awaitable, Callable

from vigie.core.jobs.listing import LIST
from vigie.core.jobs.model import Claimed, GiveUp, Job
from vigie.core.jobs.rules import JOB
from vigie.core.jobs.service import cancel, defer, read_job, retry, summary
from vigie.core.runtime import Runtime

__all__ = [
    "JOB",
    "LIST",
    "Claimed",
    "GiveUp",
    "Job",
    "cancel",
    "defer",
    "read_job",
    "retry",
    "services",
    "summary",
]


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """What a process of the role `jobs` runs."""
    from vigie.core.jobs.figures import watch
    from vigie.core.jobs.runner import Runner

    return {"jobs": Runner(runtime).run, "jobs-figures": lambda: watch(runtime)}
