"""Control: what is asked of equipment, and what became of it.

Verbs: `request_command`, `preview_command`, `cancel_command`, and reading them; `Interlock`s are
declared by trades. `acknowledge` and `observe` take what
the field says, in the ingest's own transaction. `services` (role watch) send, send again, expire
and close. Never: how a command travels (gateways), what a kind can do (twin.kinds).
"""

from collections.abc import Awaitable, Callable
from functools import partial

from vigie.control import keeper, sender
from vigie.control.evidence import acknowledge, observe
from vigie.control.interlocks import Facts, Interlock, Refusal, Seen
from vigie.control.keeper import Progress
from vigie.control.model import (
    CancelCommand,
    Command,
    CommandPreview,
    PreviewCommand,
    RequestCommand,
    Requester,
    TargetAsset,
    TargetError,
    TargetState,
)
from vigie.control.permissions import PERMISSIONS
from vigie.control.read import list_commands, list_targets, read_command
from vigie.control.service import cancel_command, preview_command, request_command
from vigie.core.runtime import Runtime


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """The sender and the keeper; any number of processes may run them."""
    return {
        "command-sender": partial(sender.run, runtime),
        "urgent-command-sender": partial(sender.run_urgent, runtime),
        "command-keeper": partial(keeper.run, runtime),
    }


__all__ = [
    "PERMISSIONS",
    "CancelCommand",
    "Command",
    "CommandPreview",
    "Facts",
    "Interlock",
    "PreviewCommand",
    "Progress",
    "Refusal",
    "RequestCommand",
    "Requester",
    "Seen",
    "TargetAsset",
    "TargetError",
    "TargetState",
    "acknowledge",
    "cancel_command",
    "list_commands",
    "list_targets",
    "observe",
    "preview_command",
    "read_command",
    "request_command",
    "services",
]
