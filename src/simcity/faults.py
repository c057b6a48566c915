"""Which equipment is at fault, and how: a pure function of seed, rate and the source's id."""

import hashlib
from enum import IntEnum


class Fault(IntEnum):
    NONE = 0
    SILENT = 1  # reports, but neither obeys nor answers
    REFUSES = 2  # answers `received`, then `refused`
    LAMP_FAILURE = 3  # dark, reports it; answers `failed`
    SUPPLY_LOSS = 4  # without supply: its gateway reports that, and answers `failed`


NAMES = {
    Fault.NONE: "none",
    Fault.SILENT: "silent",
    Fault.REFUSES: "refuses",
    Fault.LAMP_FAILURE: "lampFailure",
    Fault.SUPPLY_LOSS: "supplyLoss",
}
BY_NAME = {name: fault for fault, name in NAMES.items()}
_SHARES = (
    (0.35, Fault.SILENT),
    (0.60, Fault.REFUSES),
    (0.90, Fault.LAMP_FAILURE),
    (1.00, Fault.SUPPLY_LOSS),
)


def fault_of(seed: int, rate: float, source_id: str) -> Fault:
    """The seeded fault of one piece of equipment; a higher rate only adds faults."""
    digest = hashlib.blake2b(f"{seed}/{source_id}".encode(), digest_size=16).digest()
    if int.from_bytes(digest[:8], "big") / 2**64 >= rate:
        return Fault.NONE
    draw = int.from_bytes(digest[8:], "big") / 2**64
    return next(fault for limit, fault in _SHARES if draw < limit)
