"""Where things are: territory, municipalities, streets, addresses, and finding them by name; how
one gets there: the road graph, what is closed, travel times.

    await places.nearest(unit, incident, [unit.position for unit in free])   # by travel time
    await verbs.call(unit, "places.close_road", {…})

Where things are is public to any login. Positions are WGS 84, [lon, lat]. Never: know what stands
in a street, or who drives there.
"""

from vigie.places.addresses.importing import import_addresses
from vigie.places.addresses.model import Address, GeocodedPlace, PlaceAt
from vigie.places.addresses.service import geocode, reverse
from vigie.places.gazetteer import Gazetteer
from vigie.places.importing import import_contours, import_streets
from vigie.places.locate import Locator, Streets
from vigie.places.model import Holidays, Municipality, Pack, PlaceHit, Territory
from vigie.places.pack import load_pack, pack_folder
from vigie.places.roads.model import (
    CloseRoad,
    DrawnArea,
    DrawnLine,
    NearestRoads,
    OpenRoad,
    RoadClosure,
    RoadRoute,
    RouteReason,
    TravelTime,
)
from vigie.places.roads.rules import Profile
from vigie.places.roads.travel import nearest, reachable, route
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
    "Address",
    "CloseRoad",
    "DrawnArea",
    "DrawnLine",
    "Gazetteer",
    "GeocodedPlace",
    "Holidays",
    "Locator",
    "Municipality",
    "NearestRoads",
    "OpenRoad",
    "Pack",
    "PlaceAt",
    "PlaceHit",
    "Profile",
    "RoadClosure",
    "RoadRoute",
    "RouteReason",
    "Streets",
    "Territory",
    "TravelTime",
    "gazetteer",
    "geocode",
    "import_addresses",
    "import_contours",
    "import_streets",
    "install",
    "load_pack",
    "locator",
    "nearest",
    "pack_folder",
    "reachable",
    "read_holidays",
    "read_territory",
    "reverse",
    "route",
    "search",
    "streets",
    "time_zone",
]
