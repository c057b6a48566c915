"""What the routes of logins have in common: who asks from where, and the answer to who came in."""

from typing import Any

from litestar import Request
from litestar.datastructures import Cookie

from vigie.core import clock
from vigie.core.access import devices, sessions
from vigie.core.access.logins import Logins
from vigie.core.access.model import Caller, Login, Person, Session
from vigie.core.access.passkeys import Place
from vigie.core.errors import Forbidden, Unauthenticated
from vigie.core.permissions import Catalogue
from vigie.core.runtime import Runtime
from vigie.core.web.guard import (
    client_of,
    cookie_name,
    device_cookie_name,
    is_loopback,
    is_relayed,
    is_secure,
    request_id_of,
    server_of,
)
from vigie.core.web.hosts import hostname, is_address

AnyRequest = Request[Any, Any, Any]


def demand_private(request: AnyRequest) -> None:
    """Raises Forbidden where others on the way could read a password or a cookie."""
    here = is_loopback(client_of(request)) and is_loopback(server_of(request))
    if not is_secure(request) and (not here or is_relayed(request)):
        raise Forbidden(
            "https_required",
            "Passwords are not taken over plain http from another machine: set"
            " VIGIE_TLS_CERTIFICATE and VIGIE_TLS_KEY, name the https proxy in front in"
            " VIGIE_TRUSTED_PROXIES, or open http://localhost on the machine.",
        )


async def entered(
    request: AnyRequest, runtime: Runtime, catalogue: Catalogue, secret: str
) -> tuple[Session, list[Cookie]]:
    """The session of a secret that was just made, and the cookies that its browser keeps: the
    session's, and one by which the browser is recognised at the next login."""
    caller = await Logins.of(runtime).by_session(secret)
    if caller is None or caller.login is None:
        raise Unauthenticated("account_closed", "This account was closed a moment ago.")
    session_s = round(runtime.settings.session_hours * 3600)
    cookies = [cookie(request, cookie_name(request), secret, session_s)]
    folder = runtime.settings.root / "secrets"
    device = devices.issue(folder, caller.login.username, clock.now())
    if device:
        device_s = round(devices.LASTS.total_seconds())
        cookies.append(cookie(request, device_cookie_name(request), device, device_s))
    return session_of(runtime, caller, caller.login, catalogue), cookies


def cookie(request: AnyRequest, name: str, value: str, max_age: int) -> Cookie:
    """One that scripts do not see and other sites do not send."""
    return Cookie(
        key=name,
        value=value,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
        max_age=max_age,
    )


def visitor_of(request: AnyRequest) -> sessions.Visitor:
    """Where a request comes from."""
    return sessions.Visitor(
        address=client_of(request),
        agent=request.headers.get("user-agent", ""),
        request_id=request_id_of(request),
        old_secret=request.cookies.get(cookie_name(request), ""),
        device=request.cookies.get(device_cookie_name(request), ""),
    )


def origin_of(request: AnyRequest) -> str:
    """The origin of our own pages, as the browser names it: the default port goes unsaid."""
    scheme = "https" if is_secure(request) else "http"
    host = request.headers.get("host", "").strip().lower()
    return f"{scheme}://{host.removesuffix(':443' if scheme == 'https' else ':80')}"


def place_of(request: AnyRequest) -> Place:
    """Where the browser thinks it is. Raises Forbidden for a bare address: browsers make no
    passkeys for one."""
    name = hostname(request.headers.get("host", ""))
    if is_address(name):
        raise Forbidden(
            "passkey_needs_name",
            "Passkeys belong to a host's name, not to an address: open the screens by their name,"
            " on this machine http://localhost.",
        )
    return Place(name, origin_of(request))


def login_of(caller: Caller) -> Login:
    """The session that asks. Raises Forbidden for a token."""
    if caller.login is None:
        raise Forbidden("session_needed", "This is for a person's session, not for a token.")
    return caller.login


def session_of(runtime: Runtime, caller: Caller, login: Login, catalogue: Catalogue) -> Session:
    """A session as its owner sees it."""
    person = Person(
        login.user,
        login.username,
        login.display_name,
        login.language,
        login.must_change_password,
    )
    return Session(
        user=person,
        grants=list(caller.principal.grants),
        permissions=sorted(catalogue.held_by(caller.principal)),
        rooms=[room.name for room in runtime.house.rooms],
        csrf=login.csrf,
        expires=login.expires,
        fresh=login.fresh,
        means=login.means,
    )
