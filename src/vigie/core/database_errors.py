"""What the database's errors mean for whoever waits: busy, too slow, in conflict, away, unknown.

An error says what is certain and no more. Before COMMIT is sent, whatever fails is rolled back;
once it is sent and its answer is lost, nobody can tell.

    database_busy         no connection was free in time: the work did not begin
    database_timed_out    a statement took longer than it may: rolled back
    database_conflict     a deadlock or a lock held by someone else: rolled back, worth a second try
    database_full         the database's disk or memory is full: rolled back
    database_unavailable  the connection failed before COMMIT was sent
    outcome_unknown       the connection failed after COMMIT was sent
    too_complex           more than the database can plan (an Invalid: a second try will not help)
"""

import psycopg
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection

from vigie.core.errors import Invalid, Unavailable, VigieError

FAILURES = (DBAPIError, NoConnection, psycopg.Error)
"""What `explain` can be asked about."""

_CONFLICTS = (pg.DeadlockDetected, pg.LockNotAvailable, pg.SerializationFailure)
_FULL = (pg.DiskFull, pg.OutOfMemory)
_TOO_COMPLEX = (pg.ProgramLimitExceeded, pg.StatementTooComplex, pg.TooManyColumns)


def explain(error: BaseException, *, committing: bool = False) -> VigieError | None:
    """The error as a person may be told; None for one that is a fault of ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    params = {"cause": type(cause).__name__}
    if isinstance(error, NoConnection):
        return Unavailable(
            "database_busy",
            "The centre is busy: no connection to the database became free. This request did not "
            "begin; try again in a moment.",
            params,
            retry_after_s=2,
        )
    if isinstance(cause, pg.QueryCanceled):
        return Unavailable(
            "database_timed_out",
            "The database took longer than one request may; this step was stopped and rolled "
            "back. Ask for less, or try again later.",
            params,
            retry_after_s=5,
        )
    if isinstance(cause, _CONFLICTS):
        return Unavailable(
            "database_conflict",
            "Someone else is changing the same things; this step was rolled back. Try again.",
            params,
            retry_after_s=1,
        )
    if isinstance(cause, _FULL):
        return Unavailable(
            "database_full",
            "The database has no room left; this step was rolled back. Tell your administrator.",
            params,
            retry_after_s=60,
        )
    if isinstance(cause, _TOO_COMPLEX):
        return Invalid("too_complex", "This asks more than the database can plan: ask for less.")
    if not isinstance(cause, (psycopg.OperationalError, psycopg.InterfaceError)) and not (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return None
    return outcome_unknown(params) if committing else unavailable(params)


def unavailable(params: dict[str, str]) -> Unavailable:
    """The connection failed before COMMIT was sent: the database undoes what it had of it."""
    return Unavailable(
        "database_unavailable",
        "The database does not answer, so this step was not committed. Try again in a moment.",
        params,
        retry_after_s=2,
    )


def outcome_unknown(params: dict[str, str]) -> Unavailable:
    """COMMIT was sent and its answer was lost. No Retry-After: a second try could do it twice."""
    return Unavailable(
        "outcome_unknown",
        "The connection to the database failed while this was being committed: it may have been "
        "done or not. Look before you try again.",
        params,
    )
