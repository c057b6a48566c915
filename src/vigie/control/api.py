"""Commands over HTTP."""

from uuid import UUID

from vigie.control import approving, read, service
from vigie.control.model import (
    CancelCommand,
    Command,
    CommandPreview,
    PreviewCommand,
    RequestCommand,
    TargetState,
)
from vigie.core.database import Unit
from vigie.core.web import IdempotencyKey, Limit, Page, get, post


@post("/commands", permission="control.command", status=202, body_limit=4_000_000)
async def request_command(
    unit: Unit, data: RequestCommand, idempotency_key: IdempotencyKey = None
) -> Command:
    """Ask something of some equipment: one light or a city's, one act.

    Answered once it is written down; what becomes of it is at `/commands/{id}` and on the live
    socket. All of the named `assets` must be in your scope; a `filter` or `bbox` takes what there
    can do it. Some commands demand a fresh login (`fresh_login_needed`) or a second person: those
    wait as `awaiting_approval`, at `/commands/{id}/approve` and in `/approvals`. Where an interlock
    refuses the target ends as `refused`.
    """
    return await service.request_command(unit, data, idempotency_key=idempotency_key)


@post("/commands/preview", permission="control.command", body_limit=4_000_000)
async def preview_command(unit: Unit, data: PreviewCommand) -> CommandPreview:
    """What a command would do just now: to how many, who would be refused and why, and what it
    demands of who gives it. Nothing is commanded."""
    return await service.preview_command(unit, data)


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


@post("/commands/{command_id:uuid}/approve", permission="control.command")
async def approve_command(unit: Unit, command_id: UUID) -> Command:
    """Agree, as the second person, to somebody else's command: it goes out now."""
    return await approving.approve(unit, command_id)


@post("/commands/{command_id:uuid}/refuse", permission="control.command")
async def refuse_command(unit: Unit, command_id: UUID) -> Command:
    """Refuse, as the second person, somebody else's command: it ends as cancelled."""
    return await approving.refuse(unit, command_id)


ROUTES = [
    request_command,
    preview_command,
    list_commands,
    *read.COMMANDS.downloads("/commands", permission="control.read"),
    read_command,
    list_command_targets,
    cancel_command,
    approve_command,
    refuse_command,
]
