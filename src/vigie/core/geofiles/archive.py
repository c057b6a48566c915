"""Zip archives of strangers: bounded, flat, and only files of known kinds come out."""

import zipfile
import zlib
from pathlib import Path, PurePosixPath

from vigie.core.errors import Invalid, TooLarge

MAX_BYTES = 2_000_000_000
MAX_MEMBERS = 1000
MAX_RATIO = 200
_DATA = {".shp", ".gpkg", ".geojson", ".json", ".csv", ".txt"}
PARTS = {".shx", ".dbf", ".prj", ".cpg"}
_CHUNK = 1 << 20


def unpack(archive: Path, into: Path, *, limit: int = MAX_BYTES) -> Path:
    """Unpack what is geographic; the one file to open.

    Names inside are never used as paths: members are written as data.shp, data.dbf… A size is
    counted while unpacking, since what an archive declares may be false.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            main, wanted = _choose(opened.infolist(), archive.name)
            written = 0
            allowed = min(limit, max(archive.stat().st_size * MAX_RATIO, 10_000_000))
            for member, name in wanted:
                written += _extract(opened, member, into / name, allowed - written, archive.name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Invalid(
            "file_archive_broken",
            f"{archive.name} is not a readable zip archive ({error}): unpack it, and give the file "
            "inside.",
            {"file": archive.name},
        ) from error
    return into / main


def _choose(
    members: list[zipfile.ZipInfo], name: str
) -> tuple[str, list[tuple[zipfile.ZipInfo, str]]]:
    if len(members) > MAX_MEMBERS:
        raise TooLarge(
            "file_archive_members",
            f"{name} holds {len(members)} files; the limit is {MAX_MEMBERS}.",
            {"file": name, "count": len(members), "limit": MAX_MEMBERS},
        )
    usable = [m for m in members if not m.is_dir() and "__MACOSX" not in m.filename]
    data = [m for m in usable if _suffix(m) in _DATA]
    preferred = [m for m in data if _suffix(m) != ".txt"] or data
    if len(preferred) > 1:
        best = [m for m in preferred if _suffix(m) in {".shp", ".gpkg"}]
        preferred = best if len(best) == 1 else preferred
    if len(preferred) != 1:
        found = ", ".join(sorted(PurePosixPath(m.filename).name[:80] for m in preferred)[:10])
        raise Invalid(
            "file_archive_content",
            f"{name} must hold exactly one Shapefile, GeoPackage, GeoJSON or CSV; it holds "
            f"{found or 'none'}: unpack it, and give the file to import.",
            {"file": name, "found": found},
        )
    main = preferred[0]
    chosen = [(main, "data" + _suffix(main))]
    if _suffix(main) == ".shp":
        stem = str(PurePosixPath(main.filename).with_suffix("")).lower()
        chosen += [
            (m, "data" + _suffix(m))
            for m in usable
            if _suffix(m) in PARTS
            and str(PurePosixPath(m.filename).with_suffix("")).lower() == stem
        ]
    return "data" + _suffix(main), chosen


def _suffix(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename).suffix.lower()


def _extract(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path, allowed: int, name: str
) -> int:
    if member.flag_bits & 1:
        raise Invalid(
            "file_archive_encrypted", f"{name} is encrypted: unpack it first.", {"file": name}
        )
    size = 0
    with archive.open(member) as source, to.open("wb") as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > allowed:
                raise TooLarge(
                    "file_archive_size",
                    f"{name} unpacks to more than is plausible for its size or than "
                    f"{MAX_BYTES // 1_000_000} MB: unpack it yourself if you trust it.",
                    {"file": name, "limit": MAX_BYTES},
                )
            target.write(chunk)
    return size
