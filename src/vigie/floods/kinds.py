"""Kinds of the floods trade. Names: Hub'Eau and Vigicrues (H height, Q flow)."""

from vigie.twin.kinds import Flag, Kind, Number

RIVER_GAUGE = Kind(
    "RiverGauge",
    "floods",
    points=(
        Number("waterLevel", "m", -10, 50, promise_s=900),
        Number("flow", "m³/s", 0, 20_000, promise_s=900),
        Number("waterTemperature", "°C", -5, 40, promise_s=3600),
        Number("batteryLevel", "%", 0, 100, promise_s=86_400),
        Flag("fault", abnormal=True),
    ),
    draws=("waterLevel", "flow"),
    icon="river",
    life_years=15,
    standard="Sandre: station hydrométrique",
)

RAIN_GAUGE = Kind(
    "RainGauge",
    "floods",
    points=(
        Number("rain", "mm", 0, 1e5, promise_s=900, counter=True),
        Number("intensity", "mm/h", 0, 400, promise_s=900),
        Number("batteryLevel", "%", 0, 100, promise_s=86_400),
        Flag("fault", abnormal=True),
    ),
    draws=("intensity",),
    icon="rain",
    life_years=15,
)

KINDS = (RIVER_GAUGE, RAIN_GAUGE)
