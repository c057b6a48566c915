"""Which rooms make up which process. A role imports its own rooms only, and so starts sooner."""

from collections.abc import Callable

from vigie.core import logs, metrics
from vigie.core.runtime import Runtime, Services
from vigie.core.settings import load, unknown

log = logs.logger(__name__)


def api(runtime: Runtime) -> Services:
    """HTTP, WebSocket and screens."""
    from vigie import routes

    return routes.services(runtime, tuple(ROLES))


def ingest(runtime: Runtime) -> Services:
    """Readings into history and state; acknowledgements into commands."""
    from vigie import control
    from vigie.gateways.mqtt import ingest as way_up

    return way_up.services(runtime, acknowledge=control.acknowledge, observe=control.observe)


def watch(runtime: Runtime) -> Services:
    """Journal order and seals, reactions, commands that are due, partitions."""
    from vigie import control, twin
    from vigie.core import journal
    from vigie.twin import live, telemetry

    return {
        **journal.services(runtime, (*twin.REACTIONS, *live.REACTIONS)),
        **control.services(runtime),
        **telemetry.services(runtime),
    }


def gateways(runtime: Runtime) -> Services:
    """Protocol adapters."""
    from vigie.gateways import mqtt

    return mqtt.services(runtime)


ROLES: dict[str, Callable[[Runtime], Services]] = {
    "gateways": gateways,
    "ingest": ingest,
    "watch": watch,
    "api": api,
}


async def run_role(role: str) -> None:
    """Run one role in this process until told to stop."""
    settings = load()
    runtime = await Runtime.open(settings, role)
    logs.configure(settings.log_level, settings.log_format, role=role, instance=runtime.instance)
    for warning in unknown():
        log.warning("setting_unknown", detail=warning)
    await runtime.run({**ROLES[role](runtime), **metrics.services(runtime)})
