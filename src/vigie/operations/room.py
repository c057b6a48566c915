"""Operations: the vehicles and radios of those who are on duty."""

from vigie.core.rooms import Room

ROOM = Room(
    name="operations",
    floor="operations",
    kinds="vigie.operations.kinds:KINDS",
    needs=("twin",),
    optional=True,
)
