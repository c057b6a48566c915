"""Frames as bytes: what many receive is encoded once."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import orjson

from vigie.core.live.mirror import View

LAGGING = '{"op":"lagging"}'


def hello(server: str, now_ms: int, greetings: Mapping[str, Any]) -> bytes:
    """The first frame: who speaks, and what the topics of columns say of themselves."""
    return orjson.dumps({"op": "hello", "server": server, "now": now_ms, **greetings})


def batch(now_ms: int, age_s: float | None, items: Sequence[bytes]) -> bytes:
    """Several items in one frame."""
    age = b"null" if age_s is None else b"%.3f" % age_s
    return b'{"op":"batch","now":%d,"age":%b,"items":[%b]}' % (now_ms, age, b",".join(items))


def heartbeat(now_ms: int, live: bool, lag_s: float | None) -> bytes:
    """Once a second: whether what is shown is what is stored."""
    lag = None if lag_s is None else round(lag_s, 1)
    return orjson.dumps({"op": "heartbeat", "now": now_ms, "live": live, "lag_s": lag})


def error(code: str, **named: str) -> str:
    """A refusal of one request (of a channel or a topic); the socket stays open."""
    return orjson.dumps({"op": "error", "code": code, **named}).decode()


def drop(**named: str) -> bytes:
    """A channel or topic that the client may no longer see."""
    return orjson.dumps({"op": "drop", **named})


def rows(topic: str, seq: int, complete: bool, seen: list[tuple[str, msgspec.Raw]]) -> bytes:
    """All open rows of a topic, as far as the client sees them."""
    return msgspec.json.encode(
        {"op": "rows", "topic": topic, "seq": seq, "complete": complete, "rows": seen}
    )


def change(topic: str, view: View) -> bytes:
    """What changed of a topic, but for its number: see `numbered`."""
    body = msgspec.json.encode({"topic": topic, "put": view.put, "drop": view.drop,
                                "hint": view.hint})  # fmt: skip
    return body[1:]


def numbered(seq: int, tail: bytes) -> bytes:
    """A change with the number that it has for one client."""
    return b'{"op":"change","seq":%d,"prev":%d,%b' % (seq, seq - 1, tail)
