"""An address, and what finding one answers."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from vigie.core.geometry import BBox
from vigie.places.model import Point

Lon = Annotated[float, Meta(ge=-180, le=180)]
Lat = Annotated[float, Meta(ge=-85, le=85)]


class Address(msgspec.Struct, frozen=True):
    """An address. `corrected` names what a person changed: the file's own value of it is kept
    beside, and no import changes it."""

    id: int
    version: int
    source: str
    source_id: str
    number: int
    suffix: str
    street: str
    postcode: str
    municipality: str
    point: Point
    corrected: list[str]


class AddressChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to correct of an address; `reason` is for the journal."""

    number: Annotated[int, Meta(ge=0, le=9999)] | UnsetType = UNSET
    suffix: Annotated[str, Meta(max_length=10)] | UnsetType = UNSET
    street: Annotated[str, Meta(min_length=1, max_length=300)] | UnsetType = UNSET
    postcode: Annotated[str, Meta(max_length=10)] | UnsetType = UNSET
    point: tuple[Lon, Lat] | UnsetType = UNSET
    reason: Annotated[str, Meta(max_length=500)] = ""


class GeocodedPlace(msgspec.Struct, frozen=True):
    """A place that an address may mean.

    `accuracy`: the very house, the nearest number of its street, the street, or the municipality.
    """

    label: str
    accuracy: Literal["address", "near_number", "street", "municipality"]
    number: int
    suffix: str
    street: str
    postcode: str
    municipality: str
    municipality_name: str
    point: Point
    bbox: BBox | None
    address: int | None
    score: float


class GeocodedPlaces(msgspec.Struct, frozen=True):
    """What a text may mean, the likeliest first."""

    items: list[GeocodedPlace]


class PlaceAt(msgspec.Struct, frozen=True):
    """Where a point is: the nearest address within reach, how far it is, the street and the
    municipality."""

    address: Address | None
    label: str
    distance_m: float | None
    street: str
    municipality: str
    municipality_name: str
