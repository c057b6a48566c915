"""The door: every request to a declared route passes here before anything of it is read further."""

import hmac
import ipaddress
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, WebSocket
from litestar.connection import ASGIConnection
from litestar.exceptions import WebSocketException
from litestar.handlers import BaseRouteHandler

from vigie.core.access.logins import Logins
from vigie.core.access.model import NOBODY, Caller
from vigie.core.errors import Forbidden, Unauthenticated, VigieError
from vigie.core.permissions import ANY_LOGIN, PUBLIC
from vigie.core.scope import NOTHING, Principal, Scope
from vigie.core.web.hosts import hostname
from vigie.core.web.problems import STATE_REQUEST_ID, UnsupportedMedia, invalid

Connection = ASGIConnection[Any, Any, Any, Any]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_PORTS = {"http": 80, "https": 443}
CSRF_HEADER = "x-csrf-token"
NOT_LOGGED_IN, FORBIDDEN = 4401, 4403


async def admit(connection: Connection, handler: BaseRouteHandler) -> None:
    """Let a request in, or raise: login, CSRF, password to change, permission, readable form."""
    connection.scope["state"]["caller"] = NOBODY
    if not isinstance(connection, Request):
        return
    request: Request[Any, Any, Any] = connection
    opt = handler.opt
    if "permission" not in opt:
        # The only routes that nobody declared: Litestar's own answers to OPTIONS, which tell the
        # methods of an address and nothing else.
        return
    permission: str = opt["permission"]
    unsafe = request.method not in SAFE
    if unsafe:
        check_origin(request)
    if permission != PUBLIC and not (opt["on_this_machine"] and _asked_here(request)):
        caller = await identify(request)
        if caller is None:
            raise Unauthenticated("not_logged_in", "Log in first, or send a bearer token.")
        connection.scope["state"]["caller"] = caller
        if caller.login is not None and unsafe:
            _check_csrf(request, caller.login.csrf)
        _check_permission(request, caller, permission, bool(opt["before_password_change"]))
    check_form(request, opt)


