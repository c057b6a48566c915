"""Who is on duty, for what, until when."""

from vigie.core.rooms import Personal, Room
from vigie.duty.permissions import PERMISSIONS

ROOM = Room(
    name="duty",
    floor="base",
    schemas=("duty",),
    migrations=True,
    permissions=PERMISSIONS,
    routes="vigie.duty.api:ROUTES",
    verbs="vigie.duty.declared:VERBS",
    objects="vigie.duty.declared:OBJECTS",
    personal=(
        Personal(
            what="Who belongs to which team, when they are on call and when they cannot be; of"
            " people without an account their name and telephone number; notes of hand-overs.",
            purpose="To reach whoever is on call, and to know afterwards who was.",
            basis="Public task; contract of employment.",
            retention="As long as the team exists; names and numbers until they leave it.",
            recipients="Those who see the duty of their municipality and trade.",
            export="vigie.duty.personal:export",
            erase="vigie.duty.personal:erase",
        ),
    ),
)
