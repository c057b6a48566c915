"""The OpenAPI 3.1 document, at /api/v1/openapi.json."""

from typing import Any

import msgspec
from litestar import Request
from litestar.enums import OpenAPIMediaType
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import License

import vigie
from vigie.core.access.catalogue import ANY_LOGIN, PUBLIC, Catalogue
from vigie.core.web.problems import MEDIA_TYPE, Problem

SESSION, TOKEN = "session", "token"


class _Document(OpenAPIRenderPlugin):
    def __init__(self, catalogue: Catalogue) -> None:
        super().__init__(path="/openapi.json", media_type=OpenAPIMediaType.OPENAPI_JSON)
        self._catalogue = catalogue
        self._rendered: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document, completed once."""
        if self._rendered is None:
            routes = {
                handler.operation_id: handler.opt
                for route in request.app.routes
                for handler in getattr(route, "route_handlers", [])
            }
            complete(openapi_schema, routes, self._catalogue)
            self._rendered = msgspec.json.encode(openapi_schema)
        return self._rendered


def openapi_config(catalogue: Catalogue) -> OpenAPIConfig:
    """Litestar's part of it."""
    return OpenAPIConfig(
        title="Vigie",
        version=vigie.__version__,
        description="The control centre of a connected city. Errors are problem+json (RFC 9457).",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        path="/api/v1",
        render_plugins=[_Document(catalogue)],
        use_handler_docstrings=True,
    )


def complete(document: dict[str, Any], routes: dict[Any, Any], catalogue: Catalogue) -> None:
    """Add what every route has in common: problems, security, permission."""
    components = document.setdefault("components", {})
    (_,), schemas = msgspec.json.schema_components(
        [Problem], ref_template="#/components/schemas/{name}"
    )
    components.setdefault("schemas", {}).update(schemas)
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
        roles = ", ".join(catalogue.permissions[permission].roles)
        operation["description"] = (
            f"{operation.get('description', '')}\n\nPermission: `{permission}` ({roles})."
        ).strip()
    if "{" in path:
        expected.append("404")
    if method != "get":
        expected += ["403", "404", "409", "412", "429"]
    if "requestBody" in operation:
        expected += ["413", "415"]
    for status in sorted(set(expected)):
        responses[status] = {"$ref": "#/components/responses/Problem"}
