"""The `simcity` command."""

import asyncio
import datetime as dt
import os
import sqlite3
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would show secrets among the locals
    help="A simulated city for Vigie: synthetic streets and lights that live over MQTT.",
)


def fail(error: Exception | str) -> typer.Exit:
    typer.echo(f"simcity: {error}", err=True)
    return typer.Exit(2)


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
        raise fail(error) from None
    typer.echo(
        f"{out}: {made.lights} lights on {made.street_km:.0f} km of {made.streets} synthetic "
        f"streets, {made.cabinets} cabinets, {made.others} other pieces of equipment (seed {seed})"
    )


@app.command()
def run(
    context: typer.Context,
    provisioning: Annotated[Path, typer.Option(help="The file `vigie provision` wrote.")],
    ledger: Annotated[Path | None, typer.Option(help="SQLite file of the witness.")] = None,
    seed: Annotated[int, typer.Option(help="Noise and faults follow from it.")] = 1,
    failure_rate: Annotated[float, typer.Option(min=0, max=1, help="Share at fault.")] = 0.0,
    speed: Annotated[float, typer.Option(min=0, help="How fast the sun moves.")] = 1.0,
    batch: Annotated[
        int, typer.Option(min=0, max=500, help="Readings a message; 0: one by one.")
    ] = 20,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between reports.")] = 60.0,
    latency_ms: Annotated[float, typer.Option(min=0, help="Mean time a command takes.")] = 0.0,
    control: Annotated[Path | None, typer.Option(help="Unix socket to steer by.")] = None,
    rate: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Load: this many messages a second, instead of the interval, of three values; "
            "one reading each unless --batch is given.",
        ),
    ] = None,
    keep_hours: Annotated[
        float, typer.Option(min=0.01, help="The ledger keeps acknowledged messages so long.")
    ] = 6.0,
    part: Annotated[str, typer.Option("--slice", help="Part of the gateways: 0/2, 1/2.")] = "0/1",
    duration: Annotated[float | None, typer.Option(help="End after so many seconds.")] = None,
    stats_every: Annotated[float, typer.Option(min=0, help="Print counts so often (s).")] = 0.0,
    window: Annotated[
        int, typer.Option(min=1, max=60_000, help="Unacknowledged messages a connection.")
    ] = 512,
    starts_at: Annotated[
        dt.datetime | None,
        typer.Option(help="What the city's clock shows at the start, local; else true time."),
    ] = None,
    zone: Annotated[str, typer.Option(help="Time zone of the timetable.")] = "Europe/Paris",
    city: Annotated[
        Path | None, typer.Option(help="Folder of the drawn city: its streets, what feeds what.")
    ] = None,
    scenario: Annotated[
        str, typer.Option(help="Play this from the start: a file, or one of the library.")
    ] = "",
    keep_values: Annotated[
        bool, typer.Option("--keep-values", help="The ledger keeps what every reading said.")
    ] = False,
) -> None:
    """Let the city live: its devices report over MQTT and obey commands. Ends on SIGTERM."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    from simcity.live import live
    from simcity.provisioning import ProvisioningError, read_part, read_provisioning
    from simcity.run import City, Options
    from simcity.scenario import ScenarioError

    source = context.get_parameter_source("batch")
    one_by_one = rate is not None and source is not None and source.name == "DEFAULT"
    try:
        mine = read_provisioning(provisioning, read_part(part))
        start = starts_at.replace(tzinfo=ZoneInfo(zone)) if starts_at else None
    except (ProvisioningError, ZoneInfoNotFoundError) as error:
        raise fail(error) from None
    options = Options(
        seed=seed,
        failure_rate=failure_rate,
        interval=interval,
        batch=0 if one_by_one else batch,
        rate=rate,
        brief=rate is not None,
        latency=latency_ms / 1000,
        speed=speed,
        start=start,
        zone=zone,
        window=window,
        keep=keep_hours * 3600,
        folder=city,
        scenario=scenario,
        keep_values=keep_values,
    )
    boot_file = provisioning.with_name(provisioning.name + ".boot")
    os.umask(0o077)  # The ledger and the control socket are for their owner.
    try:
        live(lambda: City(mine, options, boot_file, ledger), control, duration, stats_every)
    except (ProvisioningError, ScenarioError) as error:
        raise fail(error) from None
    except sqlite3.Error as error:
        raise fail(f"the ledger {ledger} cannot be used: {error}") from None


@app.command()
def faults(
    provisioning: Annotated[Path, typer.Option(help="The file `vigie provision` wrote.")],
    seed: Annotated[int, typer.Option()] = 1,
    failure_rate: Annotated[float, typer.Option(min=0, max=1)] = 0.0,
) -> None:
    """List the lamps that `run` with this seed and rate has at fault: device, source id, fault."""
    from simcity.faults import NAMES, Fault, fault_of
    from simcity.provisioning import ProvisioningError, read_provisioning

    try:
        gateways = read_provisioning(provisioning).gateways
    except ProvisioningError as error:
        raise fail(error) from None
    for device in (device for gateway in gateways for device in gateway.devices):
        fault = fault_of(seed, failure_rate, device.source_id)
        if fault != Fault.NONE and device.kind == "Streetlight":
            typer.echo(f"{device.device}\t{device.source_id}\t{NAMES[fault]}")


@app.command()
def ledger(
    file: Annotated[Path, typer.Argument(help="The ledger of a run.", exists=True)],
    summary: Annotated[bool, typer.Option("--summary", help="Counts, as JSON.")] = True,
) -> None:
    """Show what a ledger witnessed."""
    import msgspec

    from simcity.ledger import summary as summarise

    if summary:
        typer.echo(msgspec.json.format(msgspec.json.encode(summarise(file))).decode())


@app.command()
def ask(
    socket: Annotated[Path, typer.Argument(help="Control socket of a running city.")],
    request: Annotated[str, typer.Argument(help='Like \'{"op":"stats"}\'.')],
) -> None:
    """Ask a running city something through its control socket."""
    import msgspec

    from simcity.control import ask as put

    try:
        answer = asyncio.run(put(socket, msgspec.json.decode(request, type=dict[str, object])))
    except (OSError, msgspec.MsgspecError) as error:
        raise fail(error) from None
    typer.echo(msgspec.json.encode(answer).decode())
