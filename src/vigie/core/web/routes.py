"""How a room declares a route.

    @get("/assets/{asset_id:int}", permission="twin.read")
    async def read_asset(unit: Unit, asset_id: int) -> Asset:
        return await service.read(unit, asset_id)

    ROUTES = [read_asset]

A handler asks for what it needs by name: `unit` (one transaction in the caller's scope for this
permission, committed before the answer leaves, rolled back when the handler raises), `open_unit`
(opens such units, for a handler that needs several), `export` (a
callable that writes a download, see `downloads`), `runtime`, `principal`, `caller`, `catalogue`,
`request`; `data` is the body; any other parameter comes from the path or the query. A trailing
underscore is dropped from a query name (`from_` is `from`, `state_` is `state`).

What a request may cost is bounded here for every route: how long its statements run, how many
connections its person holds, how large its numbers and how deep its body are. A read ends when its
client leaves.
"""

import contextlib
import inspect
import typing
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

import litestar
import msgspec
from litestar import Request, Response, WebSocket
from litestar.dto import AbstractDTO
from litestar.handlers import HTTPRouteHandler, WebsocketRouteHandler
from litestar.params import Parameter, ParameterKwarg

from vigie.core.access.model import Caller
from vigie.core.database import Database, Lane, Unit
from vigie.core.permissions import ANY_LOGIN, PUBLIC
from vigie.core.runtime import Runtime
from vigie.core.scope import NOTHING
from vigie.core.web.bounds import demand_bounded, demand_shallow, too_deep
from vigie.core.web.budget import Budget
from vigie.core.web.downloads import Downloads, Export
from vigie.core.web.guard import SAFE, authenticate_websocket
from vigie.core.web.leaving import ClientLeft, reading
from vigie.core.web.problems import STATE_REQUEST_ID, body_error
from vigie.core.web.shares import Shares

T = TypeVar("T")
Handler = Callable[..., Awaitable[Any]]
OpenUnit = Callable[[], AbstractAsyncContextManager[Unit]]
CLIENT_LEFT = 499
BODY_LIMIT = 1_000_000
_STATEMENTS = 2
_INJECTED = {"unit", "open_unit", "export", "runtime", "principal", "caller", "catalogue"}
_RESERVED = {"state", "query", "headers", "cookies", "body", "scope", "socket", "path"}
_STATUS = {"get": 200, "post": 200, "put": 200, "patch": 200, "delete": 200}

Limit = Annotated[int, Parameter(ge=1, le=1000, description="Rows a page, at most.")]
IfMatch = Annotated[
    str | None,
    Parameter(header="If-Match", description="ETag of the version that is being changed."),
]
IdempotencyKey = Annotated[
    str | None,
    Parameter(
        header="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="One key an intended act: sent again, it answers as the first time.",
    ),
]


class Tagged(msgspec.Struct, Generic[T]):
    """An answer with an ETag; an equal If-None-Match is answered 304, unless it is `live`: then the
    tag is of the version that If-Match names, and the answer tells more than that."""

    body: T
    etag: str
    live: bool = False


class StrictJson(AbstractDTO[Any]):
    """Bodies decoded straight to their struct: no conversion of types, no unknown field."""

    @classmethod
    def create_for_field_definition(
        cls, field_definition: Any, handler_id: str, backend_cls: Any = None
    ) -> None:
        """Nothing to prepare."""

    @classmethod
    def create_openapi_schema(
        cls, field_definition: Any, handler_id: str, schema_creator: Any
    ) -> Any:
        """The struct's own schema."""
        return schema_creator.for_field_definition(field_definition)

    @classmethod
    def generate_field_definitions(cls, model_type: type[Any]) -> Any:
        """Not used: the body is the model."""
        return iter(())

    @classmethod
    def detect_nested_field(cls, field_definition: Any) -> bool:
        """Not used: the body is the model."""
        return False

    def decode_bytes(self, value: bytes) -> Any:
        """Read the body. Raises Invalid with the faulty field's path."""
        try:
            return self.asgi_connection.route_handler.opt["decode"](value)
        except RecursionError as error:
            raise too_deep() from error
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise body_error(error) from error


