"""The routes of the ground floor."""

from vigie.core.jobs import api as jobs
from vigie.core.web import objects, system

ROUTES = (*system.ROUTES, *objects.ROUTES, *jobs.ROUTES)
