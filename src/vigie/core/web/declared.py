"""The routes of the ground floor."""

from vigie.core.jobs import api as jobs
from vigie.core.web import objects, system, views

ROUTES = (*system.ROUTES, *objects.ROUTES, *views.ROUTES, *jobs.ROUTES)
