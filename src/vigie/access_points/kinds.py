"""Kinds of the access points trade."""

from vigie.twin.kinds import Choice, Command, Event, Flag, Kind, Number, Text

RETRACTABLE_BOLLARD = Kind(
    "RetractableBollard",
    "access_points",
    points=(
        Choice("barrier", ("raised", "lowered", "moving", "blocked"), abnormal=("blocked",)),
        Choice(
            "mode",
            ("automatic", "forced_open", "forced_closed", "out_of_service"),
            abnormal=("out_of_service",),
        ),
        Flag("presence"),
        Flag("supplyLoss", abnormal=True),
        Number("cycles", "1", 0, 1e9, promise_s=86_400, counter=True),
        Number("oilTemperature", "°C", -40, 120),
    ),
    events=(
        Event(
            "badge_read",
            (Text("badge", 64), Choice("result", ("granted", "refused"))),
            personal=True,
            keep_days=30,
        ),
        Event("intercom_call", abnormal=True),
        Event("forced", abnormal=True),
    ),
    commands=(
        Command(
            "lower",
            (),
            function="barrier",
            sets={"barrier": "lowered"},
            interlocks=("bollard_moving",),
            urgent=True,
        ),
        Command(
            "raise",
            (),
            function="barrier",
            sets={"barrier": "raised"},
            demands="login",
            interlocks=("bollard_presence", "bollard_moving"),
            urgent=True,
        ),
        Command(
            "set_mode",
            (Choice("mode", ("automatic", "forced_open", "forced_closed")),),
            function="mode",
            shows={"mode": "mode"},
            demands="login",
            interlocks=("bollard_presence",),
        ),
    ),
    draws=("barrier", "mode", "presence"),
    marks=("supplyLoss",),
    icon="bollard",
    life_years=12,
)

KINDS = (RETRACTABLE_BOLLARD,)
