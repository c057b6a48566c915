"""The public app: what rooms publish to everyone, under /public/v1, and the citizens' pages.

It runs in a process of its own, with its own port, pool and database role: a storm of citizens
never slows a desk. No login is looked at here, and every route declares what it may cost.
"""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Router
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler

from vigie.core.access.model import NOBODY
from vigie.core.errors import TooMany
from vigie.core.permissions import PUBLIC, Catalogue
from vigie.core.runtime import Runtime, Services
from vigie.core.web import problems
from vigie.core.web.app import Route
from vigie.core.web.budget import Budget, Budgets
from vigie.core.web.envelope import Envelope
from vigie.core.web.guard import SAFE, admit, check_form, check_origin, client_of
from vigie.core.web.health import healthz, readyz
from vigie.core.web.openapi import openapi_config
from vigie.core.web.routes import BODY_LIMIT
from vigie.core.web.screens import HOME, Screens
from vigie.core.web.server import serve

PREFIX = "/public/v1"
PORTAL = HOME / "portal"
# Of what the core itself serves: the API's description.
_OWN = Budget(per_minute=30, burst=10)


def services(runtime: Runtime) -> Services:
    """HTTP for everyone, of the rooms that are switched on."""
    app = build_public_app(runtime, runtime.rooms.collect("public"))
    return {"http": partial(serve, runtime, app, "HTTP_PUBLIC_PORT")}


def build_public_app(
    runtime: Runtime, routes: Sequence[Any], *, screens: Path | None = None
) -> Litestar:
    """Compose the app. Raises ValueError for a route that is not public or has no budget."""
    check_public_routes(routes)
    budgets = Budgets()
    app = Litestar(
        route_handlers=[
            Router(PREFIX, route_handlers=list(routes), guards=[admit_anyone]),
            Router("/", route_handlers=[healthz, readyz], guards=[admit]),
        ],
        exception_handlers={Exception: problems.handle},
        openapi_config=openapi_config(PREFIX, admit_anyone),
        state=State({"runtime": runtime, "catalogue": Catalogue(()), "budgets": budgets}),
        request_max_body_size=BODY_LIMIT,
        logging_config=None,
        debug=False,
    )
    app.asgi_handler = Envelope(
        app.asgi_handler,
        Screens(screens or PORTAL),
        runtime.settings,
        [route.path for route in app.routes],
    )
    return app


def check_public_routes(routes: Sequence[Route | Any]) -> None:
    """Deny by default: a route is published only with the words PUBLIC and a budget."""
    for route in routes:
        name = getattr(route.fn, "__qualname__", repr(route))
        if route.opt.get("permission") != PUBLIC:
            raise ValueError(f"public route {name}: its permission is PUBLIC, nobody logs in here")
        if not isinstance(route.opt.get("budget"), Budget):
            raise ValueError(f"public route {name} declares no budget: budget=Budget(…)")


async def admit_anyone(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let a request in when its address is within the route's budget. Raises TooMany."""
    connection.scope["state"]["caller"] = NOBODY
    if not isinstance(connection, Request) or "permission" not in handler.opt:
        return
    request: Request[Any, Any, Any] = connection
    if request.method not in SAFE:
        check_origin(request)
    budgets: Budgets = request.app.state.budgets
    wait_s = budgets.wait_s(
        str(handler), handler.opt["budget"] or _OWN, client_of(request), time.monotonic()
    )
    if wait_s:
        raise TooMany(
            "too_often",
            "Your address asks for this too often: wait a little.",
            retry_after_s=wait_s,
        )
    check_form(request, handler.opt)
