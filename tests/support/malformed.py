"""A hundred inputs that are wrong, each with what must come of it.

Three tables: what a device publishes on its own topic (refused after the broker took it: a
quarantine reason), what it does to the broker (refused by the broker: what the client sees, and the
reason counted for it), and what comes by HTTP (status and problem code).
"""

import json
from dataclasses import dataclass
from typing import Any

from vigie.core import clock
from vigie.gateways.mqtt.wire import packet, publish, subscribe, text

SQL = "'; drop table twin.asset; --"
HTML = "<script>alert(1)</script>"
DEEP = b"[" * 20_000 + b"]" * 20_000


@dataclass(frozen=True)
class Payload:
    """Published at QoS 1 on the client's own topic; `codes` are the quarantine's reasons."""

    name: str
    body: bytes
    codes: tuple[str, ...]
    channel: str = "reading"


def reading(device: str = "lampBad", **changes: Any) -> bytes:
    """A reading, with what the case changes; `...` leaves a field out."""
    whole = {
        "device": device,
        "boot": 1,
        "n": 1,
        "at": clock.rfc3339(clock.now()),
        "values": {"dimmingLevel": 40},
    } | changes
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def ack(**changes: Any) -> bytes:
    """An acknowledgement, likewise."""
    whole = {
        "id": "01943f2e-7b7a-7c3a-9d0e-5a2f6c1b0a99",
        "device": "lampBad",
        "at": clock.rfc3339(clock.now()),
        "status": "received",
    } | changes
    return json.dumps({name: value for name, value in whole.items() if value is not ...}).encode()


def payloads() -> list[Payload]:
    """What passes the broker and not the validation."""
    batch = b",".join([reading(n=n) for n in range(501)])
    rows: list[tuple[str, bytes, str]] = [
        ("no payload", b"", "empty"),
        ("blanks only", b"   ", "not_json"),
        ("half an object", reading()[:-9], "not_json"),
        ("a trailing word", reading() + b" and more", "not_json"),
        ("single quotes", b"{'device': 'lampBad'}", "not_json"),
        ("XML", b"<reading device='lampBad'/>", "not_json"),
        ("a byte order mark", b"\xef\xbb\xbf" + reading(), "not_json"),
        ("NaN", reading(values={"dimmingLevel": float("nan")}), "not_json"),
        ("Infinity", reading(values={"dimmingLevel": float("inf")}), "not_json"),
        ("1e999", reading().replace(b"40", b"1e999"), "wrong_value"),
        ("Latin-1", '{"device":"é"}'.encode("latin-1"), "not_utf8"),
        ("a lone surrogate", b'{"device":"\\ud800"}', "not_json"),
        ("random bytes", bytes(range(128, 256)), "not_utf8"),
        ("a NUL byte", reading() + b"\x00", "not_json"),
        ("nested 20,000 deep", DEEP, "wrong_type"),
        ("a field nested deep", reading()[:-1] + b',"x":' + DEEP + b"}", "too_deep"),
        ("100 KB", reading(note="x" * 100_000), "too_large"),
        ("a number", b"40", "wrong_type"),
        ("null", b"null", "wrong_type"),
        ("a string", b'"reading"', "wrong_type"),
        ("an empty object", b"{}", "missing_field"),
        ("an empty batch", b"[]", "batch_empty"),
        ("a batch of 501", b"[" + batch + b"]", "batch_too_long"),
        ("no device", reading(device=...), "missing_field"),
        ("no boot", reading(boot=...), "missing_field"),
        ("no time", reading(at=...), "missing_field"),
        ("no values", reading(values=...), "missing_field"),
        ("device a number", reading(device=7), "wrong_type"),
        ("boot a string", reading(boot="1"), "wrong_type"),
        ("boot a boolean", reading(boot=True), "wrong_type"),
        ("boot negative", reading(boot=-1), "wrong_value"),
        ("boot over int2", reading(boot=40_000), "wrong_value"),
        ("n over int4", reading(n=2**31), "wrong_value"),
        ("n of 80 digits", reading(n=10**80), "wrong_value"),
        ("n a fraction", reading(n=1.5), "wrong_type"),
        ("values a list", reading(values=[40]), "wrong_type"),
        ("values empty", reading(values={}), "wrong_value"),
        ("a value as text", reading(values={"dimmingLevel": "40"}), "wrong_type"),
        ("a value null", reading(values={"dimmingLevel": None}), "wrong_type"),
        ("a flag as boolean", reading(values={"lampFailure": True}), "wrong_type"),
        ("time as prose", reading(at="yesterday evening"), "wrong_value"),
        ("time without zone", reading(at="2026-11-23T21:14:00"), "wrong_value"),
        ("30 February", reading(at="2026-02-30T00:00:00Z"), "wrong_value"),
        ("year 2100", reading(at="2100-01-01T00:00:00Z"), "at_future"),
        ("time of 80 digits", reading(at=10**80), "at_future"),
        ("seconds, not ms", reading(at=1_795_000_000), "at_past"),
        ("year 1970", reading(at="1970-01-01T00:00:00Z"), "at_past"),
        ("unknown device", reading(device="nobody"), "unknown_device"),
        ("another's device", reading(device="lampGood"), "foreign_device"),
        ("SQL as device", reading(device=SQL), "wrong_value"),
        ("HTML as device", reading(device=HTML), "wrong_value"),
        ("NUL in device", reading(device="lamp\x00"), "wrong_value"),
        ("a path as device", reading(device="../../etc/passwd"), "wrong_value"),
        ("unknown metric", reading(values={"humour": 1}), "unknown_metric"),
        ("SQL as metric", reading(values={SQL: 1}), "unknown_metric"),
        ("HTML as metric", reading(values={HTML: 1}), "unknown_metric"),
        ("NUL in a metric", reading(values={"a\x00b": 1}), "unknown_metric"),
        ("101 per cent", reading(values={"dimmingLevel": 101}), "metric_out_of_range"),
        ("below zero", reading(values={"activePower": -5}), "metric_out_of_range"),
        ("half a failure", reading(values={"lampFailure": 0.5}), "metric_out_of_range"),
        ("1e308 W", reading(values={"activePower": 1e308}), "metric_out_of_range"),
    ]
    acks: list[tuple[str, bytes, str]] = [
        ("an ack that is no JSON", b"done", "not_json"),
        ("an ack without id", ack(id=...), "missing_field"),
        ("an ack with SQL as id", ack(id=SQL), "wrong_value"),
        ("an ack with a status of its own", ack(status="maybe"), "wrong_value"),
        ("an ack with HTML as code", ack(code=HTML), "wrong_value"),
        ("an ack with a long detail", ack(detail="x" * 300), "wrong_value"),
        ("an ack for another's device", ack(device="lampGood"), "foreign_device"),
        ("an ack from year 2100", ack(at="2100-01-01T00:00:00Z"), "at_future"),
    ]
    good = reading(n=77)
    mixed = b"[" + good + b"," + reading(boot=-1) + b"," + reading(device="nobody") + b"]"
    return [
        *[Payload(name, body, (code,)) for name, body, code in rows],
        *[Payload(name, body, (code,), "ack") for name, body, code in acks],
        Payload("a batch with two bad of three", mixed, ("wrong_value", "unknown_device")),
        Payload("an ack of a command nobody gave", ack(), ("unknown_command",), "ack"),
    ]


