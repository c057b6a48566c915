"""The room of people: accounts, sessions, tokens, roles."""

from vigie.core.access.permissions import PERMISSIONS
from vigie.core.rooms import PROCESSES, Personal, Room

ROOM = Room(
    name="access",
    package="vigie.core.access",
    floor="core",
    schemas=("access",),
    permissions=PERMISSIONS,
    routes="vigie.core.access.api:ROUTES",
    # Citizens have no roles, and their process may not read them.
    services={
        process: "vigie.core.access.roles:services" for process in PROCESSES if process != "public"
    },
    personal=(
        Personal(
            what="Names, user names, languages and log-ins of those who work with the centre.",
            purpose="To know who acts, and to let in nobody else.",
            basis="Public task; security of processing.",
            retention="As long as the account exists; log-ins with the journal.",
            recipients="Administrators of the installation.",
        ),
        Personal(
            what="Public keys of passkeys with the names their owners gave them; subjects at login"
            " services; addresses and browsers of live sessions.",
            purpose="To let in who proves who they are.",
            basis="Public task; security of processing.",
            retention="As long as the account exists; sessions until they end.",
            recipients="Their owner; subjects also administrators of the installation.",
        ),
    ),
)
