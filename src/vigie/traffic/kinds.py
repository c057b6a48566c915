"""Kinds of the traffic trade. Names: RSMP's signal exchange list for traffic light controllers
(TLC): S0001 signal group status, S0201 detector counts."""

from vigie.twin.kinds import Choice, Command, Event, Flag, Kind, Number, Text

TRAFFIC_LIGHT_CONTROLLER = Kind(
    "TrafficLightController",
    "traffic",
    points=(
        Choice(
            "mode",
            ("normal", "flashing", "dark", "all_red", "manual", "isolated"),
            promise_s=60,
            abnormal=("flashing", "dark", "all_red"),
        ),
        Number("plan", "1", 0, 255, promise_s=60),
        Number("cycleSecond", "s", 0, 600, promise_s=60),
        Number("stage", "1", 0, 64, promise_s=60),
        Flag("lampFault", abnormal=True),
        Flag("doorOpen", abnormal=True),
        Flag("supplyLoss", abnormal=True),
        Choice("priority", ("none", "asked", "granted", "refused")),
    ),
    events=(
        Event("priority", (Text("bus", 64), Choice("result", ("granted", "refused")))),
        Event(
            "lamp_failed",
            (Text("group", 16), Choice("colour", ("red", "amber", "green"))),
            abnormal=True,
        ),
    ),
    commands=(
        Command(
            "set_plan",
            (Number("plan", "1", 1, 255),),
            function="plan",
            shows={"plan": "plan"},
            demands="login",
        ),
        Command(
            "set_signal_mode",
            (Choice("mode", ("normal", "flashing", "all_red")),),
            function="mode",
            demands="second",
            interlocks=("signals_safe",),
            urgent=True,
        ),
    ),
    draws=("mode", "stage", "plan"),
    marks=("lampFault", "supplyLoss"),
    icon="signals",
    life_years=20,
    standard="RSMP: Traffic Light Controller",
)

SIGNAL_GROUP = Kind(
    "SignalGroup",
    "traffic",
    points=(
        Choice(
            "colour",
            ("red", "red_amber", "green", "amber", "flashing_amber", "dark"),
            abnormal=("dark",),
        ),
        Number("greenSeconds", "s", 0, 600, promise_s=None),
        Flag("lampFault", abnormal=True),
    ),
    draws=("colour",),
    marks=("lampFault",),
    icon="signal_group",
    parents=("TrafficLightController",),
    life_years=15,
    standard="RSMP: Signal group",
)

TRAFFIC_DETECTOR = Kind(
    "TrafficDetector",
    "traffic",
    points=(
        Number("flow", "veh/h", 0, 10_000, promise_s=300),
        Number("occupancy", "%", 0, 100, promise_s=300),
        Number("speed", "m/s", 0, 100, promise_s=300),
        Number("trucks", "%", 0, 100, promise_s=300),
        Choice(
            "detector", ("working", "stuck_on", "stuck_off"), abnormal=("stuck_on", "stuck_off")
        ),
    ),
    draws=("flow", "speed"),
    icon="detector",
    parents=("TrafficLightController",),
    life_years=10,
    standard="RSMP: Detector logic; Smart Data Models: TrafficFlowObserved",
)

KINDS = (TRAFFIC_LIGHT_CONTROLLER, SIGNAL_GROUP, TRAFFIC_DETECTOR)
