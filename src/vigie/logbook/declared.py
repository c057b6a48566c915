"""What the log shows live, does for others, and is called in links and search."""

from vigie.core.live import RowTopic
from vigie.core.objects import ObjectType
from vigie.core.verbs import Verb
from vigie.logbook import service
from vigie.logbook.model import LogEntry, WriteEntry

TOPICS = (RowTopic(name=service.TOPIC, permission="logbook.read", load=service.live_rows),)
VERBS = (
    Verb(
        "logbook.write",
        WriteEntry,
        LogEntry,
        "logbook.write",
        "Add an entry to the log of the shift.",
        service.write,
    ),
)
OBJECTS = (ObjectType("logbook.entry", "logbook.read", service.titles, "/logbook/{id}"),)
