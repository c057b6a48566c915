"""Everything in the city that is no street light: how much of it, where, and what depends on what.

The numbers are those of a metropolis with 34,000 lights; a smaller city has its share of them, and
a handful at least. `power` and `network` say what feeds and what connects each piece: faults spread
along them.
"""

from dataclasses import dataclass, field

import numpy as np

from simcity.generate.arrays import Ints
from simcity.generate.sites import Sites, Spots

FULL_LIGHTS = 34_000
# kind → (in a city of 34,000 lights, at least)
COUNTS = {
    "TrafficLightController": (113, 2),
    "Bus": (180, 2),
    "Vehicle": (205, 4),
    "Radio": (130, 2),
    "Camera": (269, 3),
    "RetractableBollard": (26, 1),
    "Building": (180, 2),
    "WeatherStation": (10, 1),
    "RoadSurfaceSensor": (12, 1),
    "RiverGauge": (10, 1),
    "RainGauge": (8, 1),
    "WasteContainer": (2000, 6),
    "ParkingSpot": (1500, 6),
}
# what the fleets drive, and their share
FLEETS = (
    ("Police municipale", "police", 0.18),
    ("Benne", "waste", 0.22),
    ("Balayeuse", "cleaning", 0.14),
    ("Saleuse", "winter", 0.08),
    ("Voirie", "roads", 0.14),
    ("Éclairage", "lighting", 0.08),
    ("Espaces verts", "parks", 0.10),
    ("Eau", "water", 0.06),
)
SERVICES = ("Police", "Voirie", "Propreté", "Astreinte")
BUILDINGS = (
    ("École", "school", 0.34),
    ("Gymnase", "sport", 0.16),
    ("Crèche", "nursery", 0.12),
    ("Mairie", "office", 0.10),
    ("Bibliothèque", "culture", 0.08),
    ("Maison de quartier", "culture", 0.10),
    ("Centre technique", "depot", 0.06),
    ("Piscine", "pool", 0.04),
)
TECHNICAL = ("Chaudière", "Ventilation", "Groupe froid", "Ballon d'eau chaude")
WASTE = (("verre", "glass"), ("ordures", "residual"), ("papier", "paper"), ("bio", "organic"))


@dataclass
class Batch:
    """The equipment of one kind. Columns are as long as its places."""

    kind: str
    file: str
    spots: Spots
    ids: list[str]
    names: list[str]
    parent: list[str] = field(default_factory=list[str])
    attributes: dict[str, list[object]] = field(default_factory=dict[str, list[object]])
    power: list[str] = field(default_factory=list[str])
    network: list[str] = field(default_factory=list[str])


def wanted(kind: str, lights: int) -> int:
    """How many of a kind a city of so many lights has."""
    full, least = COUNTS[kind]
    return max(least, round(full * lights / FULL_LIGHTS))


def equip(sites: Sites, insee: list[str], lights: int) -> list[Batch]:
    """All batches, parents before children."""
    return _Equipment(sites, insee, lights).all()


