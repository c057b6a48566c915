"""What is abnormal about a light, as bits: pure, on whole columns."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.twin.kinds import STREETLIGHT

LAMP_FAILURE = 1
SUPPLY_LOSS = 2
DEVICE_FAULT = 4
UNEXPECTED = 8
PENDING = 16
RETIRED = 32

_TOLERANCE = 1.0


def _slot(metric: str) -> int:
    found = STREETLIGHT.slot(metric)
    if found is None:
        raise ValueError(f"a Streetlight has no {metric}")
    return found


LEVEL = _slot("dimmingLevel")
POWER = _slot("activePower")
_LAMP = _slot("lampFailure")
_SUPPLY = _slot("supplyLoss")
_OTHER = [
    slot
    for slot, metric in enumerate(STREETLIGHT.metrics)
    if metric.abnormal and slot not in (_LAMP, _SUPPLY)
]


def flags(
    vals: NDArray[np.float32],
    desired: NDArray[np.float32],
    pending: NDArray[np.bool_],
    retired: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Bits of each row of `vals` (by slot, NaN: never told).

    `desired` is what it was told and has not shown yet. Unexpected: it shows another level, and no
    command is under way any more. What it does after it showed the level is its own programme's.
    """
    found = np.zeros(len(vals), np.uint8)
    found |= np.where(vals[:, _LAMP] == 1, LAMP_FAILURE, 0).astype(np.uint8)
    found |= np.where(vals[:, _SUPPLY] == 1, SUPPLY_LOSS, 0).astype(np.uint8)
    if _OTHER:
        found |= np.where((vals[:, _OTHER] == 1).any(axis=1), DEVICE_FAULT, 0).astype(np.uint8)
    differs: NDArray[Any] = np.abs(vals[:, LEVEL] - desired) > _TOLERANCE
    found |= np.where(differs & ~pending, UNEXPECTED, 0).astype(np.uint8)
    found |= np.where(pending, PENDING, 0).astype(np.uint8)
    found |= np.where(retired, RETIRED, 0).astype(np.uint8)
    return found
