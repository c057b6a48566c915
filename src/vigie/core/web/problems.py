"""Refusals and failures as problem+json (RFC 9457): what happened, to what, and what to do."""

import re
from typing import Any, cast

import msgspec
import psycopg
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException
from sqlalchemy.exc import DataError

from vigie.core.errors import Invalid, NotFound, TooLarge, VigieError
from vigie.core.logs import logger

log = logger(__name__)
MEDIA_TYPE = "application/problem+json"
STATE_REQUEST_ID = "vigie_request_id"


class FieldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """One faulty field: its path (`grants[0].role`), a message key, and an English sentence."""

    field: str
    message: str
    code: str = "invalid"


class Problem(msgspec.Struct, frozen=True):
    """An error. `code` is a message key that screens translate with `params`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    params: dict[str, Any]
    request_id: str
    errors: list[FieldError] = []


class _Unexpected(VigieError):
    pass


class _Method(VigieError):
    status = 405
    title = "Method not allowed"


class UnsupportedMedia(VigieError):
    """The body is not JSON."""

    status = 415
    title = "Unsupported media type"


class _Malformed(Invalid):
    status = 400
    title = "Malformed request"


def malformed(detail: str, code: str = "malformed", **params: Any) -> VigieError:
    """The request cannot even be read (400)."""
    return _Malformed(code, detail, params)


def translate(error: Exception) -> VigieError:
    """Any exception as a VigieError; the unexpected says nothing of our insides."""
    if isinstance(error, VigieError):
        return error
    if isinstance(error, ValidationException):
        return invalid(_litestar_errors(error))
    if isinstance(error, MethodNotAllowedException):
        return _Method("method_not_allowed", "This address does not take that method.")
    if isinstance(error, HTTPException):
        return _http(error)
    if isinstance(error, (DataError, psycopg.DataError)):
        return Invalid(
            "value_out_of_range",
            "A value cannot be stored: it is out of range or holds a character that text may not.",
        )
    return _Unexpected(
        "internal_error",
        "Something unexpected failed. Look whether it was done before you try again, and report "
        "the request id to your administrator.",
    )


def invalid(errors: list[dict[str, Any]]) -> Invalid:
    """The input is readable and wrong; `errors` name the fields."""
    first = errors[0]["message"] if errors else "see errors"
    where = errors[0]["field"] if errors else "input"
    return Invalid("invalid_input", f"The input is not valid: {where}: {first}.", errors=errors)


def body_error(error: msgspec.MsgspecError | UnicodeError) -> VigieError:
    """What is wrong with a body: not JSON at all (400), or not what is asked for (422)."""
    if isinstance(error, msgspec.ValidationError):
        return invalid([field_error(str(error))])
    return _Malformed("malformed_json", f"The body is not valid JSON: {error}.")


_PATH = re.compile(r" - at `(?:key in )?\$\.?(.*)`$", re.DOTALL)


def field_error(message: str, root: str = "") -> dict[str, Any]:
    """msgspec's "Expected `int`, got `str` - at `$.a[0].b`" with its path apart."""
    match = _PATH.search(message)
    path = match.group(1) if match else ""
    text = message[: match.start()] if match else message
    code = "invalid"
    if text.startswith("Object contains unknown field"):
        code = "unknown_field"
    elif text.startswith("Object missing required field"):
        code = "missing_field"
    return {"field": ".".join(p for p in (root, path) if p) or "$", "code": code, "message": text}


def problem_of(error: VigieError, request_id: str) -> Problem:
    """The body of the answer."""
    return Problem(
        type=f"urn:vigie:problem:{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        params=error.params,
        request_id=request_id,
        errors=[
            FieldError(
                str(e.get("field", "")), str(e.get("message", "")), str(e.get("code", "invalid"))
            )
            for e in error.errors
        ],
    )


def headers_of(error: VigieError) -> dict[str, str]:
    """Headers that go with it: when to try again, how to log in."""
    headers: dict[str, str] = {}
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="vigie"'
    return headers


def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Litestar's exception handler for everything."""
    request_id = str(request.scope.get("state", {}).get(STATE_REQUEST_ID, ""))
    problem = translate(error)
    if isinstance(problem, _Unexpected):
        log.error(
            "request_failed",
            method=request.method,
            path=request.url.path,
            exc_info=(type(error), error, error.__traceback__),
        )
    headers = headers_of(problem)
    if isinstance(error, HTTPException) and error.headers:
        headers.update({k: v for k, v in error.headers.items() if k.lower() == "allow"})
    return Response(
        msgspec.json.encode(problem_of(problem, request_id)),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def _http(error: HTTPException) -> VigieError:
    if error.status_code == 404:
        return NotFound("not_found", "There is nothing at this address.")
    if error.status_code == 413:
        return TooLarge("body_too_large", "The body is larger than this address takes.")
    if error.status_code < 500:
        found = _Malformed("malformed", error.detail or "The request cannot be read.")
        found.status = error.status_code
        return found
    return translate(RuntimeError())


def _litestar_errors(error: ValidationException) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    extra = cast("list[dict[str, Any]]", error.extra if isinstance(error.extra, list) else [])
    for item in extra:
        found = field_error(str(item.get("message", "")))
        found["field"] = str(item.get("key", found["field"])).rstrip("_")
        if found["field"] == "data":
            found.update(field="$", code="missing_body", message="a JSON body is needed")
        elif found["message"] == f"'{item.get('key')}'":
            found.update(code="missing_field", message="this parameter is needed")
        rows.append(found)
    return rows or [{"field": "$", "code": "invalid", "message": error.detail}]
