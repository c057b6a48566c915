"""Photos, documents and PDF: kept once, checked, and seen by whoever sees what they belong to."""

from vigie.core.permissions import Permission
from vigie.core.rooms import Personal, Room

PERMISSIONS = (
    Permission(
        "files.read",
        "See the files of the objects that one may see.",
        ("administrator", "operator", "viewer", "auditor"),
    ),
    Permission("files.upload", "Upload photos and documents.", ("administrator", "operator")),
    Permission(
        "files.attach",
        "Attach files to the objects that one may see, and take them away.",
        ("administrator", "operator"),
    ),
    Permission(
        "files.originals",
        "Open the sealed originals of photos kept as evidence, with place and time.",
        ("administrator",),
    ),
)

ROOM = Room(
    name="files",
    floor="base",
    schemas=("files",),
    migrations=True,
    permissions=PERMISSIONS,
    routes="vigie.files.api:ROUTES",
    verbs="vigie.files.declared:VERBS",
    objects="vigie.files.declared:OBJECTS",
    services={"watch": "vigie.files.sweep:services"},
    personal=(
        Personal(
            what="Photos and documents that people upload, with their names and captions; the "
            "place and time of photos kept as evidence.",
            purpose="To document what happens in the city and what is done about it.",
            basis="Task carried out in the public interest.",
            retention="As long as the object that the file is attached to; a file attached to "
            "nothing for files_loose_hours.",
            recipients="Those who may see the object; originals only those with files.originals.",
            export="vigie.files.personal:export",
            erase="vigie.files.personal:erase",
        ),
    ),
)
