"""Where the city is built: which municipality owns a point, and how far its town reaches."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from simcity.generate.arrays import Bools, Floats, Ints
from simcity.generate.territory import Territory

LIGHTS_PER_KM = 40.0
SAMPLE = 60.0  # metres between the points on which towns are measured
EDGES_PER_ROOT = 2.05  # km of street per √(blocks × km²), measured on these layouts


class Waves:
    """A smooth random field in about −1…1: the sum of a few plane waves."""

    def __init__(self, rng: np.random.Generator, wavelengths: tuple[float, float], count: int = 7):
        length = rng.uniform(*wavelengths, count)
        angle = rng.uniform(0, 2 * np.pi, count)
        self._k = 2 * np.pi / length * np.stack([np.cos(angle), np.sin(angle)])
        self._phase = rng.uniform(0, 2 * np.pi, count)
        self._norm = np.sqrt(count / 2) * 1.6

    def __call__(self, xy: Floats) -> Floats:
        return np.sin(xy @ self._k + self._phase).sum(axis=-1) / self._norm


@dataclass
class Ground:
    """The built-up land. `depth` is 0 in a town's heart and 1 at its edge."""

    territory: Territory
    street_km: Floats  # wanted per municipality
    block: Floats  # mean spacing of streets per municipality, metres
    cells: Floats  # sample points inside the towns
    cell_owner: Ints
    cell_depth: Floats
    _hearts: list[tuple[Floats, Floats]]
    _reach: Floats
    _rough: Waves
    _parks: Waves

    def owner(self, xy: Floats) -> Ints:
        return owner_of(self.territory, xy)

    def depth(self, xy: Floats, owner: Ints) -> Floats:
        return _score(xy, owner, self._hearts, self._rough) / self._reach[owner]

    def park(self, xy: Floats, owner: Ints) -> Bools:
        """Land left open inside the larger towns: parks, lakes, rail yards."""
        large = self.street_km[owner] > 15
        return large & (self._parks(xy) > 0.68) & (self.depth(xy, owner) > 0.2)

    def spacing(self, owner: Ints, depth: Floats) -> Floats:
        """Wanted distance between parallel streets: close in the heart, wide at the edge."""
        return self.block[owner] * (0.7 + 0.5 * np.clip(depth, 0, 1.2))


def survey(territory: Territory, lights: Ints, rng: np.random.Generator) -> Ground:
    """Give each municipality a town as large as its lights ask for."""
    street_km = lights / LIGHTS_PER_KM
    areas, people = territory.areas, territory.populations
    density = np.interp(np.log10(np.maximum(people, 1)), [2.3, 3.5, 5.2], [11.0, 11.5, 14.5])
    fringe = 1 + 0.35 / np.sqrt(np.maximum(street_km, 0.5))  # small towns are mostly edge
    town_km2 = np.minimum(np.maximum(street_km / density * fringe, 0.15), 0.85 * areas)
    hearts = _hearts(territory, rng)
    rough, parks = Waves(rng, (700, 3200)), Waves(rng, (800, 2000))
    points = _sample_points(territory)
    owner = owner_of(territory, points)
    score = np.full(len(points), np.inf)
    known = owner >= 0
    score[known] = _score(points[known], owner[known], hearts, rough)
    reach = np.zeros(len(areas))
    block = np.zeros(len(areas))
    for i in range(len(areas)):
        mine = np.sort(score[owner == i])
        wanted = int(np.ceil(town_km2[i] * 1e6 / SAMPLE**2))
        count = max(min(wanted, len(mine)), 1)
        reach[i] = mine[count - 1] if len(mine) else 1.0
        built_km2 = count * SAMPLE**2 / 1e6
        blocks_per_km2 = (street_km[i] * fringe[i] / built_km2 / EDGES_PER_ROOT) ** 2
        block[i] = np.clip(1000 / np.sqrt(max(blocks_per_km2, 1e-9)), 45, 170)
    depth = score / np.where(known, reach[np.maximum(owner, 0)], 1.0)
    inside = known & (depth < 1.0)
    return Ground(
        territory=territory,
        street_km=street_km,
        block=block,
        cells=points[inside],
        cell_owner=owner[inside],
        cell_depth=depth[inside],
        _hearts=hearts,
        _reach=reach,
        _rough=rough,
        _parks=parks,
    )


