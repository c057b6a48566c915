"""Bus priority at signals: what crossings are, what buses ask, what may be done, and why.

Responsible for reading crossings (JSON, SUMO), checking them, and deciding every second which
stage each holds or leaves, for everyone's good and the buses' first. Never responsible for
sending a command, storing a fact or knowing a clock: a gateway and a simulator call it.
"""

from .buses import BusFacts, BusFix
from .calibration import LaneWeights, learn, weights_from_json, weights_to_json
from .check import Watch, check_command, check_crossing, start_watch, step_watch
from .documents import crossings_from_json, crossings_to_json
from .engine import Decision, Engine, Event, Turn
from .errors import (
    NetworkError,
    ObservationError,
    PlanError,
    PriorityError,
    SafetyViolation,
    TransitionError,
)
from .model import Crossing, Intergreen, Interstage, Lane, SignalGroup, Stage, Step
from .reasons import Reason
from .requests import TABLE as REQUEST_TABLE
from .requests import Request
from .routes import SignalOnWay, StopOnWay, Way
from .rules import Settings
from .runner import HOLD, Command, Go, Hold, Running, apply, aspects, plan_command, planned, settle
from .sumo import crossings_of, loop_places, read_sumo
from .sumo_net import Network, read_network
from .traffic import Loop

__all__ = [
    "HOLD", "REQUEST_TABLE", "BusFacts", "BusFix", "Command", "Crossing", "Decision", "Engine",
    "Event", "Go", "Hold", "Intergreen", "Interstage", "Lane", "LaneWeights", "Loop",
    "Network", "NetworkError", "ObservationError", "PlanError", "PriorityError", "Reason",
    "Request", "Running", "SafetyViolation", "Settings", "SignalGroup", "SignalOnWay", "Stage",
    "Step", "StopOnWay", "TransitionError", "Turn", "Watch", "Way", "apply", "aspects",
    "check_command", "check_crossing", "crossings_from_json", "crossings_of", "crossings_to_json",
    "learn", "loop_places", "plan_command", "planned", "read_network", "read_sumo", "settle",
    "start_watch", "step_watch", "weights_from_json", "weights_to_json",
]  # fmt: skip
