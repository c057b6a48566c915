"""Messages, preferences and cascades over HTTP."""

from uuid import UUID

import msgspec

from vigie.core import states
from vigie.core.database import Unit
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING
from vigie.core.verbs import within
from vigie.core.web import ANY_LOGIN, IfMatch, Limit, Page, delete, get, post, put
from vigie.notify import answering, cascades, contacts, service
from vigie.notify.channels import push
from vigie.notify.listing import CASCADES, MESSAGES
from vigie.notify.model import (
    Cascade,
    CascadeDetail,
    Channel,
    Contact,
    ContactInput,
    MessageDetail,
    NewCascade,
    NewSubscription,
    Outcome,
    OwnMessage,
    OwnPreferences,
    Preferences,
    Send,
    Sent,
    Started,
    TemplateShown,
)


class Added(msgspec.Struct, frozen=True):
    """What was added."""

    id: UUID


@get("/notify/preferences", permission=ANY_LOGIN)
async def read_preferences(unit: Unit, runtime: Runtime) -> OwnPreferences:
    """How you are reached: addresses, hours of quiet, a channel for each kind of message."""
    contact = await _mine(unit)
    preferences, subscriptions = await contacts.read_preferences(unit, contact)
    settings = runtime.settings
    set_up: dict[Channel, str] = {
        "mail": settings.smtp_url, "sms": settings.sms_url, "push": settings.push_contact,
        "app": "always", "hand": "always",
    }  # fmt: skip
    channels: list[Channel] = [channel for channel, by in set_up.items() if by]
    key = push.public_key(settings) if settings.push_contact else ""
    return OwnPreferences(preferences, subscriptions, key, channels)


@put("/notify/preferences", permission=ANY_LOGIN)
async def set_preferences(unit: Unit, data: Preferences) -> Preferences:
    """Replace how you are reached."""
    contact = await _mine(unit)
    await contacts.set_preferences(unit, contact, data)
    return (await contacts.read_preferences(unit, contact))[0]


@post("/notify/subscriptions", permission=ANY_LOGIN, status=201)
async def add_subscription(unit: Unit, runtime: Runtime, data: NewSubscription) -> Added:
    """Have push messages sent to this browser."""
    contact = await _mine(unit)
    return Added(await contacts.subscribe(unit, runtime.settings, contact, data))


@delete("/notify/subscriptions/{subscription_id:uuid}", permission=ANY_LOGIN)
async def delete_subscription(unit: Unit, subscription_id: UUID) -> None:
    """Send no more push messages to a browser of yours."""
    await contacts.unsubscribe(unit, await _mine(unit), subscription_id)


@get("/notify/mine", permission=ANY_LOGIN)
async def list_own_messages(unit: Unit) -> list[OwnMessage]:
    """The newest 100 messages to you, by whatever channel."""
    contact = await _mine(unit)
    async with within(unit, EVERYTHING):
        return await service.own_messages(unit, contact)


@post("/notify/mine/{message_id:uuid}/read", permission=ANY_LOGIN, status=204)
async def read_own_message(unit: Unit, message_id: UUID) -> None:
    """You have read a message."""
    contact = await _mine(unit)
    async with within(unit, EVERYTHING):
        await service.mark_read(unit, contact, message_id)


@get("/notify/templates", permission="notify.send")
async def list_templates(unit: Unit) -> list[TemplateShown]:
    """The kinds of message, and what each needs."""
    return [
        TemplateShown(template.name, template.urgent, msgspec.json.schema(template.params))
        for template in unit.house.part("templates").values()
    ]


@get("/notify/messages/{message_id:uuid}", permission="notify.read")
async def read_message(unit: Unit, message_id: UUID) -> MessageDetail:
    """One message with its words. That you read them is recorded."""
    return await service.read_message(unit, message_id)


@post("/notify/messages", permission="notify.send", status=201)
async def send_messages(unit: Unit, data: Send) -> Sent:
    """Send a message to people."""
    return await service.send(unit, data)


@post("/notify/messages/{message_id:uuid}/cancel", permission="notify.send", status=204)
async def cancel_message(unit: Unit, message_id: UUID, if_match: IfMatch = None) -> None:
    """Take back a message that waits."""
    await service.cancel(unit, message_id, states.version(if_match))


@post("/notify/messages/{message_id:uuid}/outcome", permission="notify.send", status=204)
async def write_outcome(
    unit: Unit, message_id: UUID, data: Outcome, if_match: IfMatch = None
) -> None:
    """What a call by hand came to."""
    await service.outcome(unit, message_id, data, states.version(if_match))


@get("/notify/contacts", permission="notify.contacts")
async def list_contacts(unit: Unit, cursor: str | None = None, limit: Limit = 100) -> Page[Contact]:
    """Whom messages may go to, newest first. That you read it is recorded."""
    return await contacts.list_contacts(unit, cursor, limit)


@post("/notify/contacts", permission="notify.contacts", status=201)
async def create_contact(unit: Unit, data: ContactInput) -> Contact:
    """Someone without an account."""
    return await contacts.create(unit, data)


@put("/notify/contacts/{contact_id:uuid}", permission="notify.contacts")
async def update_contact(
    unit: Unit, contact_id: UUID, data: ContactInput, if_match: IfMatch = None
) -> Contact:
    """Replace the addresses of someone without an account."""
    return await contacts.update(unit, contact_id, data, states.version(if_match))


@delete("/notify/contacts/{contact_id:uuid}", permission="notify.contacts")
async def delete_contact(unit: Unit, contact_id: UUID) -> None:
    """Forget someone without an account, with the messages to them."""
    async with within(unit, EVERYTHING):
        await contacts.delete(unit, contact_id)


@post("/notify/cascades", permission="notify.send", status=201)
async def start_cascade(unit: Unit, data: NewCascade) -> Started:
    """Call people one after another until someone answers."""
    return await cascades.start(unit, data)


@get("/notify/cascades/{cascade_id:uuid}", permission="notify.read")
async def read_cascade(unit: Unit, cascade_id: UUID) -> CascadeDetail:
    """One cascade, its steps and its messages."""
    return await cascades.read_cascade(unit, cascade_id)


@post("/notify/cascades/{cascade_id:uuid}/acknowledge", permission="notify.acknowledge")
async def acknowledge_cascade(unit: Unit, cascade_id: UUID) -> Cascade:
    """You answer: nobody else is called."""
    return await cascades.acknowledge(unit, cascade_id, await _mine(unit))


@post("/notify/cascades/{cascade_id:uuid}/cancel", permission="notify.send")
async def cancel_cascade(unit: Unit, cascade_id: UUID, if_match: IfMatch = None) -> Cascade:
    """Call nobody else."""
    return await cascades.cancel(unit, cascade_id, states.version(if_match))


async def _mine(unit: Unit) -> UUID:
    return await contacts.of_account(unit, contacts.person(unit.principal))


ROUTES = [
    read_preferences,
    set_preferences,
    add_subscription,
    delete_subscription,
    list_own_messages,
    read_own_message,
    list_templates,
    *MESSAGES.routes("/notify/messages", permission="notify.read"),
    read_message,
    send_messages,
    cancel_message,
    write_outcome,
    list_contacts,
    create_contact,
    update_contact,
    delete_contact,
    *CASCADES.routes("/notify/cascades", permission="notify.read"),
    start_cascade,
    read_cascade,
    acknowledge_cascade,
    cancel_cascade,
    *answering.ROUTES,
]