def owner_of(territory: Territory, xy: Floats) -> Ints:
    """The municipality a point lies in, −1 outside all: by contour, else by weighted distance."""
    if territory.contours:
        return _owner_by_contour(territory, xy)
    radius = np.sqrt(territory.areas * 1e6 / np.pi)
    offset = xy[:, None, :] - territory.centres[None, :, :]
    ratio = np.hypot(offset[..., 0], offset[..., 1]) / radius
    best = ratio.argmin(axis=1)
    best[ratio[np.arange(len(xy)), best] > 1.5] = -1
    return best.astype(np.int64)


def _owner_by_contour(territory: Territory, xy: Floats) -> Ints:
    import shapely  # only packs with contours pay for it

    lonlat = territory.plane.to_lonlat(xy)
    owner = np.full(len(xy), -1, dtype=np.int64)
    for index, municipality in enumerate(territory.municipalities):
        geometry = territory.contours.get(municipality.insee)
        if geometry is None:
            continue
        shape: Any = shapely.geometry.shape(geometry)  # pyright: ignore
        west, south, east, north = shape.bounds
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        near = np.flatnonzero((lon >= west) & (lon <= east) & (lat >= south) & (lat <= north))
        shapely.prepare(shape)
        inside: Any = shapely.contains_xy(shape, lonlat[near, 0], lonlat[near, 1])
        owner[near[np.asarray(inside)]] = index
    return owner


def _sample_points(territory: Territory) -> Floats:
    centres, radius = territory.centres, np.sqrt(territory.areas * 1e6 / np.pi)
    low = (centres - 2 * radius[:, None]).min(axis=0)
    high = (centres + 2 * radius[:, None]).max(axis=0)
    x, y = np.meshgrid(np.arange(low[0], high[0], SAMPLE), np.arange(low[1], high[1], SAMPLE))
    points = np.stack([x.ravel(), y.ravel()], axis=-1)
    offset = points[:, None, :] - centres[None, :, :]
    near = (np.hypot(offset[..., 0], offset[..., 1]) < 2 * radius).any(axis=1)
    return points[near]


def _hearts(territory: Territory, rng: np.random.Generator) -> list[tuple[Floats, Floats]]:
    """Per municipality the places it grew from, and their weights: its centre and hamlets."""
    found: list[tuple[Floats, Floats]] = []
    for centre, people, area in zip(
        territory.centres, territory.populations, territory.areas, strict=True
    ):
        hamlets = 0 if people < 800 or people > 60_000 else int(rng.integers(0, 3))
        radius = np.sqrt(area * 1e6 / np.pi)
        angle = rng.uniform(0, 2 * np.pi, hamlets)
        reach = radius * rng.uniform(0.35, 0.75, hamlets)
        places = centre + reach[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        found.append(
            (
                np.concatenate([centre[None, :], places]),
                np.concatenate([[1.0], rng.uniform(0.25, 0.5, hamlets)]),
            )
        )
    return found


def _score(xy: Floats, owner: Ints, hearts: list[tuple[Floats, Floats]], rough: Waves) -> Floats:
    """How far out of town a point is, in the town's own uneven measure."""
    score = np.zeros(len(xy))
    for index, (places, weights) in enumerate(hearts):
        mine = np.flatnonzero(owner == index)
        if len(mine) == 0:
            continue
        offset = xy[mine][:, None, :] - places[None, :, :]
        score[mine] = (np.hypot(offset[..., 0], offset[..., 1]) / weights).min(axis=1)
    return score * (1 + 0.4 * rough(xy))
