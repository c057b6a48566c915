"""The journal's room. Its tables' rights are narrowed by its own migration, not by the list."""

from vigie.core.journal.permissions import PERMISSIONS
from vigie.core.rooms import Personal, Room

ROOM = Room(
    name="journal",
    package="vigie.core.journal",
    floor="core",
    migrations=True,
    permissions=PERMISSIONS,
    routes="vigie.core.journal.api:ROUTES",
    personal=(
        Personal(
            what="Who acted, and what free text they gave as a reason.",
            purpose="To account for every act on the city's equipment.",
            basis="Public task; legal obligation to account.",
            retention="Until the month is retired; earlier when erased.",
            recipients="Administrators, auditors, operators within their scope.",
            erase="vigie.core.journal:erase_personal",
        ),
    ),
)