def get(path: str, *, permission: str, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """A route that reads."""
    return _route("get", path, permission, options)


def post(path: str, *, permission: str, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """A route that acts; `status=201` or `202` where 200 is not the truth."""
    return _route("post", path, permission, options)


def put(path: str, *, permission: str, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """A route that replaces."""
    return _route("put", path, permission, options)


def patch(path: str, *, permission: str, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """A route that changes some fields."""
    return _route("patch", path, permission, options)


def delete(path: str, *, permission: str, **options: Any) -> Callable[[Handler], HTTPRouteHandler]:
    """A route that removes."""
    return _route("delete", path, permission, options)


def websocket(path: str, *, permission: str) -> Callable[[Handler], WebsocketRouteHandler]:
    """A live socket. It is accepted, then refused with 4401 or 4403 before the handler runs.

    The handler takes `socket`, and `runtime`, `principal` or `caller` when it asks for them."""

    def decorate(fn: Handler) -> WebsocketRouteHandler:
        wanted = set(inspect.signature(fn).parameters) - {"socket"}

        async def call(socket: WebSocket[Any, Any, Any]) -> None:
            principal = await authenticate_websocket(socket, permission)
            have: dict[str, Any] = {
                "runtime": socket.app.state.runtime,
                "principal": principal,
                "caller": socket.scope["state"]["caller"],
            }
            await fn(socket=socket, **{name: have[name] for name in wanted})

        call.__name__, call.__qualname__, call.__doc__ = fn.__name__, fn.__qualname__, fn.__doc__
        call.__module__ = fn.__module__
        return litestar.websocket(path, opt={"permission": permission})(call)

    return decorate


def _route(
    method: str, path: str, permission: str, options: dict[str, Any]
) -> Callable[[Handler], HTTPRouteHandler]:
    """Options: `status`, `body_limit` (bytes), `before_password_change` (open to a user who must
    first change the password), `on_this_machine` (open to loopback without a login),
    `budget` (what a public route may cost; a desk's has none),
    `may_be_missing` (answers 404 though its path names nothing), `foreign_query` (others write the
    address: what it holds beside is ignored); the rest goes to Litestar (`media_type`,
    `responses`, `include_in_schema`…)."""
    status = options.pop("status", None)
    opt: dict[str, Any] = {
        "permission": permission,
        "before_password_change": options.pop("before_password_change", False),
        "on_this_machine": options.pop("on_this_machine", False),
        "may_be_missing": options.pop("may_be_missing", False),
        "foreign_query": options.pop("foreign_query", False),
        "budget": options.pop("budget", None),
    }

    def decorate(fn: Handler) -> HTTPRouteHandler:
        shape = _Shape(fn, path)
        opt["query_names"] = shape.query_names
        if shape.body is not None:
            opt["decode"] = _decoder(shape.body)
            options["dto"] = StrictJson
            options["return_dto"] = None
        default = 204 if shape.returns is type(None) else _STATUS[method]
        doc = inspect.getdoc(fn) or ""
        options.setdefault("tags", [_room(fn.__module__)])
        options.setdefault("operation_id", f"{_room(fn.__module__)}.{fn.__name__}")
        options.setdefault("summary", doc.split("\n", 1)[0])
        options.setdefault("description", doc)
        options.setdefault("request_max_body_size", options.pop("body_limit", BODY_LIMIT))
        make = getattr(litestar, method)
        return make(path, status_code=status or default, opt=opt, **options)(
            _wrap(fn, shape, permission)
        )

    return decorate


class _Shape:
    """What a handler asks for, and the signature that Litestar sees in its place."""

    def __init__(self, fn: Handler, path: str) -> None:
        hints = typing.get_type_hints(fn, include_extras=True)
        signature = inspect.signature(fn)
        in_path = {part.split(":")[0].strip("{}") for part in path.split("/") if "{" in part}
        self.wants = _INJECTED & set(signature.parameters)
        self.renamed = dict[str, str]()
        self.query_names = set[str]()
        self.body: Any = None
        self.floats = set[str]()
        self.returns = _untag(hints.get("return", type(None)))
        self.annotations: dict[str, Any] = {"request": Request[Any, Any, Any]}
        parameters = [inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY)]
        for name, parameter in signature.parameters.items():
            if name in self.wants or name == "request":
                continue
            if name in _RESERVED:
                raise TypeError(f"{fn.__qualname__}: name the parameter {name!r} {name + '_'!r}")
            hint = hints[name]
            if name == "data":
                self.body = hint
                _demand_strict(hint, fn)
            elif name not in in_path:
                hint = self._query(name, hint)
            self.annotations[name] = hint
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
        self.annotations["return"] = self.returns
        self.signature = inspect.Signature(parameters, return_annotation=self.returns)
        self.wants_request = "request" in signature.parameters

    def _query(self, name: str, hint: Any) -> Any:
        kwarg = next((a for a in get_args(hint) if isinstance(a, ParameterKwarg)), None)
        if kwarg is not None and (kwarg.header or kwarg.cookie):
            return hint
        if kwarg is not None and kwarg.query:
            self.query_names.add(kwarg.query)
        elif name.endswith("_"):
            self.query_names.add(name[:-1])
            hint = Annotated[hint, Parameter(query=name[:-1])]
        else:
            self.query_names.add(name)
        return hint


def _wrap(fn: Handler, shape: _Shape, permission: str) -> Handler:
    async def call(**arguments: Any) -> Any:
        request: Request[Any, Any, Any] = arguments["request"]
        demand_bounded(arguments)
        if not shape.wants_request:
            del arguments["request"]
        if request.method not in SAFE:
            return await answer(request, arguments)
        settings = request.app.state.runtime.settings
        # A download has a deadline of its own.
        seconds = (
            settings.export_timeout_s
            if "export" in shape.wants
            else settings.request_timeout_s * _STATEMENTS
        )
        if budget := budget_of(request):
            # As long again to wait for its turn.
            seconds = 2 * budget.seconds
        try:
            async with reading(request, seconds):
                return await answer(request, arguments)
        except ClientLeft:
            return Response(b"", status_code=CLIENT_LEFT)

    async def answer(request: Request[Any, Any, Any], arguments: dict[str, Any]) -> Any:
        if (budget := budget_of(request)) is None:
            return await handle(request, arguments)
        async with request.app.state.budgets.run(str(request.route_handler), budget):
            return await handle(request, arguments)

    async def handle(request: Request[Any, Any, Any], arguments: dict[str, Any]) -> Any:
        caller = caller_of(request)
        runtime: Runtime = request.app.state.runtime
        for name in shape.wants:
            if name == "runtime":
                arguments[name] = runtime
            elif name == "principal":
                arguments[name] = caller.principal
            elif name == "caller":
                arguments[name] = caller
            elif name == "catalogue":
                arguments[name] = request.app.state.catalogue
            elif name == "export":
                arguments[name] = _exporter(request, permission)
            elif name == "open_unit":
                arguments[name] = partial(_open, request, permission)
        if "unit" in shape.wants:
            async with _open(request, permission) as unit:
                result = await fn(unit=unit, **arguments)
        else:
            result = await fn(**arguments)
        return tagged(request, result) if isinstance(result, Tagged) else result

    call.__name__ = fn.__name__
    call.__qualname__ = fn.__qualname__
    call.__module__ = fn.__module__
    call.__doc__ = fn.__doc__
    call.__signature__ = shape.signature  # type: ignore[attr-defined]
    call.__annotations__ = shape.annotations
    return call


def caller_of(request: Request[Any, Any, Any]) -> Caller:
    """Who asks: set by the guard before any handler runs."""
    return request.scope["state"]["caller"]


@contextlib.asynccontextmanager
async def _open(
    request: Request[Any, Any, Any], permission: str, lane: Lane | None = None
) -> AsyncGenerator[Unit, None]:
    """A unit in the caller's scope, within the caller's share of the connections."""
    caller = caller_of(request)
    state = request.app.state
    scope = NOTHING
    if permission not in (PUBLIC, ANY_LOGIN):
        scope = state.catalogue.scope_for(caller.principal, permission) or NOTHING
    database: Database = state.runtime.database
    budget = budget_of(request)
    lane = lane or ("screens" if request.method in SAFE else "acts")
    async with (
        Shares.of(database).hold(lane, caller.principal),
        database.unit(
            caller.principal,
            scope,
            request_id=request.scope["state"][STATE_REQUEST_ID],
            statement_timeout_s=budget.seconds
            if budget
            else state.runtime.settings.request_timeout_s,
            lane=lane,
        ) as unit,
    ):
        yield unit


def _exporter(request: Request[Any, Any, Any], permission: str) -> Export:
    caller = caller_of(request)
    downloads = Downloads.of(request.app.state.runtime)
    return partial(
        downloads.export, caller.principal, lambda: _open(request, permission, "exports")
    )


def budget_of(request: Request[Any, Any, Any]) -> Budget | None:
    """What a public route may cost; None of a desk's."""
    return request.route_handler.opt.get("budget")


def tagged(request: Request[Any, Any, Any], result: Tagged[Any]) -> Response[Any]:
    """The body with its ETag, or 304 when the client already has it."""
    etag = quote_etag(result.etag)
    if result.live:
        return Response(result.body, headers={"ETag": etag, "Cache-Control": "no-store"})
    budget = budget_of(request)
    kept = f"public, max-age={budget.keep_s}" if budget else "private, no-cache"
    headers = {"ETag": etag, "Cache-Control": kept}
    asked = request.headers.get("if-none-match")
    if asked and etag in {tag.strip().removeprefix("W/") for tag in asked.split(",")}:
        return Response(b"", status_code=304, headers=headers)
    return Response(result.body, headers=headers)


def quote_etag(value: str) -> str:
    """A strong validator."""
    return f'"{value}"'


def _decoder(body: Any) -> Callable[[bytes], Any]:
    decoder = msgspec.json.Decoder(body, strict=True)

    # A function, since Litestar deep-copies what a route declares.
    def decode(raw: bytes) -> Any:
        value = decoder.decode(raw)
        demand_shallow(raw, value)
        return value

    return decode


def _untag(returns: Any) -> Any:
    return get_args(returns)[0] if get_origin(returns) is Tagged else returns


def _room(module: str) -> str:
    parts = [p for p in module.split(".") if p not in ("vigie", "core", "api")]
    return parts[0] if parts else "core"


def _demand_strict(hint: Any, fn: Handler) -> None:
    kind = get_origin(hint) or hint
    config = getattr(kind, "__struct_config__", None)
    if config is not None and not config.forbid_unknown_fields:
        raise TypeError(
            f"{fn.__qualname__}: {kind.__name__} must be a struct with forbid_unknown_fields=True"
        )
