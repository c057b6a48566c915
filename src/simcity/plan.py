"""Who reports when: all devices within one interval, evenly, the same order every round."""

from dataclasses import dataclass

import numpy as np

from simcity.lamp import Ints

BURST = 32  # at high rates a gateway sends this many messages in a row: fewer system calls


@dataclass(frozen=True)
class Plan:
    """A round of slots; each is one message of one gateway with its devices' readings."""

    order: Ints  # devices in the order of their slots
    bounds: list[int]  # slot s reports order[bounds[s]:bounds[s + 1]]
    gateway: list[int]

    @property
    def slots(self) -> int:
        return len(self.gateway)


def make_plan(site_of: list[int], batch: int, burst: int = 1) -> Plan:
    """Slots of `batch` devices (0: one by one), gateways taking turns of `burst` slots."""
    site = np.array(site_of, dtype=np.int64)
    size = max(batch, 1)
    keys: list[tuple[int, int, int]] = []
    members: list[Ints] = []
    for gateway in range(int(site.max()) + 1):
        mine = np.flatnonzero(site == gateway)
        for slot in range(0, len(mine), size):
            keys.append((slot // size // burst, gateway, slot))
            members.append(mine[slot : slot + size])
    turns = sorted(range(len(keys)), key=keys.__getitem__)
    sizes = [len(members[slot]) for slot in turns]
    return Plan(
        order=np.concatenate([members[slot] for slot in turns]).astype(np.int64),
        bounds=[0, *np.cumsum(sizes).tolist()],
        gateway=[keys[slot][1] for slot in turns],
    )


def due(done: int, elapsed: float, interval: float, slots: int) -> tuple[int, int]:
    """(from, to): slots, counted since the start, to send now.

    A process that was late sends what it missed, but no more than a round and no more than
    two seconds' worth: the rest of a long pause is skipped, as a device that slept would.
    """
    to = max(int(elapsed / interval * slots), done)
    most = max(slots, int(2.0 / interval * slots))
    return max(done, to - most), to
