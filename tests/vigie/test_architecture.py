"""The map in docs/rooms.md shows every room there is, in the order of their floors."""

from pathlib import Path

from vigie.app import every_room

TEXT = (Path(__file__).parents[2] / "docs" / "rooms.md").read_text(encoding="utf-8")


def drawn() -> list[str]:
    """The first word of each line of the map."""
    block = TEXT.split("```", 2)[1]
    return [line.split()[0] for line in block.splitlines() if line.strip()]


def test_every_room_is_on_the_map():
    names = {name.replace("/", ".").strip() for name in drawn()}
    missing = [
        room.name
        for room in every_room()
        if not any(
            f"vigie.{name}".startswith(room.module) or f"vigie.core.{name}" == room.module
            for name in names
        )
    ]
    assert not missing, "draw these rooms in docs/rooms.md"


def test_lower_rooms_are_drawn_lower():
    order = [name for name in drawn() if name in {r.name for r in every_room()}]
    assert order.index("control") < order.index("twin") < order.index("places")
    assert order.index("logbook") < order.index("control")
