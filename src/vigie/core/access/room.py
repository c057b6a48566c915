"""The room of people: accounts, sessions, tokens, roles."""

from vigie.core.access.permissions import PERMISSIONS
from vigie.core.rooms import Personal, Room

ROOM = Room(
    name="access",
    package="vigie.core.access",
    floor="core",
    schemas=("access",),
    permissions=PERMISSIONS,
    routes="vigie.core.access.api:ROUTES",
    personal=(
        Personal(
            what="Names, user names, languages and log-ins of those who work with the centre.",
            purpose="To know who acts, and to let in nobody else.",
            basis="Public task; security of processing.",
            retention="As long as the account exists; log-ins with the journal.",
            recipients="Administrators of the installation.",
        ),
    ),
)
