"""Streets from an OpenStreetMap extract (.osm.pbf), as a file of street lines.

Two passes, with little in memory: the ways that are streets, then the places of the nodes that they
use. A way is cut where it meets another, so that each piece ends at a junction: its id is
`way.first_node`, the same as long as the junction is. A way that begins and ends outside the
territory's box, with nothing inside, is left out.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from vigie.core.errors import Invalid, TooLarge
from vigie.core.geofiles import Batch, clean_text
from vigie.core.geometry import BBox

Ints = NDArray[np.int64]

MAX_FILE_BYTES = 2_000_000_000
MOST_WAYS = 2_000_000
MOST_REFERENCES = 30_000_000
_LONGEST_WAY = 20_000
_BATCH = 10_000
# Roads lead in and out: what is within so much of the territory belongs to its graph.
_MARGIN_M = 2_000.0
# A filter by id takes 4 MB for each region of ids in which there is one: the file is read several
# times instead. OpenStreetMap has given some 13 thousand million ids.
_REGION_BITS = 25
_REGIONS_AT_ONCE = 100
_HIGHEST_NODE = 1 << 35
_TAGS = ("highway", "oneway", "maxspeed", "layer", "junction", "bridge", "tunnel", "access")
_LONGEST_TAG = 300
FIELDS = ["id", "name", *_TAGS]


def is_pbf(file: Path) -> bool:
    """True for a file that is named as an OpenStreetMap extract."""
    return file.name.lower().endswith(".pbf")


class OsmFile:
    """An opened extract, as `core.geofiles.GeoFile` has it. Raises Invalid or TooLarge."""

    crs = "EPSG:4326"
    encoding = "UTF-8"

    def __init__(self, path: Path, near: BBox | None) -> None:
        self.fields = list(FIELDS)
        self.notes: list[str] = []
        self._name = path.name
        if not path.is_file():
            raise Invalid("file_missing", f"There is no file {path}.", {"file": path.name})
        if path.stat().st_size > MAX_FILE_BYTES:
            raise TooLarge(
                "file_size",
                f"{path.name} is larger than {MAX_FILE_BYTES // 10**9} GB: cut the territory out "
                "of it (osmium extract) or take a smaller extract.",
                {"file": path.name, "limit": MAX_FILE_BYTES},
            )
        ways = self._read(path)
        ways.place(self._nodes(path, ways.references()))
        self._ways = ways
        self._pieces = ways.pieces(near.grown(_MARGIN_M) if near is not None else None)
        self.count: int | None = len(self._pieces)
        if ways.incomplete:
            self.notes.append(
                f"{ways.incomplete:,} nodes of its ways are not in the file: cut it with complete "
                "ways."
            )
        self.notes.append(
            "Streets are © OpenStreetMap contributors, ODbL: say so in the territory's attribution."
        )

    def batches(self, columns: Sequence[str]) -> Iterator[Batch]:
        """All pieces of street, a batch at a time; `lines` are their numbers."""
        for start in range(0, len(self._pieces), _BATCH):
            some = self._pieces[start : start + _BATCH]
            made = [self._ways.piece(*piece) for piece in some]
            geometry = np.asarray([line for _, line in made], dtype=object)
            values = {c: [tags.get(c) for tags, _ in made] for c in columns}
            yield Batch(range(start + 1, start + len(some) + 1), values, geometry, {})

    def _read(self, path: Path) -> "_Ways":
        ways = _Ways(self._name)
        for way in self._objects(path, "way"):
            tags = way.tags
            kind = str(tags.get("highway", ""))
            if kind not in _STREETS or tags.get("area", "no") == "yes":
                continue
            kept = {"name": clean_text(str(tags.get("name", "") or tags.get("ref", "")))}
            kept |= {k: clean_text(str(tags[k])[:_LONGEST_TAG]) for k in _TAGS if k in tags}
            ways.add(int(way.id), [int(node.ref) for node in way.nodes], kept)
        return ways

    def _nodes(self, path: Path, wanted: Ints) -> Iterator[tuple[int, float, float]]:
        usable = wanted[(wanted > 0) & (wanted < _HIGHEST_NODE)]
        region = usable >> _REGION_BITS
        _, number = np.unique(region, return_inverse=True)
        for start in range(0, int(number.max(initial=-1)) + 1, _REGIONS_AT_ONCE):
            some = usable[(number >= start) & (number < start + _REGIONS_AT_ONCE)]
            for node in self._objects(path, "node", some.tolist()):
                place = node.location
                if place.valid():
                    yield int(node.id), float(place.lon), float(place.lat)

    def _objects(self, path: Path, kind: str, ids: Any = None) -> Iterator[Any]:
        # Loaded by who imports such a file, and by nobody else.
        import osmium
        import osmium.filter
        import osmium.io
        import osmium.osm

        entities = osmium.osm.WAY if kind == "way" else osmium.osm.NODE
        try:
            reader = osmium.FileProcessor(osmium.io.File(str(path), "pbf"), entities)
            if ids is None:
                reader = reader.with_filter(osmium.filter.KeyFilter("highway"))
            else:
                reader = reader.with_filter(osmium.filter.IdFilter(ids))
            yield from reader
        except (RuntimeError, ValueError) as error:
            raise Invalid(
                "file_unreadable",
                f"{self._name} cannot be read: it is not an OpenStreetMap extract "
                f"({str(error)[:200]}).",
                {"file": self._name, "cause": str(error)[:200]},
            ) from error


# What is under construction or only planned is no street, nor is a platform or a race track.
_STREETS = frozenset(
    {
        "motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link",
        "secondary", "secondary_link", "tertiary", "tertiary_link", "unclassified", "residential",
        "living_street", "service", "road", "track", "busway", "bus_guideway", "pedestrian",
        "footway", "path", "steps", "cycleway", "bridleway", "corridor",
    }
)  # fmt: skip


class _Ways:
    """Ways as arrays: the nodes of all of them one after the other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._ids: list[int] = []
        self._tags: list[dict[str, str]] = []
        self._nodes: list[Ints] = []
        self._count = 0
        self.incomplete = 0

    def add(self, way: int, nodes: list[int], tags: dict[str, str]) -> None:
        """One way. Raises TooLarge beyond what an extract of a metropolis holds."""
        if not 2 <= len(nodes) <= _LONGEST_WAY:
            return
        self._count += len(nodes)
        if len(self._ids) >= MOST_WAYS or self._count > MOST_REFERENCES:
            raise TooLarge(
                "streets_too_many",
                f"{self._name} holds more than {MOST_WAYS:,} streets: cut the territory out of it "
                "(osmium extract) or take a smaller extract.",
                {"limit": MOST_WAYS},
            )
        self._ids.append(way)
        self._tags.append(tags)
        self._nodes.append(np.array(nodes, dtype=np.int64))

    def references(self) -> Ints:
        """Every node that a way uses, once."""
        self._flat = np.concatenate(self._nodes) if self._nodes else np.zeros(0, dtype=np.int64)
        self._starts = np.concatenate([[0], np.cumsum([len(n) for n in self._nodes])]).astype(int)
        self._nodes = []
        self._known = np.unique(self._flat)
        return self._known

    def place(self, nodes: Iterator[tuple[int, float, float]]) -> None:
        """Where the nodes are."""
        lon = np.full(len(self._known), np.nan)
        lat = np.full(len(self._known), np.nan)
        for node, x, y in nodes:
            at = int(np.searchsorted(self._known, node))
            if at < len(self._known) and self._known[at] == node:
                lon[at], lat[at] = x, y
        which = np.searchsorted(self._known, self._flat)
        self._lon, self._lat = lon[which], lat[which]
        self.incomplete = int(np.isnan(lon).sum())
        uses = np.bincount(which, minlength=len(self._known))[which]
        ends = np.zeros(len(self._flat), dtype=bool)
        ends[self._starts[:-1]] = ends[self._starts[1:] - 1] = True
        self._cut = ends | (uses > 1)

    def pieces(self, box: BBox | None) -> list[tuple[int, int, int]]:
        """Way, first and last vertex of each piece that lies near, in the order of the file."""
        here = np.isfinite(self._lon)
        inside = here if box is None else here & box.contains(self._lon, self._lat)
        found: list[tuple[int, int, int]] = []
        for way in range(len(self._ids)):
            start, stop = int(self._starts[way]), int(self._starts[way + 1])
            cuts = np.flatnonzero(self._cut[start:stop]) + start
            for first, last in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
                part = slice(first, last + 1)
                if here[part].sum() >= 2 and inside[part].any():
                    found.append((way, first, last))
        return found

    def piece(self, way: int, first: int, last: int) -> tuple[dict[str, str], Any]:
        """The tags of a piece, and its line."""
        places = np.column_stack([self._lon[first : last + 1], self._lat[first : last + 1]])
        places = places[np.isfinite(places[:, 0])]
        tags = {**self._tags[way], "id": f"{self._ids[way]}.{self._flat[first]}"}
        return tags, shapely.linestrings(places)
