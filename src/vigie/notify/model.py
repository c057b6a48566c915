"""People who can be reached, messages to them and call cascades, as verbs and API take them."""

from datetime import datetime, time
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Meta

from vigie.core.database import Unit

Channel = Literal["mail", "sms", "push", "app", "hand"]
Language = Literal["fr", "en"]
Mail = Annotated[str, Meta(max_length=254, pattern=r"^[^\s@<>\",;]+@[^\s@<>\",;]+\.[^\s@<>\",;]+$")]
Phone = Annotated[str, Meta(pattern=r"^\+[1-9][0-9]{6,14}$", description="As +33612345678.")]
Name = Annotated[str, Meta(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]*$")]
Kind = Annotated[str, Meta(pattern=r"^(\*|[a-z_]+\.[a-z_]+)$", max_length=80)]
Place = Annotated[str, Meta(max_length=20, pattern=r"^[0-9A-Za-z_-]*$")]
Trade = Annotated[str, Meta(max_length=40, pattern=r"^[a-z_]*$")]
Key = Annotated[str, Meta(min_length=1, max_length=120)]


class To(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who gets a message: one of `account`, `contact`, `mail` or `phone`."""

    account: UUID | None = None
    contact: UUID | None = None
    mail: Mail | None = None
    phone: Phone | None = None
    name: Annotated[str, Meta(max_length=120)] = ""
    language: Language = "fr"


class Send(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to some people. Whoever is granted its municipality and trade sees it in lists;
    sent again with the same `key`, it is the same message."""

    to: Annotated[list[To], Meta(min_length=1, max_length=200)]
    template: Kind
    params: dict[str, Any] = {}
    channel: Channel | None = None
    urgent: bool | None = None
    municipality: Place = ""
    trade: Trade = ""
    key: Key | None = None


class Sent(msgspec.Struct, frozen=True):
    """The messages, in the order of those who get them."""

    messages: list[UUID]


class CallStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whom to call, and how long to wait for an answer: an account, a contact, or whoever is on
    duty in a role."""

    account: UUID | None = None
    contact: UUID | None = None
    role: Annotated[str, Meta(max_length=80)] = ""
    channel: Channel | None = None
    wait_s: Annotated[int, Meta(ge=5, le=86_400)] = 300


class NewCascade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Call one after another until someone answers."""

    template: Kind
    steps: Annotated[list[CallStep], Meta(min_length=1, max_length=20)]
    params: dict[str, Any] = {}
    municipality: Place = ""
    trade: Trade = ""
    key: Key | None = None


class Started(msgspec.Struct, frozen=True):
    """The cascade."""

    id: UUID


class OnCall(msgspec.Struct, frozen=True):
    """Someone on duty: by account or by contact, else by name and number."""

    account: UUID | None = None
    contact: UUID | None = None
    name: str = ""
    phone: str = ""


class WhoIsOnCall(Protocol):
    """Who answers for a role now: the duty room's verb `duty.on_call`."""

    async def __call__(self, unit: Unit, role: str) -> list[OnCall]: ...


class Message(msgspec.Struct, frozen=True):
    """A message in lists: who and how, never where to or what."""

    id: UUID
    template: str
    name: str
    channel: Channel
    state: str
    urgent: bool
    municipality: str
    trade: str
    due: datetime
    created: datetime
    sent: datetime | None
    delivered: datetime | None
    error_code: str
    maybe_twice: bool
    cascade: UUID | None
    version: int


class MessageDetail(msgspec.Struct, frozen=True):
    """One message with its words; reading it is an act in the journal."""

    message: Message
    subject: str
    body: str
    provider_id: str
    error: str
    possible: list[str]


class OwnMessage(msgspec.Struct, frozen=True):
    """A message to oneself, as the console shows it."""

    id: UUID
    template: str
    subject: str
    body: str
    channel: Channel
    created: datetime
    read: datetime | None
    cascade: UUID | None


class Subscription(msgspec.Struct, frozen=True):
    """A browser that gets push messages."""

    id: UUID
    service: str
    created: datetime


class NewSubscription(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `PushManager.subscribe()` gave."""

    endpoint: Annotated[str, Meta(max_length=1000, pattern=r"^https?://")]
    p256dh: Annotated[str, Meta(max_length=120, pattern=r"^[A-Za-z0-9_=-]+$")]
    auth: Annotated[str, Meta(max_length=40, pattern=r"^[A-Za-z0-9_=-]+$")]


class Preferences(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How to reach oneself: addresses, language, hours of quiet, a channel for each kind of
    message (`*` for all others)."""

    language: Language = "fr"
    mail: Mail | None = None
    phone: Phone | None = None
    quiet_from: time | None = None
    quiet_to: time | None = None
    channels: Annotated[dict[Kind, Channel], Meta(max_length=100)] = {}


class OwnPreferences(msgspec.Struct, frozen=True):
    """One's own preferences, browsers, and the key that a browser subscribes with."""

    preferences: Preferences
    subscriptions: list[Subscription]
    vapid_key: str
    channels: list[Channel]


class Contact(msgspec.Struct, frozen=True):
    """Someone who can be reached."""

    id: UUID
    account: UUID | None
    name: str
    language: Language
    mail: str | None
    phone: str | None
    version: int


class ContactInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Someone to be reached who has no account."""

    name: Name
    language: Language = "fr"
    mail: Mail | None = None
    phone: Phone | None = None


class Outcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a call by hand came to."""

    reached: bool


class Step(msgspec.Struct, frozen=True):
    """A step of a cascade and what it came to: waiting, called, nobody."""

    ordinal: int
    account: UUID | None
    contact: UUID | None
    role: str
    channel: Channel | None
    wait_s: int
    outcome: str
    reached: int
    at: datetime | None


class Cascade(msgspec.Struct, frozen=True):
    """A cascade in lists."""

    id: UUID
    template: str
    state: str
    current: int
    municipality: str
    trade: str
    created: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended: datetime | None
    version: int


class CascadeDetail(msgspec.Struct, frozen=True):
    """A cascade with its steps and messages."""

    cascade: Cascade
    steps: list[Step]
    messages: list[Message]
    possible: list[str]


class TemplateShown(msgspec.Struct, frozen=True):
    """A kind of message, with the JSON Schema of its parameters."""

    name: str
    urgent: bool
    params: dict[str, Any]
