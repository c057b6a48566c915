"""Who sees what on the live socket, and how much a client may ask: no I/O."""

from collections.abc import Iterable

from vigie.core.scope import Scope

# A client may send this many messages at once, and then so many a second.
BURST, A_SECOND = 30, 10.0


def sees(scope: Scope | None, keys: Iterable[str], compartment: str = "") -> bool:
    """True when someone who holds a permission in this scope (None: nowhere) sees a row of these
    scope keys; no keys is a row of no place."""
    if scope is None:
        return False
    places = [key.partition("/") for key in keys]
    if not places:
        return scope.opens(compartment, "", "")
    return any(scope.sees(town, trade, compartment) for town, _, trade in places)


def sees_channel(scope: Scope | None, channel: str) -> bool:
    """The same of a channel of columns: municipality/trade, whatever follows."""
    if scope is None:
        return False
    municipality, _, rest = channel.partition("/")
    return scope.allows(municipality, rest.partition("/")[0])


class Pace:
    """How long a client's next message has to wait: a bucket of tokens."""

    def __init__(self) -> None:
        self._tokens = float(BURST)
        self._at: float | None = None

    def wait_s(self, now: float) -> float:
        """Count one message at this time; the seconds to wait before it is answered."""
        if self._at is not None:
            self._tokens = min(BURST, self._tokens + (now - self._at) * A_SECOND)
        self._at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / A_SECOND)
