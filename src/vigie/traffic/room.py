"""Bus priority at signals: an engine today; its room grows around it."""

from vigie.core.rooms import Room

ROOM = Room(name="traffic", floor="trade", optional=True)
