"""What the room shows live: the columns of equipment, and the newest events."""

from vigie.twin.events import TOPICS as EVENTS
from vigie.twin.live.service import TOPICS as LIVE

TOPICS = (*LIVE, *EVENTS)
