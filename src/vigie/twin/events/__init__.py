"""Events of equipment: what happened at an instant, as its kind declares it.

Responsible for twin.event, twin.event_personal, twin.event_refused. Never: decide what an event
asks for (supervision's).
"""

from vigie.twin.events.model import AssetEvent, Event, Happened, RefusedEvent, StoredEvents
from vigie.twin.events.read import EVENTS, TOPICS, erase, events_of, read_personal
from vigie.twin.events.store import TOPIC, WAKE, receive, store
from vigie.twin.events.sweep import services

__all__ = [
    "EVENTS",
    "TOPIC",
    "TOPICS",
    "WAKE",
    "AssetEvent",
    "Event",
    "Happened",
    "RefusedEvent",
    "StoredEvents",
    "erase",
    "events_of",
    "read_personal",
    "receive",
    "services",
    "store",
]
