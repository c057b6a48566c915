"""The `vigie` command: every verb an administrator has on a machine."""

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from vigie import role as role_
from vigie.commands import access, doctor, importing, journal
from vigie.core.errors import VigieError

T = TypeVar("T")
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Vigie, the control centre of a connected city.",
)
app.add_typer(importing.app, name="import")
app.add_typer(access.app, name="user")
app.add_typer(journal.app, name="journal")
console = Console()


@app.command()
def up(
    city: Annotated[
        Path | None,
        typer.Option(help="Simulate this city folder (city.toml) instead of the demo city."),
    ] = None,
    no_city: Annotated[
        bool, typer.Option("--no-city", help="Start the centre alone: no simulated devices.")
    ] = False,
    lights: Annotated[int, typer.Option(min=1, help="Equipment of the demo city.")] = 34_000,
    failure_rate: Annotated[
        float, typer.Option(min=0, max=1, help="Share of simulated lights that fail.")
    ] = 0.01,
    reload: Annotated[
        bool, typer.Option("--reload", help="Start roles again when the code changes.")
    ] = False,
    without: Annotated[
        str, typer.Option(help="A role that you run yourself: `vigie run ROLE`, in a debugger.")
    ] = "",
) -> None:
    """Start the whole centre and print where to look."""
    from vigie.centre import CityOptions, run

    _run(run(CityOptions(city, not no_city, lights, failure_rate), reload, without))


@app.command()
def run(
    role: Annotated[str, typer.Argument(help="api, public, ingest, watch, jobs or gateways.")],
) -> None:
    """Run one role in this process; several of each may run."""
    role_.start(role)


@app.command()
def migrate() -> None:
    """Bring the database's shape up to date."""
    from vigie.commands.engines import engines
    from vigie.core.settings import load

    async def work() -> None:
        async with engines(load(), migrated=False) as session:
            console.print(f"The database is at revision {await session.migrate()}.")

    _run(work())


@app.command(name="doctor")
def doctor_() -> None:
    """Say what runs, in which version, how far behind, and what is wrong."""
    if not _run(doctor.examine(console)):
        raise typer.Exit(1)


@app.command(name="nats-config")
def nats_config() -> None:
    """Print the configuration a NATS server of one's own needs."""
    from vigie.commands.engines import external_nats_configuration
    from vigie.core.settings import load

    sys.stdout.write(external_nats_configuration(load()))


@app.command()
def provision(
    out: Annotated[Path, typer.Option(help="File to write, readable by its owner only.")],
    per_gateway: Annotated[
        int, typer.Option(min=1, max=2000, help="Devices behind one site gateway.")
    ] = 300,
    rotate: Annotated[
        bool, typer.Option("--rotate", help="New secrets for gateways whose secret is not in OUT.")
    ] = False,
) -> None:
    """Issue site gateways and their credentials for every device that has none."""
    from vigie.commands.provisioning import provision_file

    _run(provision_file(out, per_gateway, rotate, console))


@app.command()
def settings() -> None:
    """Every setting: its value, where it comes from, what it means."""
    from vigie.core.settings import describe, unknown

    table = Table("Setting", "Value", "Source", "Meaning", box=None, pad_edge=False)
    for row in describe():
        table.add_row(row.variable, row.value or "—", row.source, row.meaning)
    console.print(table)
    for warning in unknown():
        console.print(f"[yellow]{warning}[/]", highlight=False)


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def main() -> None:
    """Run the command; a known failure is one line on standard error and exit code 1."""
    try:
        app()
    except VigieError as error:
        sys.stderr.write(f"vigie: {error.detail}\n")
        sys.exit(1)
    except PermissionError as error:
        sys.stderr.write(f"vigie: {error.filename} may not be read or written: whose is it?\n")
        sys.exit(1)
    except OSError as error:
        about = f"{error.filename}: " if error.filename else ""
        sys.stderr.write(f"vigie: {about}{error.strerror or error}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
