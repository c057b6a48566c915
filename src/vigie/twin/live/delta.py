"""What ingest tells the live screens of one commit: the state after it, by column, in bytes.

On NATS `live.{lane}`, once a commit and once a second when nothing came. `commit` counts the
lane's commits for ever: a listener that knows `previous` applies it, any other reads the database.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from vigie.twin.telemetry import WIDTH


class Delta(msgspec.Struct, array_like=True, frozen=True):
    """The newest values of some assets: int32 ids, int64 microseconds, float32 by slot."""

    lane: int
    previous: int
    commit: int
    sent_ms: int
    lag_s: float
    newest_us: int
    asset: bytes = b""
    at: bytes = b""
    vals: bytes = b""

    def columns(self) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]:
        """Its rows, as arrays over its own bytes."""
        return (
            np.frombuffer(self.asset, np.int32),
            np.frombuffer(self.at, np.int64),
            np.frombuffer(self.vals, np.float32).reshape(-1, WIDTH),
        )


_DECODER = msgspec.msgpack.Decoder(Delta)


def encode(
    lane: int,
    commit: int,
    *,
    previous: int,
    sent_ms: int,
    lag_s: float,
    newest_us: int,
    rows: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None = None,
) -> bytes:
    """A commit's rows (asset, at, vals), or a heartbeat."""
    columns = (b"", b"", b"")
    if rows is not None:
        columns = (
            rows[0].astype(np.int32).tobytes(),
            rows[1].astype(np.int64).tobytes(),
            rows[2].astype(np.float32).tobytes(),
        )
    return msgspec.msgpack.encode(
        Delta(lane, previous, commit, sent_ms, lag_s, newest_us, *columns)
    )


def decode(data: bytes) -> Delta:
    """The other way. Raises msgspec.MsgspecError."""
    return _DECODER.decode(data)


def subject(lane: int) -> str:
    """Where a lane's commits are told."""
    return f"live.{lane}"