@dataclass(frozen=True)
class Abuse:
    """Bytes sent by a logged-in client; `seen` is what it experiences: `closed`, `refused` (SUBACK
    0x80) or `ignored`; `code` the reason counted for it."""

    name: str
    body: bytes
    seen: str
    code: str


def abuses(me: str, other: str, shard: int) -> list[Abuse]:
    """What the broker itself refuses of a client that is logged in."""

    def put(topic: str, qos: int = 1) -> bytes:
        return publish(topic, reading(), 9, qos=qos)

    forbidden = [
        ("another's topic", put(f"up/{shard}/{other}/reading")),
        ("another's topic at QoS 0", put(f"up/{shard}/{other}/reading", 0)),
        ("another's acknowledgements", put(f"up/{shard}/{other}/ack")),
        ("a forged command", put(f"down/{other}/lampGood/command")),
        ("a command to itself", put(f"down/{me}/lampBad/command")),
        ("another shard", put(f"up/{shard + 7}/{me}/reading")),
        ("a topic of its own making", put(f"up/{shard}/{me}/reading/more")),
        ("the canary's topic", put("up/canary/x")),
        ("the broker's system topic", put("$SYS/REQ/SERVER/PING")),
        ("the stream itself", put(f"$MQTT/msgs/up/{shard}/{other}/reading")),
        ("JetStream's API", put("$JS/API/STREAM/DELETE/$MQTT_msgs")),
        ("the login check", put("$SYS/REQ/USER/AUTH")),
    ]
    unheard = [
        ("another's commands", f"down/{other}/#"),
        ("everything", "#"),
        ("everyone's commands", "down/+/+/command"),
        ("everyone's readings", "up/#"),
        ("the system account", "$SYS/#"),
    ]
    closing = [
        ("10 MB", publish(f"up/{shard}/{me}/reading", b"x" * 10_000_000, 9), "payload_too_large"),
        ("QoS 2", put(f"up/{shard}/{me}/reading", 2), "protocol_error"),
        ("QoS 3", put(f"up/{shard}/{me}/reading", 3), "protocol_error"),
        ("a wildcard publish", put("up/+/x/reading"), "protocol_error"),
        ("a publish to everything", put("#"), "protocol_error"),
        ("an empty topic", put(""), "protocol_error"),
        ("a topic that is not UTF-8", packet(0x32, b"\x00\x02\xff\xfe\x00\x09x"), "protocol_error"),
        ("packet id 0", publish(f"up/{shard}/{me}/reading", b"x", 0), "protocol_error"),
        ("a second CONNECT", packet(0x10, text("MQTT") + b"\x04\x02\x00\x1e" + text(me)),
         "protocol_error"),
        ("an empty SUBSCRIBE", packet(0x82, b"\x00\x05"), "protocol_error"),
        ("an unknown packet", b"\xf0\x00", "protocol_error"),
    ]  # fmt: skip
    return [
        *[Abuse(name, body, "ignored", "publish_forbidden") for name, body in forbidden],
        *[
            Abuse(f"hearing {name}", subscribe(topic, 8), "refused", "subscribe_forbidden")
            for name, topic in unheard
        ],
        *[Abuse(name, body, "closed", code) for name, body, code in closing],
    ]


