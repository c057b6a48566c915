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
        return OgrFile(data, shown, options, near, place)
    if suffix == ".gpkg":
        if not head.startswith(b"SQLite format 3\x00"):
            raise unreadable(shown, "it is not a GeoPackage")
        return OgrFile(data, shown, options, near, place)
    encoding = encodings.known(options.encoding) if options.encoding else encodings.detect(data)
    text = encodings.as_utf8(data, encoding, work / f"utf8{suffix}")
    if suffix in {".csv", ".txt"}:
        return CsvFile(text, shown, encoding, options, near, place)
    if not head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"{"):
        raise unreadable(shown, "it is not GeoJSON")
    opened = OgrFile(text, shown, options, near, place)
    opened.encoding = encoding
    return opened
