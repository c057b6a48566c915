"""A territory, and small files of equipment."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from vigie import places
from vigie.core.database import Database
from vigie.core.runtime import Runtime


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(runtime: Runtime, database: Database) -> Runtime:
    """A process on a database with the territory of Dijon."""
    async with database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
    return runtime


Rows = list[tuple[dict[str, Any], list[float] | None]]


@pytest.fixture
def points_file(tmp_path: Path) -> Callable[[Rows], Path]:
    """Makes a GeoJSON of points."""
    return lambda rows: _points(tmp_path / "points.geojson", rows)


def _points(path: Path, rows: Rows) -> Path:
    features = [
        {"type": "Feature", "properties": p,
         "geometry": None if at is None else {"type": "Point", "coordinates": at}}
        for p, at in rows
    ]  # fmt: skip
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path
