"""The routes of the ground floor."""

from vigie.core.web import objects, system

ROUTES = (*system.ROUTES, *objects.ROUTES)
