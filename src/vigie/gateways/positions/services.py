"""Of the role `gateways`: a door for each protocol whose port is set."""

from collections.abc import Awaitable, Callable

from vigie.core.runtime import Runtime
from vigie.gateways.ingest import Intake
from vigie.gateways.positions import http, talks
from vigie.gateways.positions.door import Door, Talk
from vigie.gateways.positions.registry import Registry

TALKS: dict[str, Talk] = {
    "osmand": http.talk_osmand,
    "teltonika": talks.talk_teltonika,
    "nmea": talks.talk_nmea,
    "radio": talks.talk_radio,
}


def services(runtime: Runtime) -> dict[str, Callable[[], Awaitable[None]]]:
    """The doors that this installation opens: none, unless a port is set."""
    clients, accept = Registry(runtime.database), Intake.of(runtime).accept
    settings = runtime.settings
    ports = {
        "osmand": settings.positions_osmand_port,
        "teltonika": settings.positions_teltonika_port,
        "nmea": settings.positions_nmea_port,
        "radio": settings.positions_radio_port,
    }
    return {
        f"positions-{name}": Door(runtime, name, port, TALKS[name], clients, accept).keep
        for name, port in ports.items()
        if port
    }
