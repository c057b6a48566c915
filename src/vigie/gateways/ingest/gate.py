"""When a stream takes no more: shut long before it is full. Pure but for one look at the disk."""

import shutil

from vigie.core.settings import Settings

CLOSE_AT = 0.80
OPEN_BELOW = 0.50
_DISK_SHUT, _DISK_OPEN = 256 * 1024 * 1024, 512 * 1024 * 1024


def admits(open_now: bool, share: float) -> bool:
    """Whether more may come when the stream is `share` full.

    Two thresholds, so that it does not flutter: shut from 80%, open again below 50%.
    """
    return share < (CLOSE_AT if open_now else OPEN_BELOW)


def why_shut(settings: Settings, open_now: bool, share: float) -> str:
    """Why no more is taken: "stream_full" or "disk_full"; "" while it is."""
    if not admits(open_now, share):
        return "stream_full"
    return "disk_full" if _disk_short(settings, open_now) else ""


def _disk_short(settings: Settings, open_now: bool) -> bool:
    if not settings.embedded_nats:
        return False
    try:
        free = shutil.disk_usage(settings.root).free
    except OSError:
        return False
    return free < (_DISK_SHUT if open_now else _DISK_OPEN)
