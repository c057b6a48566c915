"""What is abnormal about equipment, as bits: pure, on whole columns of one kind."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from vigie.twin.kinds import Kind, derived

# What a kind marks comes first: of a street light the lamp's own failure, then the supply's loss.
FIRST_MARK = 1
SECOND_MARK = 2
FAULT = 4
UNEXPECTED = 8
PENDING = 16
RETIRED = 32


class Face(msgspec.Struct, frozen=True):
    """How the columns of a kind are read: `abnormal` are (slot, value, bit), `functions` (slot of
    the point that shows it, how near is near enough), in the order of their columns."""

    abnormal: tuple[tuple[int, float, int], ...]
    functions: tuple[str, ...]
    slots: tuple[int, ...]
    near: tuple[float, ...]


@derived
def face(kind: Kind) -> Face:
    """Worked out once a kind."""
    bits = dict(zip(kind.marks, (FIRST_MARK, SECOND_MARK), strict=False))
    abnormal = tuple(
        (slot, value, bits.get(point.name, FAULT))
        for slot, point in enumerate(kind.points)
        for value in point.abnormal_values
    )
    points = [kind.points[slot] for slot in kind.principals.values()]
    return Face(
        abnormal,
        tuple(kind.principals),
        tuple(kind.principals.values()),
        tuple(0.5 if point.whole else 0.01 * (point.high - point.low) for point in points),
    )


def flags(
    kind: Kind,
    vals: NDArray[np.float32],
    desired: NDArray[np.float32],
    pending: NDArray[np.bool_],
    retired: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Bits of each row of `vals` (by slot, NaN: never told); `desired` and `pending` have a column
    a function.

    `desired` is what it was told and has not shown yet. Unexpected: it shows something else, and
    no command is under way any more. What it does after it showed it is its own programme's.
    """
    read = face(kind)
    found = np.zeros(len(vals), np.uint8)
    for slot, value, bit in read.abnormal:
        found[vals[:, slot] == value] |= bit
    for column, (slot, near) in enumerate(zip(read.slots, read.near, strict=True)):
        differs = np.abs(vals[:, slot] - desired[:, column]) > near
        found[differs & ~pending[:, column]] |= UNEXPECTED
    found[pending.any(axis=1)] |= PENDING
    found[retired] |= RETIRED
    return found
