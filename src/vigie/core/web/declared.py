"""The routes and topics of the ground floor."""

from vigie.core.desk import api as desk
from vigie.core.jobs import api as jobs
from vigie.core.web import objects, search, system, views

TOPICS = (*system.TOPICS, *desk.TOPICS)
ROUTES = (
    *system.ROUTES,
    *objects.ROUTES,
    *views.ROUTES,
    *search.ROUTES,
    *jobs.ROUTES,
    *desk.ROUTES,
)
