"""Messages to people: mail, SMS, web push, in the console, by hand; and call cascades."""

from vigie.core.permissions import Permission
from vigie.core.rooms import Personal, Room

ROOM = Room(
    name="notify",
    floor="base",
    schemas=("notify",),
    migrations=True,
    permissions=(
        Permission("notify.read", "See messages and call cascades.", ("administrator", "operator")),
        Permission(
            "notify.send",
            "Send messages, start and stop call cascades.",
            ("administrator", "operator"),
        ),
        Permission("notify.acknowledge", "Answer a call cascade.", ("administrator", "operator")),
        Permission(
            "notify.contacts", "See and change whom messages may go to.", ("administrator",)
        ),
    ),
    routes="vigie.notify.api:ROUTES",
    jobs="vigie.notify.declared:JOBS",
    verbs="vigie.notify.declared:VERBS",
    objects="vigie.notify.declared:OBJECTS",
    templates="vigie.notify.declared:TEMPLATES",
    personal=(
        Personal(
            what="Mail addresses, telephone numbers, browsers for push messages, preferences and"
            " hours of quiet of those whom the centre writes to; the messages to them.",
            purpose="To reach people who work with the centre, or who asked it something.",
            basis="Public task; a citizen's request.",
            retention="As long as the account exists; messages, and addresses given for one"
            " message only, 180 days.",
            recipients="Administrators; the providers of mail, SMS and push messages.",
            export="vigie.notify.personal:export",
            erase="vigie.notify.personal:erase",
        ),
    ),
)
