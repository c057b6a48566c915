"""Its declaration, all that Vigie needs."""

from vigie.core.permissions import Permission
from vigie.core.rooms import Room

ROOM = Room(
    name="trial",
    package="vigie_trial",
    floor="trade",
    schemas=("trial",),
    migrations=True,
    permissions=(
        Permission("trial.read", "See found bicycles.", ("administrator", "operator")),
        Permission("trial.write", "Enter found bicycles.", ("administrator", "operator")),
    ),
    kinds="vigie_trial.kinds:KINDS",
    routes="vigie_trial.bikes:ROUTES",
    topics="vigie_trial.bikes:TOPICS",
    verbs="vigie_trial.bikes:VERBS",
    objects="vigie_trial.bikes:OBJECTS",
    jobs="vigie_trial.bikes:JOBS",
    needs=("logbook",),
    optional=True,
)
