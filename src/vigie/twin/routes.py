"""The routes of the whole room, its inner rooms included."""

from vigie.twin import api
from vigie.twin.telemetry import api as telemetry

ROUTES = (*api.ROUTES, *telemetry.ROUTES)
