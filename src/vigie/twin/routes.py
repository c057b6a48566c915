"""The routes of the whole room, its inner rooms included."""

from vigie.twin import api
from vigie.twin.events import api as events
from vigie.twin.telemetry import api as telemetry
from vigie.twin.track import api as track

ROUTES = (*api.ROUTES, *telemetry.ROUTES, *track.ROUTES, *events.ROUTES)
