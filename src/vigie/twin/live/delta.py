"""What ingest tells the live screens of one commit: the state after it, by column, in bytes.

On NATS `live.{lane}`, once a commit and once a second when nothing came. `commit` counts the
lane's commits for ever: a listener that knows `previous` applies it, any other reads the database.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from vigie.twin.telemetry import StatePart


class Part(msgspec.Struct, array_like=True, frozen=True):
    """The newest values of some assets of one kind: int32 ids, int64 microseconds, float32 by
    slot, `width` of them an asset."""

    kind: str
    width: int
    asset: bytes
    at: bytes
    vals: bytes

    def columns(self) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
        """Its rows, as arrays over its own bytes."""
        return (
            np.frombuffer(self.asset, np.int32),
            np.frombuffer(self.at, np.int64),
            np.frombuffer(self.vals, np.float32).reshape(-1, self.width),
        )


class Delta(msgspec.Struct, array_like=True, frozen=True):
    """One commit of a lane, or its sign of life."""

    lane: int
    previous: int
    commit: int
    sent_ms: int
    lag_s: float
    newest_us: int
    parts: tuple[Part, ...] = ()


_DECODER = msgspec.msgpack.Decoder(Delta)


def encode(
    lane: int,
    commit: int,
    *,
    previous: int,
    sent_ms: int,
    lag_s: float,
    newest_us: int,
    parts: Sequence[StatePart] = (),
) -> bytes:
    """A commit's state, or a heartbeat."""
    told = tuple(
        Part(
            part.kind.name,
            part.kind.width,
            part.asset.astype(np.int32).tobytes(),
            part.at.astype(np.int64).tobytes(),
            part.vals.astype(np.float32).tobytes(),
        )
        for part in parts
    )
    return msgspec.msgpack.encode(Delta(lane, previous, commit, sent_ms, lag_s, newest_us, told))


def decode(data: bytes) -> Delta:
    """The other way. Raises msgspec.MsgspecError."""
    return _DECODER.decode(data)


def subject(lane: int) -> str:
    """Where a lane's commits are told."""
    return f"live.{lane}"
