"""What a browser keeps for us between two requests: signed, for one purpose, for a short time.

Whoever asks for a login's challenge costs the database nothing: it is written down only once it
was answered, so that it is answered once (`spend`).
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text

from vigie.core.database import Unit
from vigie.core.engines.secrets import ensure

LASTS = timedelta(minutes=5)
_LONGEST = 4096
_SIGNATURE = 32


class _Envelope(msgspec.Struct, frozen=True):
    purpose: str
    ends: int
    mark: str
    content: Any


def seal(folder: Path, purpose: str, now: datetime, content: Any = None) -> str:
    """A text that only this installation can have written, unlike any other."""
    ends = int((now + LASTS).timestamp())
    body = msgspec.json.encode(_Envelope(purpose, ends, secrets.token_hex(16), content))
    return urlsafe_b64encode(body + _signature(folder, body)).decode().rstrip("=")


def unseal(folder: Path, purpose: str, now: datetime, value: str) -> Any:
    """The content of what `seal` wrote; raises ValueError for what is forged, for another purpose,
    or too old."""
    if len(value) > _LONGEST:
        raise ValueError("too long")
    # binascii.Error is a ValueError.
    raw = urlsafe_b64decode(value + "=" * (-len(value) % 4))
    body, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
    if not hmac.compare_digest(_signature(folder, body), signature):
        raise ValueError("not ours")
    envelope = msgspec.json.decode(body, type=_Envelope)
    if envelope.purpose != purpose:
        raise ValueError("for another purpose")
    if envelope.ends <= now.timestamp():
        raise ValueError("too old")
    return envelope.content


async def spend(unit: Unit, value: str, now: datetime) -> bool:
    """Write down that a sealed text was answered; False when it had been before."""
    await unit.execute(
        text(
            """
            delete from access.spent where digest in (
              select digest from access.spent where expires < :now limit 100
              for update skip locked
            )
            """
        ),
        {"now": now},
    )
    spent = await unit.execute(
        text(
            "insert into access.spent (digest, expires) values (:digest, :expires)"
            " on conflict (digest) do nothing"
        ),
        {"digest": hashlib.sha256(value.encode()).digest(), "expires": now + 2 * LASTS},
    )
    return spent.rowcount == 1


def _signature(folder: Path, body: bytes) -> bytes:
    return hmac.new(_key(folder), body, hashlib.sha256).digest()


@lru_cache(maxsize=8)
def _key(folder: Path) -> bytes:
    return ensure(folder, "sign-in").encode()
