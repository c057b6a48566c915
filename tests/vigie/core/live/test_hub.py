"""The hub's own work: what is granted is worked out once, what many see is encoded once."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from vigie.core.live import ColumnTopic, MemoryTopic, Row
from vigie.core.live import hub as hub_module
from vigie.core.live.client import Client
from vigie.core.live.hub import Hub
from vigie.core.rooms import Room, Rooms
from vigie.core.runtime import Runtime
from vigie.core.scope import EVERYTHING, Scope

MUNICIPALITIES = [f"21{n:03}" for n in range(23)]


class Numbers:
    """575 channels that all change all the time."""

    def __init__(self) -> None:
        self.channels = [f"{m}/lighting/kind{k}" for m in MUNICIPALITIES for k in range(25)]
        self.version = 1
        self.doubt = None
        self.lag_s = 0.5
        self.encoded = 0

    def age_s(self, now_ms: int) -> float | None:
        return None

    def greeting(self) -> Mapping[str, Any]:
        return {}

    def collect(self) -> Sequence[tuple[str, str]]:
        return [(name, name) for name in self.channels]

    def encode(self, change: str) -> bytes:
        self.encoded += 1
        return msgspec.json.encode({"op": "delta", "channel": change})

    def snapshot(self, channel: str) -> bytes:
        return msgspec.json.encode({"op": "snapshot", "channel": channel})


SOURCE = Numbers()
SYSTEM: list[Row] = []


def rows(_: Runtime) -> list[Row]:
    if not SYSTEM:
        raise ZeroDivisionError
    return SYSTEM


TOPICS = [
    ColumnTopic(name="trial.numbers", permission="trial.read", open=lambda _: SOURCE),
    MemoryTopic(name="trial.memory", permission="trial.memory", rows=rows),
]
ROOM = Room(name="trial", package="tests", floor="trade", topics=f"{__name__}:TOPICS")


@pytest.fixture
def hub(runtime: Runtime) -> Hub:
    return Hub(Runtime(runtime.settings, "api", runtime.database, runtime.bus, Rooms([ROOM])))


def drain(client: Client) -> list[Any]:
    found = []
    while (frame := client.take()) is not None:
        found.append(msgspec.json.decode(frame))
    return [item for frame in found for item in frame.get("items", ())]


def test_what_is_granted_is_worked_out_once_a_grant(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    judge = hub_module.sees_channel
    monkeypatch.setattr(hub_module, "sees_channel", lambda s, c: (asked.append(c), judge(s, c))[1])
    clients = [
        Client({"trial.read": Scope(municipalities=frozenset({MUNICIPALITIES[n % 2]}))})
        for n in range(50)
    ]
    for client in clients:
        hub.subscribe(client, None)
        drain(client)
    SOURCE.encoded = 0
    asked.clear()
    for _ in range(10):
        hub.tick()
    assert asked == [], "not once a frame"
    assert SOURCE.encoded == 10 * len(SOURCE.channels)
    for number, client in enumerate(clients):
        seen = {item["channel"].split("/")[0] for item in drain(client)}
        assert seen == {MUNICIPALITIES[number % 2]}
    SOURCE.version += 1
    hub.tick()
    assert len(asked) == 2 * len(SOURCE.channels), "twice: there are two grants, and new channels"


def test_only_what_is_wanted_and_held(hub: Hub) -> None:
    client = Client({"trial.read": EVERYTHING})
    wanted = frozenset({"21000/lighting/kind1", "21001/lighting/kind2", "no/such"})
    assert hub.subscribe(client, wanted) == ["no/such"]
    assert {item["channel"] for item in drain(client)} == wanted - {"no/such"}
    assert hub.follow(client, ["trial.memory"]) == ["trial.memory"]
    stranger = Client({})
    assert hub.subscribe(stranger, wanted) == sorted(wanted)
    hub.tick()
    assert drain(stranger) == []


def test_rows_in_memory_are_looked_at_and_may_fail_alone(hub: Hub) -> None:
    client = Client({"trial.memory": EVERYTHING})
    assert hub.follow(client, ["trial.memory"]) == []
    hub._look()
    hub.tick()
    assert drain(client) == [], "nothing is shown before it was read"
    SYSTEM[:] = [Row("a", "", 1)]
    hub._look()
    hub.tick()
    assert [item["rows"] for item in drain(client)] == [[["a", 1]]]
    SYSTEM[:] = [Row("a", "", 2), Row("b", "", 3)]
    hub._look()
    hub.tick()
    (change,) = drain(client)
    assert (change["seq"], change["prev"]) == (2, 1)
    assert (change["put"], change["drop"]) == ([["a", 2], ["b", 3]], [])
    SYSTEM.clear()
    hub._look()
    hub.tick()
    assert drain(client) == [], "what cannot be read is not dropped"
