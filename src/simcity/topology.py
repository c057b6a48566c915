"""What the city's folder says beyond the provisioning file: parents, power, network, attributes.

Power and network are trees of source ids and of nodes that are no device (a feeder, a substation):
a node that fails takes everything below it along.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from simcity.provisioning import ProvisioningError

Bools = NDArray[np.bool_]


class Topology(msgspec.Struct, frozen=True):
    parents: dict[str, str] = {}
    power: dict[str, str] = {}
    network: dict[str, str] = {}
    attributes: dict[str, dict[str, str | int | float]] = {}


def read_topology(folder: Path | None) -> Topology:
    """Of a drawn city; a folder without one (a published city) has none."""
    if folder is None or not (folder / "topology.json").exists():
        return Topology()
    try:
        return msgspec.json.decode((folder / "topology.json").read_bytes(), type=Topology)
    except msgspec.MsgspecError as error:
        raise ProvisioningError(f"{folder / 'topology.json'} is no topology: {error}") from None


class Tree:
    """One of the two trees, as arrays; the first nodes are the devices, in their order."""

    def __init__(self, above: dict[str, str], source_ids: Iterable[str]):
        self.node = {id_: number for number, id_ in enumerate(source_ids)}
        self._devices = len(self.node)
        for id_ in (*above, *above.values()):
            if id_:
                self.node.setdefault(id_, len(self.node))
        self._above = np.arange(len(self.node))
        for id_, up in above.items():
            if up:
                self._above[self.node[id_]] = self.node[up]
        self.dead = np.zeros(len(self.node), dtype=np.bool_)
        self.lost: Bools = np.zeros(self._devices, dtype=np.bool_)

    def set(self, id_: str, dead: bool) -> bool:
        """Fail or mend a node; False when nothing has this name."""
        number = self.node.get(id_)
        if number is None:
            return False
        self.dead[number] = dead
        return True

    def spread(self) -> Bools:
        """Devices below a dead node (not what failed itself)."""
        down = self.dead.copy()
        while True:
            further = down | down[self._above]
            if (further == down).all():
                break
            down = further
        own = self._above == np.arange(len(self._above))
        self.lost = (down[self._above] & ~own)[: self._devices]
        return self.lost
