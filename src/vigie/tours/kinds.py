"""Kinds of tours. Names: Smart Data Models (WasteContainer)."""

from vigie.twin.kinds import Event, Flag, Kind, Number

WASTE_CONTAINER = Kind(
    "WasteContainer",
    "tours",
    points=(
        Number("fillingLevel", "%", 0, 100, promise_s=14_400),
        Number("temperature", "°C", -40, 200, promise_s=14_400),
        Number("batteryLevel", "%", 0, 100, promise_s=86_400),
        Flag("fire", abnormal=True),
        Flag("overturned", abnormal=True),
    ),
    events=(Event("emptied"), Event("overflow", abnormal=True)),
    draws=("fillingLevel",),
    marks=("fire", "overturned"),
    icon="waste",
    life_years=12,
    standard="Smart Data Models: WasteContainer",
)

KINDS = (WASTE_CONTAINER,)
