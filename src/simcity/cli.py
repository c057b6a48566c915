"""The `simcity` command."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="A simulated city for Vigie: synthetic streets and lights that live over MQTT.",
)


@app.command()
def generate(
    territory: Annotated[Path, typer.Option(help="Folder of a territory pack.")],
    out: Annotated[Path, typer.Option(help="Folder to write the city to.")],
    lights: Annotated[int, typer.Option(min=1, help="How many street lights.")] = 34_000,
    seed: Annotated[int, typer.Option(help="The same seed draws the same city.")] = 1,
) -> None:
    """Draw a synthetic city on a real territory."""
    from simcity.generate.city import generate as make
    from simcity.generate.territory import TerritoryError

    try:
        made = make(territory, out, lights, seed)
    except TerritoryError as error:
        typer.echo(f"simcity: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(
        f"{out}: {made.lights} lights on {made.street_km:.0f} km of {made.streets} synthetic "
        f"streets, {made.cabinets} cabinets (seed {seed})"
    )


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("vigie"))
