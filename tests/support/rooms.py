"""Every room there is, as the app sees them; and which room a thing belongs to."""

from vigie.app import every_room

ROUTES = every_room().collect("routes")
PUBLIC_ROUTES = every_room().collect("public")
PERMISSIONS = every_room().permissions
ROLES = every_room().roles


def room_of(module: str) -> str:
    """The room that a module is in, by its name: the nearest package above it that is a room's."""
    inside = [r for r in every_room() if module == r.module or module.startswith(r.module + ".")]
    return max(inside, key=lambda room: len(room.module)).name


def every_interlock() -> set[str]:
    """The names of the interlocks that rooms declare."""
    return {interlock.name for interlock in every_room().collect("interlocks")}