async def identify(connection: Connection) -> Caller | None:
    """Who asks: a bearer token, else the session's cookie, else nobody.

    Raises Unauthenticated for a token that is not (or no more) valid: it never falls back."""
    logins = Logins.of(connection.app.state.runtime)
    authorization = connection.headers.get("authorization", "")
    if authorization:
        scheme, _, secret = authorization.partition(" ")
        caller = await logins.by_token(secret.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            raise Unauthenticated("bad_token", "This token is not valid: it ended or was revoked.")
        return caller
    secret = connection.cookies.get(cookie_name(connection), "")
    return await logins.by_session(secret) if secret else None


async def authenticate_websocket(socket: WebSocket[Any, Any, Any], permission: str) -> Principal:
    """Accept a socket of someone who holds a permission; else it closes with 4401 or 4403.

    It is accepted first: a browser is told a close code only then. Raises WebSocketException."""
    await socket.accept()
    socket.scope["state"]["caller"] = NOBODY
    try:
        check_origin(socket)
        caller = await identify(socket)
        if caller is None:
            raise Unauthenticated("not_logged_in", "Log in first, or send a bearer token.")
        _check_permission(socket, caller, permission, before_password_change=False)
    except VigieError as error:
        code = {401: NOT_LOGGED_IN, 403: FORBIDDEN}.get(error.status, 1013)
        raise WebSocketException(detail=error.code, code=code) from error
    socket.scope["state"]["caller"] = caller
    return caller.principal


async def still_logged_in(socket: WebSocket[Any, Any, Any], permission: str) -> Principal | None:
    """The principal of a live socket as of now; None once it is logged out or lost the permission.

    Ask every few seconds: grants may have changed. A live screen counts as use of its session, so
    a map on the wall goes dark at the session's absolute end, not for want of clicks."""
    try:
        caller = await identify(socket)
    except Unauthenticated:
        return None
    if caller is None:
        return None
    socket.scope["state"]["caller"] = caller
    if permission == ANY_LOGIN:
        return caller.principal
    held = socket.app.state.catalogue.scope_for(caller.principal, permission)
    return caller.principal if held is not None else None


def caller_scope(connection: Connection, permission: str) -> Scope:
    """Where the caller of a request or socket holds a permission; NOTHING when nowhere."""
    caller: Caller = connection.scope["state"]["caller"]
    return connection.app.state.catalogue.scope_for(caller.principal, permission) or NOTHING


def is_secure(connection: Connection) -> bool:
    """True over TLS."""
    return connection.scope["scheme"] in ("https", "wss")


def cookie_name(connection: Connection) -> str:
    """`__Host-vigie` over TLS; browsers drop that one over plain http, so `vigie` there."""
    return "__Host-vigie" if is_secure(connection) else "vigie"


def device_cookie_name(connection: Connection) -> str:
    """The cookie that recognises a browser in which somebody has logged in before."""
    return cookie_name(connection) + "-device"


def client_of(connection: Connection) -> str:
    """The address that asks."""
    return _plain(connection.scope.get("client"))


def server_of(connection: Connection) -> str:
    """The address of ours that was asked."""
    return _plain(connection.scope.get("server"))


def _plain(end: tuple[str, int | None] | None) -> str:
    """A listener on :: sees IPv4 as IPv6: those visitors are not one network."""
    return end[0].removeprefix("::ffff:") if end else ""


def request_id_of(connection: Connection) -> str:
    """The id of this request, as in logs, answers and the journal."""
    return str(connection.scope["state"].get(STATE_REQUEST_ID, ""))


def is_loopback(address: str) -> bool:
    """True for this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def is_relayed(connection: Connection) -> bool:
    """True for what a proxy passes on: it comes from elsewhere, whoever hands it over."""
    return any(name in connection.headers for name in ("forwarded", "x-forwarded-for", "via"))


def _asked_here(connection: Connection) -> bool:
    """True for a program on this machine that does not say who it is; who does is judged by it."""
    return (
        "authorization" not in connection.headers
        and cookie_name(connection) not in connection.cookies
        and is_loopback(client_of(connection))
        and is_loopback(hostname(connection.headers.get("host", "")))
        and not is_relayed(connection)
    )


def check_origin(connection: Connection) -> None:
    """A browser says which page sends a request; only our own may: the same scheme, host and port.
    Others send no Origin."""
    origin = connection.headers.get("origin")
    if origin is None:
        if connection.headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
            return
    else:
        scheme = "https" if is_secure(connection) else "http"
        ours = _end(f"{scheme}://{connection.headers.get('host', '')}")
        if ours is not None and _end(origin) == ours:
            return
    raise Forbidden(
        "wrong_origin",
        "This request comes from another site's page, or over http from a page over https: a proxy"
        " that serves https in front is named in VIGIE_TRUSTED_PROXIES.",
        {"origin": (origin or "")[:200]},
    )


def _end(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin, the port also where it goes without saying; None for
    what is none."""
    try:
        parts = urlsplit(origin)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return (parts.scheme, parts.hostname, port) if parts.hostname else None


def _check_csrf(request: Request[Any, Any, Any], expected: str) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forbidden(
            "csrf_failed", "Send the session's `csrf` value in the X-CSRF-Token header."
        )


def _check_permission(
    connection: Connection, caller: Caller, permission: str, before_password_change: bool
) -> None:
    if caller.login and caller.login.must_change_password and not before_password_change:
        raise Forbidden(
            "password_change_required",
            "Choose a password of your own first: POST /api/v1/session/password.",
        )
    if permission == ANY_LOGIN:
        return
    if connection.app.state.catalogue.scope_for(caller.principal, permission) is None:
        raise Forbidden(
            "not_permitted",
            f"This needs the permission {permission}; ask an administrator for a role that has it.",
            {"permission": permission},
        )


def check_form(request: Request[Any, Any, Any], opt: dict[str, Any]) -> None:
    """Raises for a query parameter that the route does not have, and a body that is not JSON."""
    unknown = sorted(set(request.query_params) - opt["query_names"])
    if unknown and not opt["foreign_query"]:
        raise invalid(
            [
                {"field": name, "code": "unknown_parameter", "message": "no such query parameter"}
                for name in unknown
            ]
        )
    if "decode" in opt:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json" and not kind.endswith("+json"):
            raise UnsupportedMedia(
                "not_json", "Send the body as JSON, with Content-Type: application/json."
            )
