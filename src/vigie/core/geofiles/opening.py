"""Opens a file of a stranger by its kind, after looking at what it really is."""

import contextlib
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

from vigie.core.errors import Invalid, TooLarge
from vigie.core.geofiles import archive
from vigie.core.geofiles import encoding as encodings
from vigie.core.geofiles.source import GeoFile, ReadOptions, unreadable
from vigie.core.geometry import BBox

MAX_FILE_BYTES = 4_000_000_000


@contextlib.contextmanager
def open_geofile(
    path: Path, options: ReadOptions | None = None, *, near: BBox | None = None, place: str = ""
) -> Generator[GeoFile]:
    """Open a zipped Shapefile, Shapefile, GeoPackage, GeoJSON or CSV.

    `near` is where its content should lie, `place` what that is called: they serve to name the
    reference system of a file that has the wrong one. Raises Invalid or TooLarge.
    """
    options = options or ReadOptions()
    path = path.expanduser().resolve()
    if not path.is_file():
        raise Invalid("file_missing", f"There is no file {path}.", {"file": path.name})
    if path.stat().st_size > MAX_FILE_BYTES:
        raise TooLarge(
            "file_size",
            f"{path.name} is larger than {MAX_FILE_BYTES // 10**9} GB: split it.",
            {"file": path.name, "limit": MAX_FILE_BYTES},
        )
    work = Path(tempfile.mkdtemp(prefix="vigie-import-"))
    try:
        data = archive.unpack(path, work) if path.suffix.lower() == ".zip" else path
        yield _open(data, path.name, options, near, place, work)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _open(
    data: Path, shown: str, options: ReadOptions, near: BBox | None, place: str, work: Path
) -> GeoFile:
    # GDAL and PROJ are loaded by the process that imports, and by no other: 60 MB each time.
    from vigie.core.geofiles.geojson import GeoJsonFile
    from vigie.core.geofiles.ogr import OgrFile
    from vigie.core.geofiles.table import CsvFile

    suffix = data.suffix.lower()
    if suffix not in {".shp", ".gpkg", ".geojson", ".json", ".csv", ".txt"}:
        raise unreadable(
            shown, "only .zip, .shp, .gpkg, .geojson, .json, .csv and .txt files are read"
        )
    with data.open("rb") as file:
        head = file.read(4096)
    if suffix == ".shp":
        if not head.startswith(b"\x00\x00\x27\x0a"):
            raise unreadable(shown, "it is not a Shapefile")
        return OgrFile(_with_parts(data, work), shown, options, near, place)
    if suffix == ".gpkg":
        if not head.startswith(b"SQLite format 3\x00"):
            raise unreadable(shown, "it is not a GeoPackage")
        return OgrFile(data, shown, options, near, place)
    given = options.encoding
    detected = encodings.named(data, given) if given else encodings.detect(data)
    text = encodings.as_utf8(data, detected.encoding, work / f"utf8{suffix}")
    if suffix in {".csv", ".txt"}:
        opened = CsvFile(text, shown, detected.encoding, options, near, place)
    elif head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"{"):
        opened = GeoJsonFile(text, shown, detected.encoding, options, near, place)
    else:
        raise unreadable(shown, "it is not GeoJSON")
    opened.notes[:0] = detected.notes
    return opened


def _with_parts(shape: Path, work: Path) -> Path:
    """A Shapefile whose parts are beside it as GDAL looks for them: LIGHTS.DBF as LIGHTS.dbf.

    Where names differ in case alone, links of the right names are made.
    """
    found: dict[str, Path] = {}
    for part in sorted(shape.parent.iterdir()):
        suffix = part.suffix.lower()
        if suffix not in archive.PARTS or part.stem.lower() != shape.stem.lower():
            continue
        # The exact name wins over one that differs in case.
        if suffix not in found or part == shape.with_suffix(suffix):
            found[suffix] = part
    if shape.suffix == ".shp" and all(p == shape.with_suffix(s) for s, p in found.items()):
        return shape
    for suffix, part in {**found, ".shp": shape}.items():
        (work / f"data{suffix}").symlink_to(part)
    return work / "data.shp"
