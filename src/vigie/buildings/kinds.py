"""Kinds of the buildings trade. Words of alarms follow SIA DC-07 (fire, burglary, tamper, trouble);
metering follows Smart Data Models (Building, ACMeasurement)."""

from vigie.twin.kinds import Choice, Command, Event, Flag, Kind, Number, Text

_ALARM = ("normal", "alarm", "fault", "isolated")

BUILDING = Kind(
    "Building",
    "buildings",
    points=(
        Choice("intrusion", ("disarmed", "armed", "partly_armed", "alarm"), abnormal=("alarm",)),
        Choice(
            "fire",
            ("normal", "pre_alarm", "alarm", "fault"),
            abnormal=("pre_alarm", "alarm", "fault"),
        ),
        Choice("occupancy", ("closed", "open", "occupied_out_of_hours")),
        Number("indoorTemperature", "°C", -30, 60, promise_s=1800),
        Flag("mainsLost", abnormal=True),
        Flag("lineLost", abnormal=True),
    ),
    events=(
        Event("armed", (Text("user", 64),), personal=True, keep_days=90),
        Event("disarmed", (Text("user", 64),), personal=True, keep_days=90),
        Event("test_received"),
    ),
    commands=(
        Command("arm", (), function="intrusion", sets={"intrusion": "armed"}, demands="login"),
        Command(
            "disarm", (), function="intrusion", sets={"intrusion": "disarmed"}, demands="second"
        ),
    ),
    draws=("intrusion", "fire"),
    marks=("mainsLost", "lineLost"),
    icon="building",
    life_years=60,
    standard="Smart Data Models: Building",
)

ALARM_ZONE = Kind(
    "AlarmZone",
    "buildings",
    points=(
        Choice("state", _ALARM, abnormal=("alarm", "fault")),
        Choice("service", ("in_service", "inhibited", "test")),
        Flag("tamper", abnormal=True),
    ),
    events=(
        Event("alarm", (Text("code", 8),), abnormal=True),
        Event("restored", (Text("code", 8),)),
    ),
    commands=(
        Command(
            "inhibit",
            (Choice("service", ("in_service", "inhibited", "test")),),
            function="service",
            shows={"service": "service"},
            demands="login",
        ),
    ),
    draws=("state",),
    marks=("tamper",),
    icon="zone",
    parents=("Building",),
    life_years=15,
    standard="SIA DC-07: zone",
)

FIRE_DETECTOR = Kind(
    "FireDetector",
    "buildings",
    points=(
        Choice("state", _ALARM, abnormal=("alarm", "fault")),
        Number("soiling", "%", 0, 100, promise_s=86_400),
        Number("temperature", "°C", -40, 150, promise_s=3600),
    ),
    events=(
        Event("alarm", (Text("code", 8),), abnormal=True),
        Event("restored", (Text("code", 8),)),
    ),
    draws=("state",),
    icon="fire",
    parents=("AlarmZone", "Building"),
    life_years=10,
    standard="EN 54",
)

INTRUSION_DETECTOR = Kind(
    "IntrusionDetector",
    "buildings",
    points=(
        Choice("state", _ALARM, abnormal=("alarm", "fault")),
        Flag("tamper", abnormal=True),
        Number("batteryLevel", "%", 0, 100, promise_s=86_400),
    ),
    events=(
        Event("alarm", (Text("code", 8),), abnormal=True),
        Event("restored", (Text("code", 8),)),
    ),
    draws=("state",),
    marks=("tamper",),
    icon="intrusion",
    parents=("AlarmZone", "Building"),
    life_years=10,
    standard="EN 50131",
)

DOOR = Kind(
    "Door",
    "buildings",
    points=(
        Choice(
            "position", ("closed", "open", "held_open", "forced"), abnormal=("held_open", "forced")
        ),
        Choice("lock", ("locked", "unlocked", "released")),
        Flag("tamper", abnormal=True),
    ),
    events=(
        Event(
            "badge_read",
            (Text("badge", 64), Choice("result", ("granted", "refused"))),
            personal=True,
            keep_days=90,
        ),
        Event("forced", abnormal=True),
        Event("held_open", abnormal=True),
    ),
    commands=(
        Command(
            "open_door",
            (Number("seconds", "s", 1, 600),),
            function="opening",
            demands="login",
            urgent=True,
        ),
        Command(
            "set_lock",
            (Choice("lock", ("locked", "unlocked")),),
            function="lock",
            shows={"lock": "lock"},
            demands="login",
        ),
    ),
    draws=("position", "lock"),
    marks=("tamper",),
    icon="door",
    parents=("Building",),
    life_years=15,
    standard="OSDP, EN 60839-11",
)

TECHNICAL_POINT = Kind(
    "TechnicalPoint",
    "buildings",
    points=(
        Number("value", "1", -1e9, 1e9, promise_s=900),
        Flag("alarm", abnormal=True),
        Choice("running", ("stopped", "running", "fault"), abnormal=("fault",)),
        Number("setPoint", "1", -1e9, 1e9),
    ),
    commands=(
        Command(
            "write_set_point",
            (Number("value", "1", -1e9, 1e9),),
            function="setPoint",
            shows={"value": "setPoint"},
            demands="login",
        ),
    ),
    draws=("value", "running"),
    marks=("alarm",),
    icon="technical",
    parents=("Building",),
    life_years=15,
    standard="BACnet: analog and binary objects",
)

ENERGY_METER = Kind(
    "EnergyMeter",
    "buildings",
    points=(
        Number("activeEnergy", "kWh", 0, 1e9, promise_s=1800, counter=True),
        Number("activePower", "W", -1e7, 1e7, promise_s=1800),
        Number("volume", "m³", 0, 1e9, promise_s=86_400, counter=True),
        Flag("tamper", abnormal=True),
    ),
    draws=("activePower",),
    marks=("tamper",),
    icon="meter",
    parents=("Building", "StreetlightControlCabinet"),
    life_years=20,
    standard="Smart Data Models: ACMeasurement",
)

KINDS = (
    BUILDING,
    ALARM_ZONE,
    FIRE_DETECTOR,
    INTRUSION_DETECTOR,
    DOOR,
    TECHNICAL_POINT,
    ENERGY_METER,
)
