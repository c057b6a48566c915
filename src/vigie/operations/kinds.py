"""Kinds of operations: what crews drive and speak with. Their trade is their owner's."""

from vigie.twin.kinds import POSITION, Choice, Command, Event, Flag, Kind, Number, Text

_STATUS = ("off_duty", "available", "on_way", "on_scene", "busy", "returning")

VEHICLE = Kind(
    "Vehicle",
    "operations",
    points=(
        *POSITION,
        Flag("ignition"),
        Number("fuelLevel", "%", 0, 100, promise_s=3600),
        Number("mileage", "km", 0, 5e6, promise_s=86_400, counter=True),
        Choice("duty", _STATUS),
        Flag("equipment"),
        Flag("emergency", abnormal=True),
    ),
    events=(
        Event("status", (Choice("duty", _STATUS),), personal=True, keep_days=60),
        Event("driver_identified", (Text("driver", 64),), personal=True, keep_days=60),
        Event("emergency", (), personal=True, abnormal=True, keep_days=60),
        Event("spreading", (Number("rate", "g/m²", 0, 100), Number("width", "m", 0, 20))),
    ),
    commands=(Command("send_destination", (Text("text", 200),), function="navigation"),),
    moves=True,
    draws=("heading", "speed", "duty"),
    marks=("emergency",),
    icon="vehicle",
    life_years=10,
    standard="Smart Data Models: Vehicle",
)

RADIO = Kind(
    "Radio",
    "operations",
    points=(
        *POSITION,
        Number("batteryLevel", "%", 0, 100, promise_s=900),
        Choice("duty", _STATUS),
        Number("talkGroup", "1", 0, 16_777_215, promise_s=None),
        Number("signal", "dBm", -150, 0),
        Flag("emergency", abnormal=True),
    ),
    events=(
        Event("status", (Number("code", "1", 0, 65_535),), personal=True, keep_days=60),
        Event("text", (Text("text", 500),), personal=True, keep_days=60),
        Event("emergency", (), personal=True, abnormal=True, keep_days=60),
        Event("emergency_ended", (), personal=True, keep_days=60),
        Event("talk_group", (Number("talkGroup", "1", 0, 16_777_215),)),
    ),
    commands=(Command("send_message", (Text("text", 140),), function="message"),),
    moves=True,
    draws=("heading", "speed", "duty"),
    marks=("emergency",),
    icon="radio",
    life_years=8,
    standard="ETSI TS 100 392-18-1 (LIP)",
)

KINDS = (VEHICLE, RADIO)
