"""What the tags of a street mean for who travels on it: pure.

Words are those of OpenStreetMap, and what French registers write instead. What is not understood
is the plain case: a street for everyone, both ways, at street level.
"""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

import msgspec

from vigie.core.text import fold

Profile = Literal["car", "emergency", "foot", "truck"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
Direction = Literal["both", "forward", "backward"]

# What speeds are usual by class, in km/h, where no limit is given: car, emergency, truck. 0 is not
# allowed. They are averages of a trip, with its junctions, and not what a sign says.
_SPEEDS: dict[str, tuple[float, float, float]] = {
    "motorway": (110, 120, 80),
    "trunk": (80, 95, 75),
    "primary": (45, 55, 40),
    "secondary": (40, 50, 36),
    "tertiary": (35, 45, 32),
    "unclassified": (32, 40, 28),
    "": (28, 36, 24),
    "residential": (25, 34, 20),
    "living_street": (12, 18, 8),
    "service": (14, 20, 10),
    "private": (0, 18, 0),
    "busway": (0, 40, 0),
    "track": (10, 12, 8),
    "pedestrian": (0, 10, 0),
    "footway": (0, 0, 0),
    "path": (0, 0, 0),
    "steps": (0, 0, 0),
    "cycleway": (0, 0, 0),
}
CLASSES = tuple(_SPEEDS)
_NO_FOOT = frozenset({"motorway", "trunk", "busway"})
_FOOT_KMH = 4.8
_STEPS_KMH = 2.4
# What a vehicle makes of a speed limit over a whole trip.
_OF_LIMIT = {"car": 0.75, "emergency": 0.95, "truck": 0.65}
_TRUCK_MOST_KMH = 80.0
FASTEST_KMH = 150.0

_CLASS_WORDS = {
    "motorway link": "motorway",
    "trunk link": "trunk",
    "primary link": "primary",
    "secondary link": "secondary",
    "tertiary link": "tertiary",
    "living street": "living_street",
    "bus guideway": "busway",
    "corridor": "footway",
    "bridleway": "path",
    "autoroute": "motorway",
    "type autoroutier": "motorway",
    "voie rapide": "trunk",
    "route a 2 chaussees": "primary",
    "bretelle": "primary",
    "route a 1 chaussee": "unclassified",
    "rond point": "tertiary",
    "route empierree": "track",
    "chemin": "track",
    "sentier": "path",
    "escalier": "steps",
    "pieton": "pedestrian",
    "voie pietonne": "pedestrian",
    "zone pietonne": "pedestrian",
    "zone de rencontre": "living_street",
    "piste cyclable": "cycleway",
    "voie privee": "private",
}
_FORWARD = {"yes", "true", "1", "sens unique", "sens direct", "direct", "forward", "f", "ft"}
_BACKWARD = {"reverse", "sens inverse", "inverse", "backward", "t", "tf"}
_FOR_NOBODY = {"interdit", "fictif", "sans objet"}
_WALK = {"walk": 6.0, "fr walk": 6.0, "fr living street": 20.0, "fr urban": 50.0,
         "fr rural": 80.0, "fr motorway": 130.0, "fr zone30": 30.0, "urban": 50.0,
         "rural": 80.0}  # fmt: skip
_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d+)?")


class Traits(msgspec.Struct, frozen=True):
    """How a street may be travelled. `oneway` is 1 along its line, -1 against it, 0 both ways;
    `limit` in km/h, None where none is given; `layer` 0 is street level."""

    kind: str = ""
    oneway: int = 0
    limit: float | None = None
    layer: int = 0


PLAIN = Traits()
# What the import of streets reads of a file, under these names.
TRAITS = ("class", "oneway", "maxspeed", "layer", "junction", "bridge", "tunnel", "access")


def traits_of(cells: Mapping[str, str]) -> Traits:
    """Traits from the cells of a file by the names of TRAITS."""
    more = {name: cells[name] for name in TRAITS[4:] if name in cells}
    return read_traits(
        cells.get("class", ""),
        cells.get("oneway", ""),
        cells.get("maxspeed", ""),
        cells.get("layer", ""),
        **more,
    )


def read_traits(
    kind: str = "", oneway: str = "", limit: str = "", layer: str = "", **more: str
) -> Traits:
    """Traits from cells of a file. `more` may hold junction, bridge, tunnel and access as
    OpenStreetMap writes them."""
    named = read_class(kind)
    way = read_oneway(oneway)
    if more.get("junction") in ("roundabout", "circular") and not oneway.strip():
        way = 1
    if named == "motorway" and not oneway.strip():
        way = 1
    if fold(oneway) in _FOR_NOBODY and named in ("", "residential", "unclassified", "service"):
        named = "pedestrian"
    if more.get("access") in ("no", "private") and named not in ("footway", "path", "steps"):
        named = "private"
    level = read_layer(layer)
    if level == 0 and more.get("bridge", "no") not in ("", "no"):
        level = 1
    if level == 0 and more.get("tunnel", "no") not in ("", "no"):
        level = -1
    return Traits(named, way, read_limit(limit), level)


def read_class(text: str) -> str:
    """One of CLASSES; "" for what is not known."""
    plain = text.strip().lower()
    if plain in _SPEEDS:
        return plain
    return _CLASS_WORDS.get(fold(text), "")


def read_oneway(text: str) -> int:
    """1, -1 or 0. A sign counts, so that it is looked at before folding takes it away."""
    plain = text.strip()
    if plain == "-1":
        return -1
    folded = fold(plain)
    if folded in _BACKWARD:
        return -1
    return 1 if folded in _FORWARD else 0


def read_limit(text: str) -> float | None:
    """A speed limit in km/h: "50", "30 mph", "FR:urban"; None for anything else."""
    folded = fold(text)
    if folded in _WALK:
        return _WALK[folded]
    found = _NUMBER.search(text)
    if found is None:
        return None
    value = float(found.group().replace(",", "."))
    if "mph" in folded.split() or folded.endswith("mph"):
        value *= 1.609344
    return value if 1 <= value <= FASTEST_KMH else None


def read_layer(text: str) -> int:
    """A level between -9 and 9; 0 for what is none."""
    try:
        value = float(text)
    except ValueError:
        return 0
    return int(value) if math.isfinite(value) and -9 <= value <= 9 else 0


def state_of(
    starts: datetime, ends: datetime | None, ended: datetime | None, now: datetime
) -> Literal["planned", "active", "over"]:
    """What a closure is at an instant: someone may have ended it before its time."""
    if ended is not None or (ends is not None and ends <= now):
        return "over"
    return "active" if starts <= now else "planned"


def speed_kmh(traits: Traits, profile: Profile) -> float:
    """How fast one is on a street over a whole trip; 0 where one may not be at all."""
    if profile == "foot":
        if traits.kind in _NO_FOOT:
            return 0.0
        return _STEPS_KMH if traits.kind == "steps" else _FOOT_KMH
    car, emergency, truck = _SPEEDS.get(traits.kind, _SPEEDS[""])
    usual = {"car": car, "emergency": emergency, "truck": truck}[profile]
    if usual <= 0 or traits.limit is None:
        return usual
    speed = traits.limit * _OF_LIMIT[profile]
    return min(speed, _TRUCK_MOST_KMH) if profile == "truck" else speed


def may(traits: Traits, profile: Profile) -> tuple[bool, bool]:
    """Whether one may travel along the line of a street, and against it."""
    if speed_kmh(traits, profile) <= 0:
        return False, False
    if profile == "foot":
        return True, True
    return traits.oneway >= 0, traits.oneway <= 0
