"""Kinds of the lighting trade. Names: Smart Data Models (Streetlight, StreetlightControlCabinet)
and TALQ 2.7 (BasicLamp, SupplyLoss)."""

from vigie.twin.kinds import Choice, Command, Event, Flag, Kind, Number

STREETLIGHT = Kind(
    "Streetlight",
    "lighting",
    points=(
        Number("dimmingLevel", "%", 0, 100),
        Number("activePower", "W", 0, 2000),
        Number("activeEnergy", "kWh", 0, 1e7, counter=True),
        Number("operatingHours", "h", 0, 1e6, counter=True),
        Number("supplyVoltage", "V", 0, 500),
        Number("temperature", "°C", -60, 150),
        Flag("lampFailure", abnormal=True),
        Flag("supplyLoss", abnormal=True),
    ),
    commands=(
        Command(
            "set_dimming_level",
            (Number("level", "%", 0, 100),),
            function="level",
            shows={"level": "dimmingLevel"},
        ),
    ),
    draws=("dimmingLevel", "activePower"),
    marks=("lampFailure", "supplyLoss"),
    icon="streetlight",
    parents=("StreetlightControlCabinet",),
    life_years=20,
    standard="Smart Data Models: Streetlight; TALQ: BasicLamp",
)

STREETLIGHT_CONTROL_CABINET = Kind(
    "StreetlightControlCabinet",
    "lighting",
    points=(
        Number("activePower", "W", 0, 1e6),
        Number("activeEnergy", "kWh", 0, 1e9, counter=True),
        Number("supplyVoltage", "V", 0, 500),
        Flag("doorOpen", abnormal=True),
        Flag("supplyLoss", abnormal=True),
        Choice("contactor", ("open", "closed")),
        Flag("breakerTripped", abnormal=True),
    ),
    events=(Event("door_opened"),),
    commands=(
        Command(
            "switch_contactor",
            (Choice("position", ("open", "closed")),),
            function="contactor",
            shows={"position": "contactor"},
            demands="login",
        ),
    ),
    draws=("activePower", "contactor"),
    marks=("supplyLoss", "doorOpen"),
    icon="cabinet",
    life_years=30,
    standard="Smart Data Models: StreetlightControlCabinet; TALQ: SegmentController",
)

KINDS = (STREETLIGHT, STREETLIGHT_CONTROL_CABINET)
