"""The OpenAPI 3.1 document, at /api/v1/openapi.json."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import msgspec
from litestar import Litestar, Request, Response, Router
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import License

import vigie
from vigie.core.geometry import BBox
from vigie.core.permissions import ANY_LOGIN, PUBLIC, Catalogue
from vigie.core.web.guard import admit
from vigie.core.web.problems import MEDIA_TYPE, Problem
from vigie.core.web.routes import get

_Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]
SESSION, TOKEN = "session", "token"
# Litestar takes it for an object.
_BOX = {
    "title": BBox.__name__,
    "description": BBox.__doc__,
    "type": "array",
    "prefixItems": [{"type": "number"}] * 4,
}


@get("/openapi.json", permission=PUBLIC, include_in_schema=False)
async def read_openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The API's description."""
    state = request.app.state
    if "openapi" not in state:
        state.openapi = msgspec.json.encode(describe(request.app, state.catalogue))
    return Response(state.openapi, media_type="application/vnd.oai.openapi+json")


def openapi_config(prefix: str = "/api/v1", guard: _Guard = admit) -> OpenAPIConfig:
    """Litestar's part of it: the schemas. Our route shows them, in place of Litestar's pages."""
    return OpenAPIConfig(
        title="Vigie",
        version=vigie.__version__,
        description="The control centre of a connected city. Errors are problem+json (RFC 9457).",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        use_handler_docstrings=True,
        openapi_controller=cast(
            "Any", Router(prefix, route_handlers=[read_openapi], guards=[guard])
        ),
    )


def describe(app: Litestar, catalogue: Catalogue) -> dict[str, Any]:
    """The whole document."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    routes = {
        handler.operation_id: handler.opt
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
    }
    complete(document, routes, catalogue)
    return document


def complete(document: dict[str, Any], routes: dict[Any, Any], catalogue: Catalogue) -> None:
    """Add what every route has in common: problems, security, permission; a box is an array."""
    components = document.setdefault("components", {})
    (_,), schemas = msgspec.json.schema_components(
        [Problem], ref_template="#/components/schemas/{name}"
    )
    components.setdefault("schemas", {}).update(schemas | {BBox.__name__: _BOX})
    components["securitySchemes"] = {
        SESSION: {
            "type": "apiKey",
            "in": "cookie",
            "name": "__Host-vigie",
            "description": "A session (`vigie` over plain http on this machine). Unsafe methods "
            "also need the X-CSRF-Token header.",
        },
        TOKEN: {"type": "http", "scheme": "bearer", "description": "An API token, `vgt_…`."},
    }
    components["responses"] = {
        "Problem": {
            "description": "What went wrong, and what to do.",
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            opt = routes.get(operation.get("operationId"), {})
            _complete_operation(operation, opt, catalogue, path, method)


def _complete_operation(
    operation: dict[str, Any], opt: dict[str, Any], catalogue: Catalogue, path: str, method: str
) -> None:
    permission = opt.get("permission", PUBLIC)
    responses = operation["responses"]
    for status in [s for s in responses if s[0] in "45"]:
        del responses[status]
    expected = ["400", "422", "500", "503"]
    if permission != PUBLIC:
        expected += ["401", "403"]
        operation["security"] = [{SESSION: []}, {TOKEN: []}]
        operation["x-permission"] = permission
    if permission not in (PUBLIC, ANY_LOGIN):
        # Which roles hold it differs between installations: GET /roles tells.
        operation["description"] = (
            f"{operation.get('description', '')}\n\nPermission: `{permission}`."
        ).strip()
    for response in responses.values():
        for kind, content in response.get("content", {}).items():
            # A handler that wrote its JSON itself returns bytes; they are no JSON string.
            if kind.endswith("json") and content.get("schema") == {"type": "string"}:
                content["schema"] = {"type": "object"}
    if "{" in path or opt.get("may_be_missing"):
        expected.append("404")
    if method != "get":
        expected += ["401", "403", "404", "409", "412", "429"]
    if "requestBody" in operation:
        expected += ["413", "415"]
    for status in sorted(set(expected)):
        responses[status] = {"$ref": "#/components/responses/Problem"}
