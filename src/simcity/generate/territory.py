"""The territory to build on: municipalities, their contours when known, and a local plane."""

import csv
import json
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from simcity.generate.arrays import Floats, Ints

METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True)
class Municipality:
    insee: str
    name: str
    population: int
    lon: float
    lat: float
    area_km2: float


@dataclass(frozen=True)
class Plane:
    """Metres around an origin: equirectangular, exact enough over a metropole."""

    lon: float
    lat: float

    @property
    def _scale(self) -> tuple[float, float]:
        return METRES_PER_DEGREE * math.cos(math.radians(self.lat)), METRES_PER_DEGREE

    def to_xy(self, lon: Floats, lat: Floats) -> Floats:
        kx, ky = self._scale
        return np.stack([(lon - self.lon) * kx, (lat - self.lat) * ky], axis=-1)

    def to_lonlat(self, xy: Floats) -> Floats:
        kx, ky = self._scale
        return np.stack([xy[..., 0] / kx + self.lon, xy[..., 1] / ky + self.lat], axis=-1)


class TerritoryError(ValueError):
    """The pack cannot be built on; the message says which file and what to change."""


@dataclass(frozen=True)
class Territory:
    code: str
    name: str
    municipalities: tuple[Municipality, ...]
    contours: dict[str, dict[str, Any]]  # insee → GeoJSON geometry; may be empty
    plane: Plane

    @property
    def centres(self) -> Floats:
        lon = np.array([m.lon for m in self.municipalities])
        lat = np.array([m.lat for m in self.municipalities])
        return self.plane.to_xy(lon, lat)

    @property
    def populations(self) -> Floats:
        return np.array([m.population for m in self.municipalities], dtype=np.float64)

    @property
    def areas(self) -> Floats:
        return np.array([m.area_km2 for m in self.municipalities], dtype=np.float64)


def read_territory(folder: Path) -> Territory:
    pack = _read_pack(folder / "pack.toml")
    municipalities = _read_municipalities(folder / "municipalities.csv")
    plane = Plane(
        lon=sum(m.lon for m in municipalities) / len(municipalities),
        lat=sum(m.lat for m in municipalities) / len(municipalities),
    )
    name = pack.get("name", folder.name)
    return Territory(
        code=str(pack.get("code", folder.name)),
        name=str(name),
        municipalities=municipalities,
        contours=_read_contours(folder / "contours.geojson"),
        plane=plane,
    )


def _read_pack(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TerritoryError(f"{path} is missing: give a territory pack's folder") from None
    except tomllib.TOMLDecodeError as error:
        raise TerritoryError(f"{path} is not TOML: {error}") from None


def _read_municipalities(path: Path) -> tuple[Municipality, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise TerritoryError(f"{path} is missing: give a territory pack's folder") from None
    found: list[Municipality] = []
    for number, row in enumerate(csv.DictReader(text.splitlines()), start=2):
        try:
            found.append(
                Municipality(
                    insee=row["insee"],
                    name=row["name"],
                    population=int(row["population"]),
                    lon=float(row["lon"]),
                    lat=float(row["lat"]),
                    area_km2=float(row["area_km2"]),
                )
            )
        except (KeyError, TypeError, ValueError) as error:
            raise TerritoryError(
                f"{path} line {number}: needs insee,name,population,lon,lat,area_km2 ({error})"
            ) from None
    if not found:
        raise TerritoryError(f"{path} lists no municipality")
    return tuple(found)


def _read_contours(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    document = cast(dict[str, Any], json.loads(path.read_text(encoding="utf-8")))
    contours: dict[str, dict[str, Any]] = {}
    for feature in cast(list[dict[str, Any]], document.get("features", [])):
        insee = feature.get("properties", {}).get("insee")
        if insee is not None and feature.get("geometry"):
            contours[str(insee)] = feature["geometry"]
    return contours


def share(total: int, weights: Floats) -> Ints:
    """Split `total` in whole parts as the weights say (largest remainders)."""
    exact = total * weights / weights.sum()
    parts = np.floor(exact).astype(np.int64)
    rest = total - int(parts.sum())
    parts[np.argsort(parts - exact, kind="stable")[:rest]] += 1
    return parts
