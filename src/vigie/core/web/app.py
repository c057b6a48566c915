"""The one app: routes of every room under /api/v1, health, metrics and the screens."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.types import Scope as AsgiScope

from vigie.core.access.logins import Logins
from vigie.core.access.roles import Roles
from vigie.core.logs import logger
from vigie.core.permissions import ANY_LOGIN, PUBLIC, Catalogue, Permission, Role, RoleEdit
from vigie.core.runtime import Runtime
from vigie.core.web import problems
from vigie.core.web.envelope import Envelope
from vigie.core.web.guard import admit
from vigie.core.web.health import PERMISSIONS as HEALTH_PERMISSIONS
from vigie.core.web.health import ROUTES as HEALTH
from vigie.core.web.openapi import openapi_config
from vigie.core.web.routes import BODY_LIMIT
from vigie.core.web.screens import Screens

log = logger(__name__)
Route = HTTPRouteHandler | WebsocketRouteHandler
PREFIX = "/api/v1"


def build_app(
    runtime: Runtime,
    routes: Sequence[Route],
    permissions: Iterable[Permission],
    roles: Iterable[Role] = (),
    *,
    screens: Path | None = None,
) -> Litestar:
    """Compose the app. Raises ValueError for a route without a permission of the catalogue."""
    catalogue = Catalogue([*HEALTH_PERMISSIONS, *permissions], roles)
    check_routes([*HEALTH, *routes], catalogue)

    async def listen() -> None:
        await Logins.of(runtime).listen()
        # Before anybody is answered: a narrowed role must not be wide for a moment.
        await Roles.of(runtime).load()

    def lay_over(edits: tuple[RoleEdit, ...]) -> None:
        app.state.catalogue = catalogue.with_roles(edits)

    async def tell(error: Exception, scope: AsgiScope) -> None:
        if scope["type"] == "websocket" and not hasattr(error, "code"):
            log.error("socket_failed", path=scope["path"], exc_info=error)

    app = Litestar(
        route_handlers=[
            Router(PREFIX, route_handlers=list(routes), guards=[admit]),
            Router("/", route_handlers=list(HEALTH), guards=[admit]),
        ],
        exception_handlers={Exception: problems.handle},
        after_exception=[tell],
        openapi_config=openapi_config(),
        state=State({"runtime": runtime, "catalogue": catalogue}),
        on_startup=[listen],
        request_max_body_size=BODY_LIMIT,
        logging_config=None,
        debug=False,
    )
    runtime.house.watch_roles(lay_over)
    app.asgi_handler = Envelope(
        app.asgi_handler, Screens(screens), runtime.settings, [route.path for route in app.routes]
    )
    return app


def check_routes(routes: Sequence[Any], catalogue: Catalogue) -> None:
    """Deny by default: every route names a permission that exists, and every struct is strict."""
    for route in routes:
        if route.opt.get("budget") is not None:
            raise ValueError(f"route {route.fn} has a budget: it belongs in Room.public")
        permission = route.opt.get("permission")
        name = getattr(route.fn, "__qualname__", repr(route))
        if permission is None:
            raise ValueError(
                f"route {name} declares no permission: use the decorators of vigie.core.web"
            )
        if permission not in (PUBLIC, ANY_LOGIN) and permission not in catalogue:
            raise ValueError(
                f"route {name} needs {permission!r}, which no room declares in PERMISSIONS"
            )
