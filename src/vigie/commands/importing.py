"""`vigie import …`: equipment, streets, addresses and contours from files."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from vigie import places, twin
from vigie.commands.engines import engines
from vigie.core.database import Database
from vigie.core.geofiles import ImportReport
from vigie.core.geofiles import Progress as Tell
from vigie.core.settings import load

app = typer.Typer(
    no_args_is_help=True, help="Import equipment, streets, addresses and contours from files."
)
console = Console(stderr=True)

File = Annotated[
    Path, typer.Argument(exists=True, help="Shapefile (zip), GeoPackage, GeoJSON, CSV.")
]
StreetFile = Annotated[
    Path,
    typer.Argument(exists=True, help="Shapefile (zip), GeoPackage, GeoJSON, CSV, OSM (.osm.pbf)."),
]
MappingFile = Annotated[
    Path | None, typer.Option(exists=True, help="TOML that says which column is what.")
]
Crs = Annotated[str, typer.Option(help="True coordinate system of the file, like EPSG:2154.")]
Encoding = Annotated[str, typer.Option(help="Text encoding of the file, like cp1252.")]
Layer = Annotated[str, typer.Option(help="Layer of a file that holds several.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Report what would change; change nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the whole report as JSON.")]


@app.command()
def equipment(
    file: File,
    kind: Annotated[str, typer.Option(help="Kind of equipment, like Streetlight.")] = "",
    mapping: MappingFile = None,
    crs: Crs = "",
    encoding: Encoding = "",
    layer: Layer = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import equipment of one kind; the same file again changes nothing."""

    async def work() -> ImportReport:
        async with engines(load()) as session, session.runtime("import") as runtime:
            await _territory(runtime.database, runtime.settings.territory)
            with _bar(file) as progress:
                return await twin.import_equipment(
                    runtime,
                    file,
                    kind=kind,
                    mapping=mapping,
                    crs=crs,
                    encoding=encoding,
                    layer=layer,
                    dry_run=dry_run,
                    progress=progress,
                )

    _show(asyncio.run(work()), as_json)


@app.command()
def streets(
    file: StreetFile,
    mapping: MappingFile = None,
    crs: Crs = "",
    encoding: Encoding = "",
    layer: Layer = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import streets: the base map and the names people search for."""

    async def work() -> ImportReport:
        async with engines(load()) as session, session.runtime("import") as runtime:
            await _territory(runtime.database, runtime.settings.territory)
            with _bar(file) as progress:
                return await places.import_streets(
                    runtime.database,
                    file,
                    mapping=mapping,
                    crs=crs,
                    encoding=encoding,
                    layer=layer,
                    dry_run=dry_run,
                    progress=progress,
                )

    _show(asyncio.run(work()), as_json)


@app.command()
def addresses(
    file: Annotated[Path, typer.Argument(exists=True, help="CSV, such as BAN's.")],
    mapping: MappingFile = None,
    encoding: Encoding = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import addresses with house numbers; what people corrected stays."""

    async def work() -> ImportReport:
        async with engines(load()) as session, session.runtime("import") as runtime:
            await _territory(runtime.database, runtime.settings.territory)
            with _bar(file) as progress:
                return await places.import_addresses(
                    runtime.database,
                    file,
                    mapping=mapping,
                    encoding=encoding,
                    dry_run=dry_run,
                    progress=progress,
                )

    _show(asyncio.run(work()), as_json)


@app.command()
def contours(
    file: File,
    key: Annotated[str, typer.Option(help="Property that holds the INSEE code.")] = "insee",
    as_json: AsJson = False,
) -> None:
    """Import the contours of the territory's municipalities."""

    async def work() -> ImportReport:
        async with engines(load()) as session, session.runtime("import") as runtime:
            await _territory(runtime.database, runtime.settings.territory)
            return await places.import_contours(runtime.database, file, key=key)

    _show(asyncio.run(work()), as_json)


async def _territory(database: Database, territory: str) -> None:
    async with database.unit() as unit:
        await places.install(unit, places.load_pack(territory))


@contextmanager
def _bar(file: Path) -> Generator[Tell]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(file.name, total=None)

        def tell(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield tell


def _show(report: ImportReport, as_json: bool) -> None:
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        typer.echo("\n".join(report.lines()))
    if report.refused and not report.created and not report.changed and not report.unchanged:
        raise typer.Exit(1)
