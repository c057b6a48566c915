"""The routes of the ground floor."""

from vigie.core.web import objects, search, system

ROUTES = (*system.ROUTES, *objects.ROUTES, *search.ROUTES)
