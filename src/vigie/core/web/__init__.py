"""The web: how rooms declare routes, and the one app that serves them."""

from vigie.core.access.model import Caller
from vigie.core.paging import Cursor, Page
from vigie.core.permissions import ANY_LOGIN, PUBLIC, Permission
from vigie.core.web.app import Route, build_app
from vigie.core.web.budget import Budget
from vigie.core.web.downloads import Export
from vigie.core.web.guard import authenticate_websocket, caller_scope, client_of, still_logged_in
from vigie.core.web.lists import XLSX, Columns, Lang, download_folder
from vigie.core.web.routes import (
    IdempotencyKey,
    IfMatch,
    Limit,
    OpenUnit,
    Tagged,
    delete,
    get,
    patch,
    post,
    put,
    websocket,
)
from vigie.core.web.server import serve

__all__ = [
    "ANY_LOGIN",
    "PUBLIC",
    "XLSX",
    "Budget",
    "Caller",
    "Columns",
    "Cursor",
    "Export",
    "IdempotencyKey",
    "IfMatch",
    "Lang",
    "Limit",
    "OpenUnit",
    "Page",
    "Permission",
    "Route",
    "Tagged",
    "authenticate_websocket",
    "build_app",
    "caller_scope",
    "client_of",
    "delete",
    "download_folder",
    "get",
    "patch",
    "post",
    "put",
    "serve",
    "still_logged_in",
    "websocket",
]
