"""A kind of equipment that only this package knows."""

from vigie.twin.kinds import POSITION, Choice, Command, Event, Flag, Kind, Number

CARGO_BIKE = Kind(
    "CargoBike",
    "parks",
    points=(
        *POSITION,
        Number("charge", "%", 0, 100, promise_s=600),
        Choice("lock", ("locked", "unlocked", "broken"), abnormal=("broken",)),
        Choice("lamp", ("off", "on")),
        Flag("fallen", abnormal=True),
    ),
    events=(Event("lent", (Number("days", "d", 0, 30),)),),
    commands=(
        Command("lock_bike", (Choice("lock", ("locked", "unlocked")),), function="lock",
                shows={"lock": "lock"}),
        Command("light_bike", (Choice("lamp", ("off", "on")),), function="lamp",
                shows={"lamp": "lamp"}),
    ),
    moves=True,
    draws=("charge", "lock"),
    marks=("fallen",),
)  # fmt: skip
KINDS = (CARGO_BIKE,)
