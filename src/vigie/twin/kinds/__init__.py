"""Kinds of equipment, declared as data: what each measures, what it may be told to do.

A metric's slot is its place in the declaration: state and history store values by slot, so slots
are only ever added at the end. Names follow Smart Data Models and TALQ.
"""

import msgspec

REPORT_S = 180.0


class Metric(msgspec.Struct, frozen=True):
    """One value a device reports.

    A flag is 0 or 1; `abnormal` says that 1 asks for a person. `promise_s` is the age after which
    a value is shown as old; None when the device tells only changes.
    """

    name: str
    unit: str
    minimum: float
    maximum: float
    flag: bool = False
    promise_s: float | None = REPORT_S
    abnormal: bool = False


class Parameter(msgspec.Struct, frozen=True):
    """One number a command takes; `metric` is the reading that shows it done."""

    name: str
    unit: str
    minimum: float
    maximum: float
    metric: str = ""


class CommandSpec(msgspec.Struct, frozen=True):
    """One thing a kind may be told to do."""

    verb: str
    params: tuple[Parameter, ...]


class Kind(msgspec.Struct, frozen=True):
    """A kind of equipment of one trade; `parents` are the kinds that may feed it."""

    name: str
    trade: str
    metrics: tuple[Metric, ...] = ()
    commands: tuple[CommandSpec, ...] = ()
    icon: str = "dot"
    parents: tuple[str, ...] = ()

    def slot(self, metric: str) -> int | None:
        """The place of a metric in stored arrays; None when this kind has no such metric."""
        for index, declared in enumerate(self.metrics):
            if declared.name == metric:
                return index
        return None

    def metric(self, name: str) -> Metric | None:
        """The declaration of a metric."""
        return next((m for m in self.metrics if m.name == name), None)

    def command(self, verb: str) -> CommandSpec | None:
        """The declaration of a command."""
        return next((c for c in self.commands if c.verb == verb), None)


def _flag(name: str, *, abnormal: bool) -> Metric:
    return Metric(name, "1", 0, 1, flag=True, promise_s=None, abnormal=abnormal)


STREETLIGHT = Kind(
    "Streetlight",
    "lighting",
    metrics=(
        Metric("dimmingLevel", "%", 0, 100),
        Metric("activePower", "W", 0, 2000),
        Metric("activeEnergy", "kWh", 0, 1e7),
        Metric("operatingHours", "h", 0, 1e6),
        Metric("supplyVoltage", "V", 0, 500),
        Metric("temperature", "°C", -60, 150),
        _flag("lampFailure", abnormal=True),
        _flag("supplyLoss", abnormal=True),
    ),
    commands=(
        CommandSpec("set_dimming_level", (Parameter("level", "%", 0, 100, "dimmingLevel"),)),
    ),
    icon="streetlight",
    parents=("StreetlightControlCabinet",),
)

STREETLIGHT_CONTROL_CABINET = Kind(
    "StreetlightControlCabinet",
    "lighting",
    metrics=(
        Metric("activePower", "W", 0, 1e6),
        Metric("activeEnergy", "kWh", 0, 1e9),
        Metric("supplyVoltage", "V", 0, 500),
        _flag("doorOpen", abnormal=True),
        _flag("supplyLoss", abnormal=True),
    ),
    icon="cabinet",
)

TRAFFIC_LIGHT = Kind("TrafficLight", "traffic", icon="signals")

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (STREETLIGHT, STREETLIGHT_CONTROL_CABINET, TRAFFIC_LIGHT)
}
TRADES: tuple[str, ...] = tuple(sorted({kind.trade for kind in KINDS.values()}))
