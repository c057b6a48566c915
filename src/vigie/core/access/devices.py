"""A browser in which somebody has logged in before is recognised at their next login.

Guesses of others, even from behind the same address, then neither count against them nor go before
them: their own failures are counted apart. The cookie opens nothing by itself, and names one user:
it is no help with another's password.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from vigie.core.engines.secrets import ensure
from vigie.core.errors import SetupError
from vigie.core.logs import logger

log = logger(__name__)
LASTS = timedelta(days=180)


def issue(folder: Path, username: str, now: datetime) -> str:
    """The cookie's value for a browser in which this user has just logged in; "" without a key."""
    key = _key(folder)
    if not key:
        return ""
    ends, mark = int((now + LASTS).timestamp()), secrets.token_hex(16)
    return f"{ends}.{mark}.{_signature(key, username, ends, mark)}"


def recognise(folder: Path, cookie: str, username: str, now: datetime) -> str | None:
    """The browser's mark, when this user logged in there before; else None."""
    ends, _, rest = cookie.partition(".")
    mark, _, signature = rest.partition(".")
    if len(cookie) > 200 or not (ends.isascii() and ends.isdecimal() and mark and signature):
        return None
    key = _key(folder)
    if not key or int(ends) <= now.timestamp():
        return None
    expected = _signature(key, username, int(ends), mark)
    return mark if hmac.compare_digest(expected.encode(), signature.encode()) else None


@lru_cache(maxsize=8)
def _key(folder: Path) -> bytes:
    """Several processes share it. Without one, nobody is recognised and everybody may log in."""
    try:
        return ensure(folder, "login-devices").encode()
    except SetupError as error:
        log.warning("devices_not_recognised", detail=error.detail)
        return b""


def _signature(key: bytes, username: str, ends: int, mark: str) -> str:
    signed = f"{ends}\n{mark}\n{username}".encode()
    return hmac.new(key, signed, hashlib.sha256).hexdigest()
