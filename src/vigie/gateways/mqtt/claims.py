"""The words of the NATS auth callout: signed JSON (NATS JWT v2, ed25519).

The broker asks with an authorization request; the answer carries a user's claims, which say what
one connection may do, or an error. Pure, and short enough to need no library.
"""

import base64
import time
from collections.abc import Sequence
from typing import Any, cast

import msgspec
import nkeys
from nacl.signing import SigningKey

_HEADER = base64.urlsafe_b64encode(b'{"typ":"JWT","alg":"ed25519-nkey"}').rstrip(b"=")


class ConnectOptions(msgspec.Struct, frozen=True):
    """What the connection claims."""

    user: str = ""
    password: str = msgspec.field(default="", name="pass")


class ClientInfo(msgspec.Struct, frozen=True):
    """What the broker knows of the connection."""

    host: str = ""
    id: int = 0
    type: str = ""
    mqtt_id: str = ""
    client_id: str = ""

    @property
    def name(self) -> str:
        """The MQTT client id, under the name this server's version gives it."""
        return self.mqtt_id or self.client_id


class ServerId(msgspec.Struct, frozen=True):
    """Which server asks."""

    id: str = ""
    name: str = ""


class Request(msgspec.Struct, frozen=True):
    """A login the broker asks about."""

    user_nkey: str
    server_id: ServerId
    client_info: ClientInfo = ClientInfo()
    connect_opts: ConnectOptions = ConnectOptions()


class _Envelope(msgspec.Struct, frozen=True):
    nats: Request
    iat: int = 0


_DECODER = msgspec.json.Decoder(_Envelope)


class Signer:
    """The account key that signs what a connection may do."""

    def __init__(self, seed: bytes) -> None:
        self.public = bytes(cast(Any, nkeys.from_seed(bytearray(seed)).public_key)).decode()
        _, raw = nkeys.decode_seed(seed)
        self._key = SigningKey(bytes(raw))

    def allow(
        self,
        request: Request,
        *,
        account: str,
        name: str,
        publish: Sequence[str],
        subscribe: Sequence[str],
    ) -> bytes:
        """The answer that lets the connection in, as an MQTT client, for these subjects alone."""
        user = self._sign(
            {
                "iss": self.public,
                "sub": request.user_nkey,
                "aud": account,
                "name": name,
                "iat": int(time.time()),
                "jti": request.user_nkey,
                "nats": {
                    "type": "user",
                    "version": 2,
                    "pub": {"allow": publish},
                    # A subscription at QoS 1 would make a reader of the stream for each client,
                    # whose removal makes the broker walk through all that waits there.
                    "sub": {"allow": subscribe, "deny": ["$MQTT.sub.>"]},
                    "subs": -1,
                    "data": -1,
                    "payload": -1,
                    "allowed_connection_types": ["MQTT"],
                },
            }
        )
        return self._answer(request, {"jwt": user.decode()})

    def deny(self, request: Request, reason: str) -> bytes:
        """The answer that keeps it out; the reason is for the broker's log."""
        return self._answer(request, {"error": reason})

    def _answer(self, request: Request, verdict: dict[str, Any]) -> bytes:
        return self._sign(
            {
                "iss": self.public,
                "sub": request.user_nkey,
                "aud": request.server_id.id,
                "iat": int(time.time()),
                "jti": request.user_nkey,
                "nats": {"type": "authorization_response", "version": 2, **verdict},
            }
        )

    def _sign(self, claims: dict[str, Any]) -> bytes:
        body = base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=")
        signed = _HEADER + b"." + body
        signature = self._key.sign(signed).signature
        return signed + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")


def decode_request(payload: bytes) -> tuple[Request, int]:
    """The question and when it was asked (seconds since 1970).

    It comes on a subject only the server and the platform may publish to, so its signature is not
    checked. Raises msgspec.MsgspecError or ValueError when it is no authorization request.
    """
    body = payload.split(b".")[1]
    envelope = _DECODER.decode(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    return envelope.nats, envelope.iat
