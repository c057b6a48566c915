"""Links by which someone answers a call: a message's id and a code that only we can compute."""

import base64
import binascii
import hashlib
import hmac
from uuid import UUID

from vigie.core.engines import ensure_secret
from vigie.core.settings import Settings

PATH = "/api/v1/notify/acknowledge"
_CODE_BYTES = 12


def link(settings: Settings, message: UUID) -> str:
    """The address in a message of a cascade. It is not stored: it is computed when it is sent."""
    return f"{public_url(settings)}{PATH}?token={token(settings, message)}"


def token(settings: Settings, message: UUID) -> str:
    """38 characters of base64url: 16 bytes of id, 12 of code."""
    return base64.urlsafe_b64encode(message.bytes + _code(settings, message)).decode().rstrip("=")


def read(settings: Settings, given: str) -> UUID | None:
    """The message that a token is of; None for a token that we did not make."""
    try:
        raw = base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + _CODE_BYTES:
        return None
    message = UUID(bytes=raw[:16])
    return message if hmac.compare_digest(raw[16:], _code(settings, message)) else None


def public_url(settings: Settings) -> str:
    """Where people reach the screens."""
    if settings.public_url:
        return settings.public_url.rstrip("/")
    scheme = "https" if settings.tls_certificate else "http"
    host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::") else settings.http_host  # noqa: S104
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.http_port}"


def _code(settings: Settings, message: UUID) -> bytes:
    secret = ensure_secret(settings.root / "secrets", "notify-links")
    return hmac.digest(secret.encode(), b"acknowledge" + message.bytes, hashlib.sha256)[
        :_CODE_BYTES
    ]
