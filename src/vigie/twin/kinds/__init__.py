"""Kinds of equipment: how trades declare them, and the catalogue of this installation's.

Decides: what a declaration may say, and how its values are stored. Never: which kinds there are.
"""

from vigie.twin.kinds.catalogue import (
    able,
    commands,
    derived,
    install,
    instead,
    kind,
    kinds,
    trades,
)
from vigie.twin.kinds.declare import (
    POSITION,
    REPORT_S,
    Choice,
    Command,
    Demand,
    Event,
    Field,
    Flag,
    Kind,
    Number,
    Point,
    Text,
    shown_as,
    value_of,
)

__all__ = [
    "POSITION",
    "REPORT_S",
    "Choice",
    "Command",
    "Demand",
    "Event",
    "Field",
    "Flag",
    "Kind",
    "Number",
    "Point",
    "Text",
    "able",
    "commands",
    "derived",
    "install",
    "instead",
    "kind",
    "kinds",
    "shown_as",
    "trades",
    "value_of",
]
