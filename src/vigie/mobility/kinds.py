"""Kinds of mobility. Names: GTFS (vehicle positions) and Smart Data Models (ParkingSpot)."""

from vigie.twin.kinds import POSITION, Choice, Command, Event, Flag, Kind, Number, Text

BUS = Kind(
    "Bus",
    "mobility",
    points=(
        *POSITION,
        Number("delay", "s", -7200, 7200, promise_s=60),
        Choice(
            "occupancy",
            (
                "empty",
                "many_seats",
                "few_seats",
                "standing",
                "crushed",
                "full",
                "not_accepting",
            ),
        ),
        Choice(
            "service",
            ("off", "in_service", "not_in_service", "broken_down"),
            abnormal=("broken_down",),
        ),
        Flag("doorsOpen"),
        Flag("emergency", abnormal=True),
    ),
    events=(
        Event("stop_reached", (Text("stop", 64), Number("delay", "s", -7200, 7200))),
        Event("priority_asked", (Text("crossing", 64),)),
        Event("driver_alarm", (Text("message", 200),), personal=True, abnormal=True, keep_days=30),
    ),
    commands=(Command("send_text", (Text("text", 200),), function="display"),),
    moves=True,
    draws=("heading", "speed", "delay", "service"),
    marks=("emergency",),
    icon="bus",
    life_years=15,
    standard="GTFS Realtime: VehiclePosition",
)

PARKING_SPOT = Kind(
    "ParkingSpot",
    "mobility",
    points=(
        Choice("occupied", ("free", "occupied", "closed"), promise_s=3600),
        Number("batteryLevel", "%", 0, 100, promise_s=86_400),
    ),
    draws=("occupied",),
    icon="parking",
    life_years=7,
    standard="Smart Data Models: ParkingSpot",
)

KINDS = (BUS, PARKING_SPOT)
