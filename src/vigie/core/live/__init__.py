"""Live: one WebSocket a browser, and the topics that rooms show on it.

A topic of columns is a large set of like things (the city's lights) whose numbers change all the
time. A topic of rows is everything else: the *open* rows of a list (commands under way, alarms not
over), mirrored in the api process and sent as a snapshot and the changes since. A verb that changed
such a row says so in its own transaction:

    await live.touched(unit, "logbook.entries", entry.id, "21231/lighting")

Rooms declare their topics in TOPICS. Never: what a row means, or who may change it.
"""

from vigie.core.live.topics import ColumnSource, ColumnTopic, MemoryTopic, Row, RowTopic
from vigie.core.live.touch import Touched, touched, touched_all

__all__ = [
    "ColumnSource",
    "ColumnTopic",
    "MemoryTopic",
    "Row",
    "RowTopic",
    "Touched",
    "touched",
    "touched_all",
]
