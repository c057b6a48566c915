"""The auth callout: every MQTT login is decided here.

The broker asks on `$SYS.REQ.USER.AUTH` and waits; several gateways processes share the questions.
While none answers, logins are refused and devices try again; who is connected goes on.
"""

import contextlib
import hashlib
import hmac
import time
from collections.abc import Callable

import msgspec
import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from vigie.core.engines import ACCOUNT, issuer_seed
from vigie.core.logs import logger
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.gateways.clients import Book, Refusals, matches
from vigie.gateways.mqtt.admission import Admission
from vigie.gateways.mqtt.claims import Request, Signer, decode_request
from vigie.gateways.mqtt.provision import PROTOCOL
from vigie.gateways.mqtt.rules import CANARY, Denial, canary_permissions, permissions

log = logger(__name__)
SUBJECT = "$SYS.REQ.USER.AUTH"
_STALE_S = 9


class Callout:
    """Answers the broker's questions about logins."""

    def __init__(
        self,
        runtime: Runtime,
        book: Book,
        admission: Admission,
        refusals: Refusals,
        holds: Callable[[str], bool],
    ) -> None:
        self._runtime = runtime
        self._book = book
        self._admission = admission
        self._refusals = refusals
        self._holds = holds
        self._signer = Signer(issuer_seed(runtime.settings.root / "secrets"))
        self.allowed = 0
        self.denied = 0
        self._subscription: Subscription | None = None

    async def listen(self) -> None:
        """Take questions from now on."""
        self._subscription = await self._runtime.bus.subscribe(
            SUBJECT, self._hear, queue="gateways"
        )
        await self._runtime.bus.client.flush()

    async def close(self) -> None:
        """Take no more questions."""
        if self._subscription:
            with contextlib.suppress(nats.errors.Error, OSError):
                await self._subscription.unsubscribe()
            self._subscription = None

    async def _hear(self, message: Msg) -> None:
        try:
            request, asked = decode_request(message.data)
        except (msgspec.MsgspecError, ValueError, IndexError):
            log.warning("auth_request_unreadable")
            return
        if time.time() - asked > _STALE_S:
            # The broker gave up on it; the device asks again.
            return
        await message.respond(self.answer(request))

    def answer(self, request: Request) -> bytes:
        """The signed verdict on one login."""
        verdict = self.judge(request)
        user = request.connect_opts.user
        if verdict is not None:
            self.denied += 1
            source = user if self._book.get(user) else ""
            self._refusals.add(source, verdict, request.client_info.host)
            return self._signer.deny(request, verdict)
        self.allowed += 1
        if user.startswith(CANARY):
            granted = canary_permissions(user)
        else:
            known = self._book.clients[user]
            granted = permissions(known.token, known.shard)
        return self._signer.allow(
            request,
            account=ACCOUNT,
            name=user,
            publish=granted.publish,
            subscribe=granted.subscribe,
        )

    def judge(self, request: Request) -> Denial | None:
        """Why the login is refused, or None when it is granted."""
        options, client = request.connect_opts, request.client_info
        if client.type != "mqtt":
            return "not_mqtt"
        if options.user.startswith(CANARY):
            right = hmac.compare_digest(
                options.password.encode(), self._canary(options.user).encode()
            )
            return None if right and client.name == options.user else "wrong_secret"
        if not self._book.ready:
            return "not_ready"
        known = self._book.get(options.user)
        if known is None:
            return "unknown_client"
        if not matches(known, options.password):
            return "wrong_secret"
        if known.revoked:
            return "revoked"
        if known.protocol != PROTOCOL:
            # Its messages come by another stream: one writer an asset.
            return "other_protocol"
        if client.name != known.token:
            # Another's client id would take over its session.
            return "wrong_client_id"
        if self._holds(known.token):
            return "quota_exceeded"
        if not self._admission.open:
            return "admission_closed"
        return None

    def _canary(self, token: str) -> str:
        return canary_secret(self._runtime.settings, token)


def canary_secret(settings: Settings, token: str) -> str:
    """The canary's password: only who holds the issuer's key can make it."""
    seed = issuer_seed(settings.root / "secrets")
    return hmac.new(seed, b"canary:" + token.encode(), hashlib.sha256).hexdigest()
