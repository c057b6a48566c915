"""Checks that imports go down the floors, from the list of rooms: `python scripts/layers.py`.

The layers are written for import-linter from what each room says of itself, so that a new room
needs no line here. Rooms of one floor that stand side by side may not import each other.
"""

import sys
import tempfile
from pathlib import Path

from importlinter.cli import lint_imports

from vigie.app import every_room
from vigie.core.rooms import FLOORS, SIDE_BY_SIDE

ABOVE = ("__main__", "cli", "centre", "city", "commands", "role", "app", "routes", "rooms")


def layers() -> list[str]:
    """From the top down, as import-linter reads them."""
    lines = [f"vigie.{name}" for name in ABOVE]
    for floor in reversed(FLOORS):
        packages = [
            "vigie.core" if floor == "core" else room.module
            for room in every_room()
            if room.floor == floor and room.module.startswith("vigie.")
        ]
        packages = list(dict.fromkeys(packages))
        if floor in SIDE_BY_SIDE:
            lines += [" | ".join(packages)] if packages else []
        else:
            lines += reversed(packages)
    return list(dict.fromkeys(lines))


def of_floor(floor: str) -> list[str]:
    """The rooms of one floor."""
    return [
        room.module
        for room in every_room()
        if room.floor == floor and room.module.startswith("vigie.")
    ]


def above_protocols() -> list[str]:
    """Rooms that may need a protocol's service, and get it from the composition."""
    floors = FLOORS[FLOORS.index("protocol") + 1 :]
    return [name for floor in floors for name in of_floor(floor)]


def configuration() -> str:
    """import-linter's own file."""
    return "\n".join(
        [
            "[importlinter]",
            "root_packages =\n    vigie\n    simcity",
            "include_external_packages = False",
            "[importlinter:contract:floors]",
            "name = Imports go down the floors, never up or sideways",
            "type = layers",
            "layers =",
            *(f"    {line}" for line in layers()),
            "[importlinter:contract:protocols]",
            "name = Only the composition knows a protocol",
            "type = forbidden",
            "source_modules =",
            *(f"    {name}" for name in above_protocols()),
            "forbidden_modules =",
            *(f"    {name}" for name in of_floor("protocol")),
            "[importlinter:contract:simcity-apart]",
            "name = The simulated city and the platform know each other only by public protocols",
            "type = independence",
            "modules =\n    vigie\n    simcity",
        ]
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "layers.ini"
        file.write_text(configuration() + "\n", encoding="utf-8")
        sys.exit(lint_imports(config_filename=str(file), no_cache=True))
