"""Kinds of the video trade. Names: ONVIF (PTZ, presets, recording)."""

from vigie.twin.kinds import Choice, Command, Event, Flag, Kind, Number, Text

CAMERA = Kind(
    "Camera",
    "video",
    points=(
        Choice("stream", ("on", "off", "lost"), promise_s=60, abnormal=("lost",)),
        Choice("recording", ("stopped", "recording", "failed"), abnormal=("failed",)),
        Number("pan", "°", -360, 360, promise_s=None),
        Number("tilt", "°", -180, 180, promise_s=None),
        Number("zoom", "1", 1, 100, promise_s=None),
        Flag("tamper", abnormal=True),
        Number("bitrate", "kbit/s", 0, 100_000),
    ),
    events=(
        Event("motion"),
        Event("tamper", abnormal=True),
        Event("line_crossed", (Text("line", 64),)),
    ),
    commands=(
        Command(
            "move_camera",
            (
                Number("pan", "°", -360, 360),
                Number("tilt", "°", -180, 180),
                Number("zoom", "1", 1, 100),
            ),
            function="view",
            shows={"pan": "pan", "tilt": "tilt", "zoom": "zoom"},
            urgent=True,
        ),
        Command("go_to_preset", (Text("preset", 64),), function="view", urgent=True),
        Command(
            "set_recording",
            (Choice("recording", ("stopped", "recording")),),
            function="recording",
            shows={"recording": "recording"},
            demands="login",
        ),
    ),
    draws=("stream", "recording", "pan"),
    marks=("tamper",),
    icon="camera",
    life_years=8,
    standard="Smart Data Models: Camera; ONVIF: profile S and T",
)

KINDS = (CAMERA,)
