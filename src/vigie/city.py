"""The city a centre is started with: a folder's own, or the synthetic demo on the territory.

A city folder holds `city.toml`:

    name = "Montpellier"
    synthetic = false
    attribution = "Ville de Montpellier, Licence Ouverte"
    [[streets]]                       # in order; paths are relative to the folder
    file = "streets.zip"
    [[equipment]]                     # parents before children
    kind = "Streetlight"
    file = "lights.zip"
    mapping = "lights.toml"
"""

import asyncio
import hashlib
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import msgspec

from vigie import places, twin
from vigie.commands.engines import Session
from vigie.commands.provisioning import provision
from vigie.core.engines.secrets import write
from vigie.core.errors import SetupError
from vigie.core.runtime import Runtime

Say = Callable[[str], None]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the city."""

    file: str
    kind: str = ""
    mapping: str = ""
    crs: str = ""
    encoding: str = ""


class CityFile(msgspec.Struct, frozen=True):
    """What city.toml says; keys for people and other tools are let through."""

    name: str
    synthetic: bool = False
    attribution: str = ""
    streets: tuple[Source, ...] = ()
    equipment: tuple[Source, ...] = ()


class Simulation(msgspec.Struct, frozen=True):
    """What simcity is started with."""

    name: str
    folder: Path
    devices: int
    provisioning: Path
    ledger: Path
    control: Path


async def prepare(session: Session, folder: Path | None, lights: int, say: Say) -> Simulation:
    """Import the city where it is not yet, and provision its devices.

    Raises SetupError for a folder that is no city, Invalid for a file that cannot be read.
    """
    settings = session.settings
    if folder is None:
        folder = settings.root / f"city-{lights}"
        if not (folder / "city.toml").exists():
            say(f"  Drawing a synthetic city of {lights:,} lights …")
            await _draw(settings.territory, folder, lights)
    city = read_city(folder)
    provisioning = settings.root / "provisioning.json"
    async with session.runtime("city") as runtime:
        mark = settings.root / "run" / "city.imported"
        digest = _digest(folder, city)
        if not mark.exists() or mark.read_text() != digest:
            await _import(runtime, folder, city, say)
            await asyncio.to_thread(write, mark, digest.encode())
        made = await provision(runtime, provisioning)
    return Simulation(
        city.name,
        folder,
        made.devices,
        provisioning,
        settings.root / "simcity.sqlite",
        settings.root / "run" / "simcity.sock",
    )


def read_city(folder: Path) -> CityFile:
    """Parse city.toml. Raises SetupError with the fault."""
    file = folder / "city.toml"
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), CityFile)
    except OSError as error:
        raise SetupError(f"{folder} is no city folder: {file} {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise SetupError(f"{file}: {error}.") from error


async def _import(runtime: Runtime, folder: Path, city: CityFile, say: Say) -> None:
    pack = places.load_pack(runtime.settings.territory)
    async with runtime.database.unit() as unit:
        await places.install(unit, pack, synthetic=city.synthetic, attribution=city.attribution)
    for source in city.streets:
        report = await places.import_streets(
            runtime.database,
            folder / source.file,
            mapping=folder / source.mapping if source.mapping else None,
            crs=source.crs,
            encoding=source.encoding,
        )
        say("  " + report.lines()[0])
    for source in city.equipment:
        report = await twin.import_equipment(
            runtime,
            folder / source.file,
            kind=source.kind,
            mapping=folder / source.mapping if source.mapping else None,
            crs=source.crs,
            encoding=source.encoding,
        )
        say("  " + report.lines()[0])


def _digest(folder: Path, city: CityFile) -> str:
    """Names, sizes and times of the city's files: changed files are imported again."""
    sums = hashlib.sha256(msgspec.json.encode(city))
    for source in (*city.streets, *city.equipment):
        for name in filter(None, (source.file, source.mapping)):
            try:
                stat = (folder / name).stat()
            except OSError as error:
                raise SetupError(f"{folder / name}: {error.strerror}.") from error
            sums.update(f"{folder / name} {stat.st_size} {stat.st_mtime_ns}".encode())
    return sums.hexdigest()


async def _draw(territory: str, folder: Path, lights: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "simcity",
        "generate",
        f"--territory={places.pack_folder(territory)}",
        f"--out={folder}",
        f"--lights={lights}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    if process.returncode != 0:
        raise SetupError(f"The demo city could not be drawn: {errors.decode().strip()[-300:]}")
