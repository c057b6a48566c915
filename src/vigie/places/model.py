"""What a place is, as others see it."""

from typing import Literal

import msgspec

from vigie.core.geometry import BBox

Point = tuple[float, float]


class Municipality(msgspec.Struct, frozen=True):
    """A municipality as a fact: `centroid` is [lon, lat], WGS 84."""

    insee: str
    name: str
    population: int
    centroid: Point
    area_km2: float


class Holidays(msgspec.Struct, frozen=True):
    """Days off: "12-25" each year, and days after Easter Sunday."""

    fixed: tuple[str, ...] = ()
    easter: tuple[int, ...] = ()


class Pack(msgspec.Struct, frozen=True):
    """A territory pack: everything about a city that is data."""

    code: str
    name: str
    languages: tuple[str, ...]
    time_zone: str
    attribution: str
    municipalities: tuple[Municipality, ...]
    holidays: Holidays = Holidays()


class Territory(msgspec.Struct, frozen=True):
    """The installed territory. `synthetic` says that its streets and equipment are made up."""

    code: str
    name: str
    languages: list[str]
    time_zone: str
    center: Point
    bbox: BBox | None
    synthetic: bool
    attribution: str
    municipalities: list[Municipality]
    revision: int


class PlaceHit(msgspec.Struct, frozen=True):
    """A street or municipality found by name; the higher the score the better."""

    type: Literal["street", "municipality"]
    id: str
    label: str
    detail: str
    point: Point
    bbox: BBox | None
    score: float
