"""Lists: one way to filter, sort, page, count and export the rows of a table.

    ENTRIES = Listing(
        "logbook.entries",
        ENTRY,                                             # a SQLAlchemy table
        row=Entry,                                         # the struct that a row becomes
        fields=Fields(Choice("kind", ENTRY.c.kind, KINDS), Time("at", ENTRY.c.at), words=…),
        sorts={"at": ENTRY.c.at, "title": ENTRY.c.folded_title},
        default="-at",
        key=ENTRY.c.id,
    )
    ROUTES = [*ENTRIES.routes("/logbook/entries", permission="logbook.read")]

Every list is asked in the same way (`filter`, `sort=-at,title`, `cursor`, `limit`) and answers a
`Page`. Saved views are lists asked in a way that someone named (core/lists/views.py).
"""

from vigie.core.lists.export import Column, Sheet
from vigie.core.lists.listing import Listing, ListQuery, narrow
from vigie.core.lists.sorting import Sort

__all__ = ["Column", "ListQuery", "Listing", "Sheet", "Sort", "narrow"]