@dataclass(frozen=True)
class Login:
    """A CONNECT that must fail; `code` is the reason the platform counts, "" when the broker
    refuses before asking."""

    name: str
    client: str
    user: str
    password: str
    code: str


def logins(me: str, secret: str, other: str) -> list[Login]:
    """Who does not get in."""
    return [
        Login("a wrong secret", me, me, "guess", "wrong_secret"),
        Login("another's secret", other, other, secret, "wrong_secret"),
        Login("another's client id", other, me, secret, "wrong_client_id"),
        Login("a client id of one's own", "mine", me, secret, "wrong_client_id"),
        Login("an unknown client", "nobody", "nobody", secret, "unknown_client"),
        Login("SQL as a user", "x", SQL, SQL, "unknown_client"),
        Login("HTML as a user", "x", HTML, HTML, "unknown_client"),
        Login("a user of 10,000 letters", "x", "u" * 10_000, secret, "unknown_client"),
        Login("the canary without its secret", "canary_x", "canary_x", secret, "wrong_secret"),
        Login("the platform's own user", "vigie", "vigie", "guess", ""),
    ]


@dataclass(frozen=True)
class Call:
    """An HTTP request as an administrator; the answer's status and problem code."""

    method: str
    path: str
    status: int
    code: str
    body: bytes | None = None
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


def calls() -> list[Call]:
    """What the API refuses."""

    def command(**changes: Any) -> bytes:
        whole = {
            "verb": "set_dimming_level",
            "params": {"level": 40},
            "assets": [1],
            "reason": "test",
        } | changes
        return json.dumps(
            {name: value for name, value in whole.items() if value is not ...}
        ).encode()

    def post(body: bytes, status: int, code: str, path: str = "/commands", **headers: str) -> Call:
        every = {"Content-Type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return Call("POST", path, status, code, body, tuple(every.items()))

    return [
        post(b"", 422, "invalid_input"),
        post(b"{", 400, "malformed_json"),
        post(b"\xff\xfe", 400, "malformed_json"),
        post(b"null", 422, "invalid_input"),
        post(b"[]", 422, "invalid_input"),
        post(DEEP, 422, "invalid_input"),
        post(command(params={"level": float("nan")}), 400, "malformed_json"),
        post(command(params={"level": 101}), 422, "bad_params"),
        post(command(params={"level": "40"}), 422, "bad_params"),
        post(command(verb=SQL), 422, "unknown_verb"),
        post(command(assets=[10**30]), 404, "asset_not_found"),
        post(command(assets=[999_999]), 404, "asset_not_found"),
        post(command(assets=SQL), 422, "invalid_input"),
        post(command(extra=1), 422, "invalid_input"),
        post(command(reason="x" * 100_000), 422, "invalid_input"),
        post(command(), 415, "not_json", Content_Type="text/html"),
        post(b"x" * 5_000_000, 413, "body_too_large"),
        post(b'{"reason": 3}', 422, "invalid_input", "/gateways/nobody/revoke"),
        post(b'{"reason": "x"}', 404, "client_unknown", "/gateways/nobody/revoke"),
        Call("GET", "/gateways/%27%3Bdrop%20table", 404, "client_unknown"),
        Call("GET", "/gateways/%00", 400, "malformed"),
        Call("GET", "/quarantine?cursor=AAAA", 422, "bad_cursor"),
        Call("GET", "/quarantine?limit=0", 422, "invalid_input"),
        Call("GET", "/quarantine?limit=many", 422, "invalid_input"),
        Call("GET", "/quarantine?surprise=1", 422, "invalid_input"),
        Call("GET", "/assets/999999", 404, "asset_not_found"),
        Call("GET", "/assets/99999999999999999999", 422, "invalid_input"),
        Call("GET", "/assets?filter=colour:red", 422, "bad_filter"),
        Call("GET", "/nowhere", 404, "not_found"),
        Call("DELETE", "/quarantine", 405, "method_not_allowed"),
    ]
