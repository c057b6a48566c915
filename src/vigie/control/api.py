"""Commands over HTTP."""

from uuid import UUID

from vigie.control import read, service
from vigie.control.model import CancelCommand, Command, RequestCommand, TargetState
from vigie.core.database import Unit
from vigie.core.web import IdempotencyKey, Limit, Page, get, post


@post("/commands", permission="control.command", status=202, body_limit=4_000_000)
async def request_command(
    unit: Unit, data: RequestCommand, idempotency_key: IdempotencyKey = None
) -> Command:
    """Ask something of some equipment: one light or a city's, one act.

    Answered once it is written down; what becomes of it is at `/commands/{id}` and on the live
    socket. All of the named `assets` must be in your scope; a `filter` or `bbox` takes what there
    can do it.
    """
    return await service.request_command(unit, data, idempotency_key=idempotency_key)


@get("/commands", permission="control.read")
async def list_commands(
    unit: Unit,
    open_: bool | None = None,
    filter_: str = "",
    sort: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[Command]:
    """Commands to equipment in your scope, newest first. `filter` knows `verb:`, `open:yes|no`,
    `requested_at:` and `ended_at:`; `sort` takes `requested_at`, `expires_at`, `ended_at` and
    `verb`."""
    return await read.list_commands(
        unit, open_=open_, filter_=filter_, sort=sort, cursor=cursor, limit=limit
    )


@get("/commands/{command_id:uuid}", permission="control.read")
async def read_command(unit: Unit, command_id: UUID) -> Command:
    """One command and how far it came."""
    return await read.read_command(unit, command_id)


@get("/commands/{command_id:uuid}/targets", permission="control.read")
async def list_command_targets(
    unit: Unit,
    command_id: UUID,
    state_: str | None = None,
    sort: str | None = None,
    cursor: str | None = None,
    limit: Limit = 100,
) -> Page[TargetState]:
    """How far a command came at each piece of equipment in your scope, by asset; `sort` takes
    `asset`, `name`, `state`, `attempts`, `sent_at`, `delivered_at` and `ended_at`."""
    return await read.list_targets(
        unit, command_id, state=state_, sort=sort, cursor=cursor, limit=limit
    )


@post("/commands/{command_id:uuid}/cancel", permission="control.cancel")
async def cancel_command(unit: Unit, command_id: UUID, data: CancelCommand) -> Command:
    """Take a command back where it has not ended."""
    return await service.cancel_command(unit, command_id, data.reason)


ROUTES = [
    request_command,
    list_commands,
    *read.COMMANDS.downloads("/commands", permission="control.read"),
    read_command,
    list_command_targets,
    cancel_command,
]
