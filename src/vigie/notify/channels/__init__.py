"""How a message reaches a provider: one file a channel, all with the same two ways to fail."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from vigie.core.runtime import Runtime
from vigie.notify.channels.failures import NotSent, Refused, Uncertain

__all__ = ["NotSent", "Outgoing", "Refused", "Uncertain", "send"]


@dataclass
class Outgoing:
    """A message on its way out; `link` answers a call; `gone` fills with dead subscriptions."""

    id: UUID
    channel: str
    to: str
    name: str
    language: str
    subject: str
    body: str
    short: str
    urgent: bool = False
    link: str = ""
    subscriptions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    gone: list[UUID] = field(default_factory=list[UUID])


async def send(runtime: Runtime, out: Outgoing) -> str:
    """Hand a message to its provider; the provider's id.

    Raises Refused when it never will take it, NotSent when it certainly did not take it now, and
    anything else when nobody knows.
    """
    from vigie.notify.channels import push, sms, smtp

    sender = {"mail": smtp.send, "sms": sms.send, "push": push.send}[out.channel]
    return await sender(runtime.settings, out)
