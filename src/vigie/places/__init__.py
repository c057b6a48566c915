"""Where things are: territory, municipalities, streets, and finding them by name.

Public to any login. Positions are WGS 84, [lon, lat]. Never: know what stands in a street.
"""

from vigie.places.gazetteer import Gazetteer
from vigie.places.importing import import_contours, import_streets
from vigie.places.locate import Locator, Streets
from vigie.places.model import Holidays, Municipality, Pack, PlaceHit, Territory
from vigie.places.pack import load_pack, pack_folder
from vigie.places.service import (
    gazetteer,
    install,
    locator,
    read_holidays,
    read_territory,
    search,
    streets,
    time_zone,
)

__all__ = [
    "Gazetteer",
    "Holidays",
    "Locator",
    "Municipality",
    "Pack",
    "PlaceHit",
    "Streets",
    "Territory",
    "gazetteer",
    "import_contours",
    "import_streets",
    "install",
    "load_pack",
    "locator",
    "pack_folder",
    "read_holidays",
    "read_territory",
    "search",
    "streets",
    "time_zone",
]
