"""Video supervision: cameras."""

from vigie.core.rooms import Room

ROOM = Room(
    name="video",
    floor="trade",
    kinds="vigie.video.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
