"""Territory packs: a folder with pack.toml and municipalities.csv."""

import csv
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from vigie.core.errors import SetupError
from vigie.places.model import Holidays, Municipality, Pack

SHIPPED = Path(__file__).parent / "packs"


class _PackFile(msgspec.Struct, forbid_unknown_fields=True):
    code: str
    name: str
    languages: tuple[str, ...]
    time_zone: str
    attribution: str = ""
    holidays: Holidays = Holidays()


def pack_folder(territory: str) -> Path:
    """The folder of a shipped pack's name, or the folder itself."""
    shipped = SHIPPED / territory
    if territory.isidentifier() and (shipped / "pack.toml").is_file():
        return shipped
    folder = Path(territory).expanduser()
    if (folder / "pack.toml").is_file():
        return folder
    names = ", ".join(sorted(p.parent.name for p in SHIPPED.glob("*/pack.toml")))
    raise SetupError(
        f"There is no territory pack {territory!r}: give a shipped one ({names}) or a folder "
        "with pack.toml and municipalities.csv."
    )


def load_pack(territory: str) -> Pack:
    """Read a pack. Raises SetupError naming the file, the line and the fault."""
    folder = pack_folder(territory)
    file = folder / "pack.toml"
    try:
        read = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _PackFile)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SetupError(f"{file}: {error}.") from error
    try:
        ZoneInfo(read.time_zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise SetupError(f"{file}: there is no time zone {read.time_zone!r}.") from error
    return Pack(
        code=read.code,
        name=read.name,
        languages=read.languages,
        time_zone=read.time_zone,
        attribution=read.attribution,
        holidays=read.holidays,
        municipalities=_municipalities(folder / "municipalities.csv"),
    )


def _municipalities(file: Path) -> tuple[Municipality, ...]:
    found: dict[str, Municipality] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            for number, row in enumerate(csv.DictReader(text), start=2):
                try:
                    made = _municipality(row)
                except (KeyError, TypeError, ValueError) as error:
                    raise SetupError(
                        f"{file} line {number}: insee,name,population,lon,lat,area_km2 are needed "
                        f"({error!r})."
                    ) from error
                if made.insee in found:
                    raise SetupError(f"{file} line {number}: {made.insee} is there twice.")
                found[made.insee] = made
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.") from error
    if not found:
        raise SetupError(f"{file} names no municipality.")
    return tuple(found.values())


def _municipality(row: dict[str, Any]) -> Municipality:
    lon, lat, area = float(row["lon"]), float(row["lat"]), float(row["area_km2"])
    if not (-180 <= lon <= 180 and -85 <= lat <= 85 and area > 0 and row["insee"] and row["name"]):
        raise ValueError("out of range")
    return Municipality(row["insee"], row["name"], int(row["population"]), (lon, lat), area)
