"""Web push: encrypted for the browser (RFC 8291), signed with our VAPID key (RFC 8292)."""

import base64
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import http_ece  # pyright: ignore[reportMissingTypeStubs]
import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from py_vapid import Vapid02  # pyright: ignore[reportMissingTypeStubs]

from vigie.core.engines import write_secret
from vigie.core.settings import Settings
from vigie.notify.channels.failures import NotSent, Refused
from vigie.notify.contacts import allowed_service

if TYPE_CHECKING:
    from vigie.notify.channels import Outgoing

TIMEOUT_S = 15.0
KEPT_BY_SERVICE_S = 12 * 3600
_MOST_BODY = 1000


async def send(settings: Settings, out: "Outgoing") -> str:
    """Hand a push message to each of someone's browsers; one that takes it is enough.

    Browsers that are gone are noted in `out.gone`, to be forgotten.
    """
    if not settings.push_contact:
        raise Refused("push_not_configured", "set VIGIE_PUSH_CONTACT")
    said: list[str] = []
    taken = ""
    async with httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client:
        for subscription in out.subscriptions:
            if not allowed_service(settings, subscription["endpoint"]):
                said.append("a push service that is not allowed")
                continue
            try:
                answer = await client.send(compose(settings, out, subscription))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                said.append(type(error).__name__)
                continue
            if answer.is_success:
                taken = taken or answer.headers.get("location", "") or "taken"
            elif answer.status_code in (404, 410):
                out.gone.append(subscription["id"])
            else:
                said.append(str(answer.status_code))
    if taken:
        return taken
    if len(out.gone) == len(out.subscriptions):
        raise Refused("push_gone", "no browser of theirs takes push messages any more")
    raise NotSent("push_deferred", ", ".join(said))


def compose(settings: Settings, out: "Outgoing", subscription: dict[str, Any]) -> httpx.Request:
    """The request. One topic a message: a service that still holds it replaces it."""
    content = {
        "id": str(out.id),
        "title": out.subject,
        "body": out.body[:_MOST_BODY],
        "url": out.link,
        "urgent": out.urgent,
    }
    endpoint = urlsplit(subscription["endpoint"])
    claims = {
        "aud": f"{endpoint.scheme}://{endpoint.netloc}",
        "exp": int(time.time()) + 3600,
        "sub": settings.push_contact,
    }
    signed = _vapid(settings).sign(claims)
    encrypted = http_ece.encrypt(
        json.dumps(content, ensure_ascii=False).encode(),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decoded(subscription["p256dh"]),
        auth_secret=_decoded(subscription["auth"]),
        version="aes128gcm",
    )
    return httpx.Request(
        "POST",
        subscription["endpoint"],
        headers={
            **signed,
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(KEPT_BY_SERVICE_S),
            "Topic": base64.urlsafe_b64encode(out.id.bytes).decode().rstrip("="),
            "Urgency": "high" if out.urgent else "normal",
        },
        content=encrypted,
    )


def public_key(settings: Settings) -> str:
    """The key that browsers subscribe with: base64url of the uncompressed point."""
    raw = _vapid(settings).public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _vapid(settings: Settings) -> Any:
    path = settings.root / "secrets" / "vapid.pem"
    if not path.exists():
        _create(path)
    return Vapid02.from_pem(path.read_bytes())


def _create(path: Path) -> None:
    """Two processes that come first at once end with one key: a link to a name in use fails."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    own = path.with_name(f"{path.name}.{os.getpid()}")
    write_secret(own, pem)
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    finally:
        own.unlink(missing_ok=True)


def _decoded(value: str) -> bytes:
    return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