class _Equipment:
    def __init__(self, sites: Sites, insee: list[str], lights: int):
        self._sites, self._rng, self._insee, self._lights = sites, sites.rng, insee, lights
        self._streets = [street.name for street in sites.plan.streets]
        self._towns = [m.name for m in sites.territory.municipalities]

    def all(self) -> list[Batch]:
        crossings = self._crossings()
        buildings = self._buildings()
        switches, links = self._network(crossings, buildings)
        at = dict(zip(switches.attributes["serves"], switches.ids, strict=True))
        for batch in (crossings, buildings):
            batch.network = [at[id_] for id_ in batch.ids]
        groups, detectors = self._signals(crossings)
        return [
            switches,
            links,
            crossings,
            groups,
            detectors,
            self._cameras(switches),
            self._bollards(switches),
            buildings,
            *self._inside(buildings),
            self._buses(),
            self._vehicles(),
            self._radios(),
            *self._weather(),
            self._containers(),
            self._parking(),
        ]

    def _count(self, kind: str) -> int:
        return wanted(kind, self._lights)

    def _batch(self, kind: str, file: str, spots: Spots, letter: str, names: list[str]) -> Batch:
        return Batch(kind, file, spots, [f"{letter}-{i:04d}" for i in _numbers(spots)], names)

    def _in(self, spots: Spots) -> list[str]:
        return [self._streets[street] for street in spots.street.tolist()]

    # --- traffic

    def _crossings(self) -> Batch:
        spots = self._sites.crossings(self._count("TrafficLightController"))
        names = [
            f"Carrefour {i:03d} {one}" + (f" / {other}" if other != one else "")
            for i, one, other in zip(
                _numbers(spots),
                self._in(spots),
                [self._streets[s] for s in self._sites.second.tolist()],
                strict=True,
            )
        ]
        spots = spots.moved(np.full((len(spots), 2), 7.0))
        return self._batch("TrafficLightController", "crossings", spots, "K", names)

    def _signals(self, crossings: Batch) -> tuple[Batch, Batch]:
        """Six to twelve signal groups a crossing, a third of them for people on foot; one detector
        for each two groups of vehicles, and one."""
        sizes = self._rng.integers(6, 13, len(crossings.ids))
        owner = np.repeat(np.arange(len(sizes)), sizes)
        rank = _ranks(sizes)
        walking = rank % 3 == 2
        groups = self._around(
            crossings, owner, rank, sizes, "SignalGroup", "groups", "F", "Feu", 9.0
        )
        groups.attributes = {
            "use": ["piétons" if w else "véhicules" for w in walking.tolist()],
            "number": [int(r) + 1 for r in rank.tolist()],
        }
        loops = sizes // 2 + 1
        owner, rank = np.repeat(np.arange(len(loops)), loops), _ranks(loops)
        detectors = self._around(
            crossings, owner, rank, loops, "TrafficDetector", "detectors", "D", "Boucle", 35.0
        )
        detectors.attributes = {"number": [int(r) + 1 for r in rank.tolist()]}
        return groups, detectors

    def _around(
        self, of: Batch, owner: Ints, rank: Ints, sizes: Ints,
        kind: str, file: str, letter: str, word: str, metres: float,
    ) -> Batch:  # fmt: skip
        """Children on a ring around their parents, fed and connected with them."""
        turn = 2 * np.pi * rank / np.maximum(sizes[owner], 1)
        offset = np.stack([np.cos(turn), np.sin(turn)], axis=-1) * metres
        number = (rank + 1).tolist()
        parents = [of.ids[i] for i in owner.tolist()]
        return Batch(
            kind,
            file,
            of.spots.some(owner).moved(offset),
            [f"{parent}-{letter}{n:02d}" for parent, n in zip(parents, number, strict=True)],
            [f"{parent} {word} {n}" for parent, n in zip(parents, number, strict=True)],
            parent=parents,
            power=list(parents),
            network=[of.network[i] for i in owner.tolist()] if of.network else [],
        )

    def _cameras(self, switches: Batch) -> Batch:
        spots = self._sites.along(self._count("Camera"), avenues=4.0, away=7.0)
        names = [
            f"Caméra {i:04d} {s}" for i, s in zip(_numbers(spots), self._in(spots), strict=True)
        ]
        batch = self._batch("Camera", "cameras", spots, "V", names)
        batch.network = _nearest_of(spots, switches)
        batch.power = list(batch.network)
        return batch

    def _bollards(self, switches: Batch) -> Batch:
        spots = self._sites.hearts(self._count("RetractableBollard"))
        names = [
            f"Borne B-{i:02d} {s}" for i, s in zip(_numbers(spots), self._in(spots), strict=True)
        ]
        batch = self._batch("RetractableBollard", "bollards", spots, "B", names)
        batch.network = _nearest_of(spots, switches)
        return batch

    # --- network

    def _network(self, crossings: Batch, buildings: Batch) -> tuple[Batch, Batch]:
        """A switch at every crossing and building; links along the shortest tree that joins all."""
        serves = crossings.ids + buildings.ids
        spots = Spots(
            np.concatenate([crossings.spots.xy + 1.5, buildings.spots.xy + 4.0]),
            np.concatenate([crossings.spots.owner, buildings.spots.owner]),
            np.concatenate([crossings.spots.street, buildings.spots.street]),
        )
        switches = self._batch(
            "NetworkSwitch", "switches", spots, "N", [f"Commutateur {s}" for s in serves]
        )
        switches.attributes = {"serves": list[object](serves)}
        switches.power = [id_ if id_.startswith("K") else "" for id_ in serves]
        above = _tree(spots)
        child = np.arange(1, len(spots))
        xy = (spots.xy[child] + spots.xy[above[child]]) / 2
        metres = np.hypot(*(spots.xy[child] - spots.xy[above[child]]).T) * 1.2
        ends = [(switches.ids[above[i]], switches.ids[i]) for i in child.tolist()]
        links = Batch(
            "FibreLink",
            "fibres",
            Spots(xy, spots.owner[child], spots.street[child]),
            [f"FO-{i:04d}" for i in child.tolist()],
            [f"Fibre {a} – {b}" for a, b in ends],
            parent=[a for a, _ in ends],
            attributes={
                "length_m": [round(m) for m in metres.tolist()],
                "far_end": [b for _, b in ends],
            },
            network=[a for a, _ in ends],
        )
        switches.network = ["", *links.ids]
        return switches, links

    # --- buildings

    def _buildings(self) -> Batch:
        spots = self._sites.hearts(self._count("Building"))
        use = self._rng.choice(len(BUILDINGS), len(spots), p=[b[2] for b in BUILDINGS])
        names = [
            f"{BUILDINGS[u][0]} {_of(street)}"
            for u, street in zip(use.tolist(), self._in(spots), strict=True)
        ]
        batch = self._batch("Building", "buildings", spots, "T", names)
        batch.attributes = {
            "use": [BUILDINGS[u][1] for u in use.tolist()],
            "surface": [int(s) for s in self._rng.integers(180, 6000, len(spots)).tolist()],
        }
        return batch

    def _inside(self, buildings: Batch) -> list[Batch]:
        """Six to fifteen pieces a building: zones and their detectors, doors, plant, meters."""
        count = len(buildings.ids)
        zones = self._within(
            buildings, self._rng.integers(1, 3, count), "AlarmZone", "zones", "Z", "Zone"
        )
        per_zone = len(zones.ids)
        fire = self._within(
            zones, self._rng.integers(1, 3, per_zone),
            "FireDetector", "fire_detectors", "I", "Détecteur incendie",
        )  # fmt: skip
        intrusion = self._within(
            zones, self._rng.integers(1, 3, per_zone),
            "IntrusionDetector", "intrusion_detectors", "R", "Radar",
        )  # fmt: skip
        doors = self._within(
            buildings, self._rng.integers(1, 4, count), "Door", "doors", "P", "Porte"
        )
        plant = self._within(
            buildings, self._rng.integers(1, 3, count),
            "TechnicalPoint", "technical", "G", "Installation",
        )  # fmt: skip
        what = self._rng.integers(0, len(TECHNICAL), len(plant.ids)).tolist()
        plant.names = [f"{TECHNICAL[w]} {id_}" for w, id_ in zip(what, plant.ids, strict=True)]
        plant.attributes = {"plant": [TECHNICAL[w] for w in what]}
        meters = self._within(
            buildings, np.full(count, 2), "EnergyMeter", "meters", "M", "Compteur"
        )
        water = [id_.endswith("2") for id_ in meters.ids]
        meters.attributes = {"medium": ["water" if w else "electricity" for w in water]}
        meters.names = [
            f"Compteur {'eau' if w else 'électrique'} {parent}"
            for w, parent in zip(water, meters.parent, strict=True)
        ]
        return [zones, fire, intrusion, doors, plant, meters]

    def _within(
        self, of: Batch, sizes: Ints, kind: str, file: str, letter: str, word: str
    ) -> Batch:
        owner = np.repeat(np.arange(len(sizes)), sizes)
        batch = self._around(of, owner, _ranks(sizes), sizes, kind, file, letter, word, 4.0)
        batch.power = []
        return batch

    # --- what moves

    def _buses(self) -> Batch:
        count = self._count("Bus")
        lines = max(1, min(24, count // 6))
        depot = self._sites.along(1, away=20.0)
        line = [i % lines + 1 for i in range(count)]
        batch = self._batch(
            "Bus", "buses", _spread(depot, count, 6.0), "U",
            [f"Bus {4000 + i} (ligne L{n})" for i, n in enumerate(line, 1)],
        )  # fmt: skip
        batch.attributes = {"line": [f"L{n}" for n in line]}
        return batch

    def _vehicles(self) -> Batch:
        count = self._count("Vehicle")
        fleet = np.sort(self._rng.choice(len(FLEETS), count, p=[f[2] for f in FLEETS]))
        depots = self._sites.along(len(FLEETS), away=25.0)
        spots = depots.some(fleet).moved(self._rng.uniform(-25, 25, (count, 2)))
        rank = _ranks(np.bincount(fleet, minlength=len(FLEETS)))
        batch = self._batch(
            "Vehicle", "vehicles", spots, "A",
            [f"{FLEETS[f][0]} {r + 1:02d}" for f, r in zip(fleet.tolist(), rank, strict=True)],
        )  # fmt: skip
        batch.attributes = {"fleet": [FLEETS[f][1] for f in fleet.tolist()]}
        return batch

    def _radios(self) -> Batch:
        count = self._count("Radio")
        service = self._rng.integers(0, len(SERVICES), count)
        spots = self._sites.hearts(len(SERVICES)).some(service)
        spots = spots.moved(self._rng.uniform(-15, 15, (count, 2)))
        batch = self._batch(
            "Radio", "radios", spots, "Q",
            [f"Radio {i:04d} {SERVICES[s]}" for i, s in enumerate(service.tolist(), 1)],
        )  # fmt: skip
        batch.attributes = {"service": [SERVICES[s] for s in service.tolist()]}
        return batch

    # --- sensors

    def _weather(self) -> list[Batch]:
        found: list[Batch] = []
        for kind, file, letter, word in (
            ("WeatherStation", "weather", "W", "Station météo"),
            ("RoadSurfaceSensor", "road_sensors", "S", "Sonde de chaussée"),
            ("RiverGauge", "rivers", "H", "Limnimètre"),
            ("RainGauge", "rain_gauges", "Y", "Pluviomètre"),
        ):
            spots = self._sites.along(self._count(kind), avenues=2.0, away=6.0)
            names = [
                f"{word} {i:02d} {self._towns[town]}"
                for i, town in zip(_numbers(spots), spots.owner.tolist(), strict=True)
            ]
            found.append(self._batch(kind, file, spots, letter, names))
        return found

    def _containers(self) -> Batch:
        spots = self._sites.along(self._count("WasteContainer"), away=4.0)
        what = self._rng.integers(0, len(WASTE), len(spots)).tolist()
        names = [
            f"Conteneur {WASTE[w][0]} {i:04d} {street}"
            for w, i, street in zip(what, _numbers(spots), self._in(spots), strict=True)
        ]
        batch = self._batch("WasteContainer", "containers", spots, "O", names)
        batch.attributes = {"waste": [WASTE[w][1] for w in what]}
        return batch

    def _parking(self) -> Batch:
        spots = self._sites.along(self._count("ParkingSpot"), avenues=1.5, away=3.0)
        names = [
            f"Place {i:04d} {street}"
            for i, street in zip(_numbers(spots), self._in(spots), strict=True)
        ]
        return self._batch("ParkingSpot", "parking", spots, "J", names)


def _numbers(spots: Spots) -> range:
    return range(1, len(spots) + 1)


def _ranks(sizes: Ints) -> Ints:
    """0, 1, … within each run."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _spread(spot: Spots, count: int, metres: float) -> Spots:
    """`count` places in rows at one."""
    number = np.arange(count)
    grid = np.stack([number % 12, number // 12], axis=-1).astype(np.float64) * metres
    return spot.some(np.zeros(count, dtype=np.int64)).moved(grid)


def _nearest_of(spots: Spots, batch: Batch) -> list[str]:
    from simcity.generate.arrays import nearest

    return [batch.ids[i] for i in nearest(spots.xy, batch.spots.xy).tolist()]


def _tree(spots: Spots) -> Ints:
    """For each place the one it hangs on in the shortest tree from the first (Prim)."""
    xy = spots.xy
    above = np.zeros(len(xy), dtype=np.int64)
    away = np.hypot(*(xy - xy[0]).T)
    away[0] = np.inf
    reached = np.zeros(len(xy), dtype=np.bool_)
    reached[0] = True
    for _ in range(len(xy) - 1):
        one = int(np.where(reached, np.inf, away).argmin())
        reached[one] = True
        new = np.hypot(*(xy - xy[one]).T)
        closer = (new < away) & ~reached
        above[closer], away[closer] = one, new[closer]
    return above


def _of(street: str) -> str:
    """`Rue des Tilleuls` → `des Tilleuls`."""
    return street.partition(" ")[2] or street
