"""The files in openapi/ are what the code says: one a room, so that rooms grow side by side; those
in openapi/public are of what everyone may ask.

`VIGIE_GOLDEN=write pytest tests/conformance/test_openapi_file.py` writes them; `npm run generate`
in web puts them together and writes the screens' types.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

from nats.aio.client import Client

from tests.support.rooms import PERMISSIONS, PUBLIC_ROUTES, ROLES, ROUTES, room_of
from vigie.app import every_room
from vigie.core.bus import Bus
from vigie.core.database import Database
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.core.web import build_app
from vigie.core.web.openapi import describe
from vigie.core.web.public import build_public_app

FOLDER = Path(__file__).parents[2] / "openapi"
REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')


def document(public: bool = False) -> tuple[dict[str, Any], dict[str, str]]:
    """The description, without any engine (nothing connects before the first request), and the
    room of each path."""
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    runtime = Runtime(Settings(), "api", nowhere, Bus(Client()))
    app = (
        build_public_app(runtime, PUBLIC_ROUTES)
        if public
        else build_app(runtime, ROUTES, PERMISSIONS, ROLES)
    )
    rooms = {
        handler.operation_id: room_of(handler.fn.__module__)
        for route in app.routes
        for handler in getattr(route, "route_handlers", [])
        if handler.fn.__module__.startswith("vigie.")
    }
    described = describe(app, app.state.catalogue)
    return described, {
        path: rooms[operation["operationId"]]
        for path, item in described["paths"].items()
        for operation in item.values()
        if isinstance(operation, dict) and operation.get("operationId") in rooms
    }


def fragments(public: bool = False) -> dict[str, dict[str, Any]]:
    """The document in parts: what all have in common, and a part a room with its paths and the
    schemas that no room before it has."""
    whole, room_of_path = document(public)
    schemas = whole["components"].pop("schemas")
    paths = whole.pop("paths")
    left = dict(schemas)

    def take(text: str) -> dict[str, Any]:
        taken: dict[str, Any] = {}
        waiting = sorted(set(REFERENCE.findall(text)))
        while waiting:
            name = waiting.pop()
            if name in left:
                taken[name] = left.pop(name)
                waiting += sorted(set(REFERENCE.findall(json.dumps(taken[name]))))
        return dict(sorted(taken.items()))

    whole["components"]["schemas"] = take(json.dumps(whole))
    parts = {"_common": whole}
    for room in every_room():
        own = {p: i for p, i in sorted(paths.items()) if room_of_path.get(p) == room.name}
        if own:
            parts[room.name] = {"paths": own, "components": {"schemas": take(json.dumps(own))}}
    assert sum(len(p.get("paths", ())) for p in parts.values()) == len(paths)
    parts["_common"]["components"]["schemas"].update(sorted(left.items()))
    return parts


def test_structs_of_two_rooms_have_two_names():
    """Of two structs of one name, both would be renamed in the API: a new room changes no other."""
    described, _ = document()
    schemas = described["components"]["schemas"]
    # One that keeps its name is called as its struct; of two, both are called by their modules.
    twice = sorted(n for n, s in schemas.items() if n.endswith("_" + s.get("title", "-")))
    assert not twice, "give the newer of these structs a name of its own"


def test_the_files_are_what_the_code_says():
    found = {
        f"{folder}{name}.json": json.dumps(part, indent=1, ensure_ascii=False) + "\n"
        for folder, public in (("", False), ("public/", True))
        for name, part in fragments(public).items()
    }
    if os.environ.get("VIGIE_GOLDEN") == "write":
        (FOLDER / "public").mkdir(parents=True, exist_ok=True)
        for file in FOLDER.rglob("*.json"):
            if str(file.relative_to(FOLDER)) not in found:
                file.unlink()
        for name, text in found.items():
            (FOLDER / name).write_text(text, encoding="utf-8")
    stored = {
        str(file.relative_to(FOLDER)): file.read_text(encoding="utf-8")
        for file in FOLDER.rglob("*.json")
    }
    changed = sorted(n for n in found.keys() | stored.keys() if found.get(n) != stored.get(n))
    assert not changed, (
        f"the API has changed ({', '.join(changed)}): if that is meant, run VIGIE_GOLDEN=write "
        "pytest tests/conformance/test_openapi_file.py, and npm run generate in web"
    )
