"""Decisions of the MQTT room, without I/O."""

import re
from typing import Literal

import msgspec

CANARY = "canary_"


class Permissions(msgspec.Struct, frozen=True):
    """The subjects one connection may use: its own, and nothing else."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def permissions(token: str, shard: int) -> Permissions:
    """What a client may do. MQTT's `down/X/#` is both `down.X` and `down.X.>`."""
    return Permissions(
        (f"up.{shard}.{token}.reading", f"up.{shard}.{token}.ack"),
        (f"down.{token}", f"down.{token}.>"),
    )


def canary_permissions(token: str) -> Permissions:
    """The canary publishes on a subject of its own, which no device can."""
    return Permissions((f"up.canary.{token}",), (f"down.{token}",))


Denial = Literal[
    "not_ready",
    "not_mqtt",
    "unknown_client",
    "revoked",
    "other_protocol",
    "wrong_secret",
    "wrong_client_id",
    "quota_exceeded",
    "admission_closed",
]


class BrokerRefusal(msgspec.Struct, frozen=True):
    """A line of the broker's log that tells of a refusal: which connection, why, what exactly."""

    connection: int
    name: str
    code: str
    detail: str


_LINE = re.compile(r'^\[\d+\] \S+ \S+ \[(ERR|WRN)\] \S+ - mid:(\d+)(?: - "([^"]*)")? - (.*)$')
_CODES: tuple[tuple[str, str], ...] = (
    ("Publish Violation", "publish_forbidden"),
    ("Subscription Violation", "subscribe_forbidden"),
    ("maximum payload", "payload_too_large"),
    ("maximum bytes exceeded", "stream_full"),
    ("maximum messages exceeded", "stream_full"),
    ("insufficient resources", "stream_full"),
    ("no space left", "stream_full"),
    ("Replacing old client", "replaced"),
    ("Slow Consumer", "too_slow"),
)
# Told by the auth callout itself, with its reason.
_TOLD_ELSEWHERE = ("authentication error", "authorization", "authentication timeout")
_SUBJECT = re.compile(r'Subject "([^"]*)"')


def read_log_line(line: str) -> BrokerRefusal | None:
    """What a line says about an MQTT connection, when it is a refusal."""
    match = _LINE.match(line)
    if match is None:
        return None
    level, number, name, said = match.groups(default="")
    connection = int(number)
    lowered = said.lower()
    if any(word in lowered for word in _TOLD_ELSEWHERE):
        return None
    for words, code in _CODES:
        if words.lower() in lowered:
            subject = _SUBJECT.search(said)
            return BrokerRefusal(connection, name, code, subject.group(1) if subject else said)
    # Warnings without a known meaning are about the broker's own pace.
    return BrokerRefusal(connection, name, "protocol_error", said) if level == "ERR" else None
