"""`vigie provision`: site gateways, and the credentials their installer needs."""

from pathlib import Path

from rich.console import Console

from vigie.commands.engines import engines
from vigie.core.runtime import Runtime
from vigie.core.settings import load
from vigie.gateways import mqtt
from vigie.gateways.clients import Provisioned


async def provision_file(out: Path, per_gateway: int, rotate: bool, console: Console) -> None:
    """Issue what is missing and write the file."""
    async with engines(load()) as session, session.runtime("provision") as runtime:
        made = await provision(runtime, out, per_gateway=per_gateway, rotate=rotate)
    console.print(f"{out}: {made.gateways} gateways for {made.devices} devices")


async def provision(
    runtime: Runtime, out: Path, *, per_gateway: int = 300, rotate: bool = False
) -> Provisioned:
    """One unit of work around the verb."""
    async with runtime.database.unit() as unit:
        return await mqtt.provision(
            unit, runtime.bus, runtime.settings, out, per_gateway=per_gateway, rotate=rotate
        )
