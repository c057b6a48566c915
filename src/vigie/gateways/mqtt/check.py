"""What a NATS server must be and do for Vigie; for `vigie doctor` and a server of one's own."""

from typing import Literal

import msgspec

from vigie.core.bus import Bus
from vigie.core.errors import SetupError, VigieError
from vigie.core.runtime import Runtime
from vigie.gateways.ingest import ask
from vigie.gateways.mqtt import canary
from vigie.gateways.mqtt.sessions import check_system_account
from vigie.gateways.mqtt.streams import stream_state


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at; `detail` says what to do when it is not ok."""

    name: str
    status: Literal["ok", "warning", "failed"]
    detail: str


async def check_server(runtime: Runtime) -> list[Finding]:
    """Version, JetStream, the stream's limit, the system account, and the canary.

    The canary needs a running gateways process: it answers the broker's auth callout.
    """
    bus, settings = runtime.bus, runtime.settings
    version = bus.client.connected_server_version
    found = [
        Finding("nats", "ok", f"version {version.major}.{version.minor}.{version.patch}"),
        await _jetstream(bus),
    ]
    if found[-1].status == "failed":
        return found
    found.append(await _limit(bus, settings.stream_max_bytes))
    trouble = await check_system_account(runtime)
    found.append(
        Finding("system account", "warning" if trouble else "ok", trouble or "connections are seen")
    )
    found.append(await _canary(runtime))
    return found


async def _jetstream(bus: Bus) -> Finding:
    try:
        answer = await ask(bus, "$JS.API.INFO", {})
    except VigieError:
        return Finding(
            "jetstream",
            "failed",
            "JetStream does not answer for this account: enable it on the server and in the "
            "account (`vigie nats-config` shows how).",
        )
    if "error" in answer:
        return Finding("jetstream", "failed", str(answer["error"].get("description", "")))
    return Finding("jetstream", "ok", f"{answer.get('streams', 0)} streams")


async def _limit(bus: Bus, wanted: int) -> Finding:
    try:
        state = await stream_state(bus)
    except VigieError as error:
        return Finding("stream", "warning", f"{error.detail} A gateways process makes it.")
    if state.limit != wanted:
        return Finding("stream", "warning", f"its limit is {state.limit} bytes, not {wanted}")
    return Finding("stream", "ok", f"{state.messages} messages wait, {state.share:.0%} full")


async def _canary(runtime: Runtime) -> Finding:
    try:
        await canary.sing(runtime.bus, runtime.settings)
    except (VigieError, SetupError) as error:
        return Finding("canary", "failed", error.detail)
    return Finding("canary", "ok", "what a device sends at QoS 1 is kept")
