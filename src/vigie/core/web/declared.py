"""The routes of the ground floor."""

from vigie.core.jobs import api as jobs
from vigie.core.web import objects, search, system, views

ROUTES = (*system.ROUTES, *objects.ROUTES, *views.ROUTES, *search.ROUTES, *jobs.ROUTES)
