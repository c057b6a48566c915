"""How much one client may send, so that it cannot take the place of the others. Pure.

An allowance is a rate and some seconds of it at once. What a client sent ahead of its rate is one
number: the seconds that its rate needs to catch up. Over the burst, it has sent too much; half a
burst later it may come back. The login side and the lanes judge by the same rule, each with what it
sees: the broker's counters of a connection, the stored messages themselves.
"""

import msgspec

from vigie.core.settings import Settings

# One lane lets this much of a client's rate go before the others at once.
LANE_BURST_S = 1.0
# A client is looked at for its part of the stream once this much is taken; what it may hold of it.
WATCHED_SHARE = 0.25
CLIENT_SHARE = 0.20
ADMISSION_SHARE = 0.80
PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
FORGIVEN_S = 600.0


class Allowance(msgspec.Struct, frozen=True):
    """Messages and bytes a second, and how many seconds of them at once."""

    messages_per_s: float
    bytes_per_s: float
    burst_s: float

    def cost_s(self, messages: int, size: int) -> float:
        """The seconds of allowance that this takes up: by number or by weight, what is more."""
        return max(messages / self.messages_per_s, size / self.bytes_per_s)


def allowance(settings: Settings) -> Allowance:
    """What the installation lets each client send."""
    return Allowance(
        settings.client_messages_per_s, settings.client_bytes_per_s, settings.client_burst_s
    )


class Meter:
    """How far ahead of their rate clients are: the moment when each has caught up."""

    def __init__(self, allowance: Allowance, most: int = 100_000) -> None:
        self._allowance = allowance
        self._most = most
        self._caught_up: dict[str, float] = {}

    def charge(self, client: str, now_s: float, messages: int, size: int) -> float:
        """Add what a client sent; the seconds it is ahead of its rate then."""
        caught_up = max(self._caught_up.get(client, 0.0), now_s)
        caught_up += self._allowance.cost_s(messages, size)
        if len(self._caught_up) >= self._most:
            self._caught_up = {c: t for c, t in self._caught_up.items() if t > now_s}
        self._caught_up[client] = caught_up
        return caught_up - now_s

    def ahead_s(self, client: str, now_s: float) -> float:
        """The seconds a client is ahead of its rate; 0 when it is not."""
        return max(0.0, self._caught_up.get(client, 0.0) - now_s)


def pause_s(ahead_s: float, burst_s: float, times: int) -> float:
    """How long a client that was cut for the `times`-th time is kept out: until half its burst is
    free again, and longer each time."""
    return max(ahead_s - burst_s / 2, PAUSES_S[min(max(times, 1), len(PAUSES_S)) - 1])


def share_allowed(clients: int) -> float:
    """The part of the stream that one of so many clients may take up: a fifth, more where there
    are few, and a single one as much as admission lets all of them."""
    return max(CLIENT_SHARE, ADMISSION_SHARE / max(1, clients))
