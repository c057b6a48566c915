"""The services of the live screens, in the `api` role."""

from collections.abc import Awaitable, Callable

from vigie.core.runtime import Runtime
from vigie.twin.live.hub import Hub


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """The picture, what commands want, and the frames."""
    hub = Hub.of(runtime)
    return {
        "live": hub.feed.keep,
        "live-intents": hub.feed.keep_intents,
        "live-frames": hub.keep,
    }
