"""What the room runs in the role `watch`: the days of history, tracks and events."""

from collections.abc import Awaitable, Callable

from vigie.core.runtime import Runtime
from vigie.twin import events, telemetry, track


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """All of it, by name."""
    return {
        **telemetry.services(runtime),
        **track.services(runtime),
        **events.services(runtime),
    }
