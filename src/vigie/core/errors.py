"""What can go wrong, as facts: a stable code, parameters, and what to do.

    VigieError
    ├── Invalid        the request or file is wrong (400, 422)
    ├── Unauthenticated no valid login (401)
    ├── Forbidden      known, but not allowed (403)
    ├── NotFound       does not exist, or not for this person (404)
    ├── Conflict       true when asked, not true any more (409, 412)
    ├── TooLarge       over a stated limit (413)
    ├── TooMany        over a stated rate (429)
    └── Unavailable    an engine is away for now (503)

A code is a message key: screens translate it; `detail` is the English sentence for logs and
developers and says what to do.
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class VigieError(Exception):
    """A refusal or failure that someone must be told about."""

    status = 500
    title = "Internal error"

    def __init__(
        self,
        code: str,
        detail: str,
        params: Mapping[str, Any] | None = None,
        *,
        errors: list[dict[str, Any]] | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.params = dict(params or {})
        self.errors = errors or []
        self.retry_after_s = retry_after_s


class Invalid(VigieError):
    """The request or file is wrong."""

    status = 422
    title = "Invalid input"


class Unauthenticated(VigieError):
    """No valid login."""

    status = 401
    title = "Not logged in"


class Forbidden(VigieError):
    """Known, but not allowed."""

    status = 403
    title = "Not allowed"


class NotFound(VigieError):
    """Does not exist, or not for this person: the two are never told apart."""

    status = 404
    title = "Not found"


class Conflict(VigieError):
    """The object changed, or its state forbids the verb."""

    status = 409
    title = "Conflict"


class PreconditionFailed(Conflict):
    """If-Match names another version."""

    status = 412
    title = "Changed meanwhile"


class TooLarge(VigieError):
    """Over a stated limit."""

    status = 413
    title = "Too large"


class TooMany(VigieError):
    """Over a stated rate."""

    status = 429
    title = "Too many requests"


class Unavailable(VigieError):
    """An engine is away for now: try again."""

    status = 503
    title = "Temporarily unavailable"


class SetupError(VigieError):
    """The installation cannot start: one line that says what to do."""

    title = "Cannot start"

    def __init__(self, detail: str) -> None:
        super().__init__("setup", detail)


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with one field of the input: its path, a code, and what it must be."""

    field: str
    code: str
    message: str


def wrong_fields(
    first: Fault,
    *others: Fault,
    code: str = "invalid_input",
    detail: str = "",
    params: Mapping[str, Any] | None = None,
) -> Invalid:
    """Input that can be read and is wrong, with the faulty fields named: the one way to say it.

    Without a code and a detail of its own it says what is wrong with the first field.
    """
    return Invalid(
        code,
        detail or f"The input is not valid: {first.field}: {first.message}.",
        params,
        errors=[msgspec.to_builtins(fault) for fault in (first, *others)],
    )
