"""What this room refuses.

    PriorityError
    ├── NetworkError       a network file that cannot be read as crossings
    ├── PlanError          a crossing or plan that is not safe or not complete
    ├── SafetyViolation    a decision or an aspect that breaks a safety bound
    ├── TransitionError    a verb that a priority request's state does not allow
    └── ObservationError   an observation that cannot be true (time going backwards, …)

An error says what happened, to what, and what to do.
"""


class PriorityError(Exception):
    """Root of every error of this room."""


class NetworkError(PriorityError):
    """A network file that cannot be read as crossings."""


class PlanError(PriorityError):
    """A crossing or plan that is not safe or not complete."""


class SafetyViolation(PriorityError):
    """A decision or an aspect that breaks a minimum, an intergreen, a maximum or a conflict."""


class TransitionError(PriorityError):
    """A verb that a priority request's state does not allow."""


class ObservationError(PriorityError):
    """An observation that cannot be true."""
