"""The fibre network: switches and links."""

from vigie.core.rooms import Room

ROOM = Room(
    name="network",
    floor="trade",
    kinds="vigie.network.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
