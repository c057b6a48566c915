"""The search box over HTTP."""

from typing import Annotated

from litestar.params import Parameter

from vigie.core import search
from vigie.core.database import Unit
from vigie.core.permissions import ANY_LOGIN
from vigie.core.search import FoundList
from vigie.core.web.routes import get

Text = Annotated[str, Parameter(min_length=1, max_length=200, description="What to look for.")]
Most = Annotated[int, Parameter(ge=1, le=100, description="Answers, at most.")]


@get("/search", permission=ANY_LOGIN)
async def find(unit: Unit, q: Text, limit: Most = 10) -> FoundList:
    """Everything that your roles let you see, as people type it: by id or number, then by the
    start of words; equipment, places and every other object, in groups."""
    return await search.find(unit, q, limit)


ROUTES = [find]
