"""From messages to arrivals: which device, which metrics, in range; the rest is refused with why.

No I/O. What the memory cannot answer (a device just issued, a metric set just met) is named, so
that the caller may look it up and ask again.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from vigie.gateways.mqtt.ingest.lane import Raw
from vigie.gateways.mqtt.ingest.registry import Device, Registry
from vigie.gateways.mqtt.messages import (
    FUTURE,
    MAX_PAYLOAD,
    PAST,
    AckStatus,
    Reading,
    Refusal,
    Source,
    decode_acks,
    decode_readings,
    parse_subject,
)
from vigie.gateways.mqtt.model import Refused
from vigie.twin.kinds import Kind
from vigie.twin.telemetry import Arrival, MetricSet, MetricSets, Names

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FUTURE_US = int(FUTURE.total_seconds() * 1e6)
_PAST_US = int(PAST.total_seconds() * 1e6)
_MOST_PLANS = 20_000


class DeviceAck(msgspec.Struct, frozen=True):
    """What a device answered to a command, with the equipment it is."""

    command: UUID
    asset: int
    at: datetime
    status: AckStatus
    code: str | None = None
    detail: str | None = None
    raw: Raw | None = None


class Plan(msgspec.Struct, frozen=True):
    """How to check and order the values of one shape of message."""

    set: MetricSet
    order: tuple[int, ...] | None
    low: tuple[float, ...]
    high: tuple[float, ...]
    whole: tuple[int, ...]


class Parsed(msgspec.Struct):
    """A batch, understood."""

    arrivals: list[Arrival] = []
    acks: list[DeviceAck] = []
    refused: list[Refused] = []
    heard: dict[int, tuple[int, int]] = {}
    unknown_sets: set[tuple[str, Names]] = set()
    unknown_kinds: dict[str, Kind] = {}
    strangers: bool = False


class Validator:
    """Reads the messages of one lane."""

    def __init__(self, registry: Registry, sets: MetricSets) -> None:
        self._registry = registry
        self._sets = sets
        self._plans: dict[tuple[str, Names], Plan] = {}
        self._plans_of = sets.version
        self._sources: dict[bytes, Source | None] = {}
        self._one = msgspec.json.Decoder(Reading)

    def parse(self, batch: Sequence[Raw]) -> Parsed:
        """Understand a batch."""
        parsed = Parsed()
        if self._plans_of != self._sets.version:
            self._plans.clear()
            self._plans_of = self._sets.version
        sources, one = self._sources, self._one
        heard: dict[str, list[int]] = {}
        for raw in batch:
            subject = raw.subject
            source = sources.get(subject)
            if source is None:
                source = self._source(subject)
            if source is None:
                self._refuse(parsed, raw, "", "unknown_topic")
                continue
            count = heard.get(source.client)
            if count is None:
                heard[source.client] = [1, raw.time_ns]
            else:
                count[0] += 1
                count[1] = raw.time_ns
            if source.channel == "reading":
                data = raw.data
                try:
                    # The common case, at once; anything odd is explained the long way.
                    reading = one.decode(data)
                    if len(data) > MAX_PAYLOAD or not data.isascii():
                        raise msgspec.DecodeError
                    self._reading(parsed, raw, source.client, reading, data)
                except (msgspec.MsgspecError, UnicodeError, RecursionError):
                    self._slowly(parsed, raw, source.client)
            else:
                self._acks(parsed, raw, source.client)
        parsed.heard = self._by_id(heard)
        return parsed

    def senders(self, batch: Sequence[Raw]) -> dict[int, tuple[int, int]]:
        """How many messages of which client, by id, and the broker's time of its last."""
        heard: dict[str, list[int]] = {}
        for raw in batch:
            source = self._sources.get(raw.subject) or self._source(raw.subject)
            if source is not None:
                count = heard.setdefault(source.client, [0, 0])
                count[0] += 1
                count[1] = raw.time_ns
        return self._by_id(heard)

    def _by_id(self, heard: dict[str, list[int]]) -> dict[int, tuple[int, int]]:
        clients = self._registry.clients
        return {
            clients[client]: (count, last)
            for client, (count, last) in heard.items()
            if client in clients
        }

    def _source(self, subject: bytes) -> Source | None:
        try:
            source = parse_subject(subject.decode("ascii"))
        except UnicodeDecodeError:
            return None
        if source is not None:
            if len(self._sources) > _MOST_PLANS:
                self._sources.clear()
            self._sources[subject] = source
        return source

    def _reading(
        self, parsed: Parsed, raw: Raw, client: str, reading: Reading, payload: bytes | None
    ) -> None:
        recorded = raw.time_ns // 1000
        stamp = reading.stamp
        at = stamp * 1000 if isinstance(stamp, int) else _microseconds(stamp)
        if not recorded - _PAST_US <= at <= recorded + _FUTURE_US:
            code = "at_past" if at < recorded else "at_future"
            self._refuse_reading(parsed, raw, client, reading, payload, code, at=str(stamp))
            return
        device = self._registry.devices.get(reading.device)
        if device is None or device.client != client or device.retired:
            code = self._unfit(parsed, client, device)
            self._refuse_reading(parsed, raw, client, reading, payload, code)
            return
        values = reading.values
        names = tuple(values)
        plan = self._plans.get((device.kind.name, names))
        if plan is None:
            plan = self._plan(parsed, device.kind, names)
            if plan is None:
                unknown = [name for name in names if device.kind.slot(name) is None]
                if unknown:
                    self._refuse_reading(
                        parsed, raw, client, reading, payload, "unknown_metric",
                        asset=device.asset, metric=unknown[0], kind=device.kind.name,
                    )  # fmt: skip
                return
        told = tuple(values.values())
        if plan.order is not None:
            told = tuple([told[index] for index in plan.order])
        for value, low, high in zip(told, plan.low, plan.high, strict=True):
            if not low <= value <= high:
                self._out_of_range(parsed, raw, client, reading, payload, device, plan, told)
                return
        for index in plan.whole:
            if told[index] != int(told[index]):
                self._out_of_range(parsed, raw, client, reading, payload, device, plan, told)
                return
        parsed.arrivals.append(
            Arrival(device.asset, reading.boot, reading.n, at, recorded, plan.set, told)
        )

    def _slowly(self, parsed: Parsed, raw: Raw, client: str) -> None:
        """A batch of readings, or something that is none."""
        readings, refusals = decode_readings(raw.data, _time(raw))
        self._refusals(parsed, raw, client, refusals)
        for reading in readings:
            self._reading(parsed, raw, client, reading, None)

    def _acks(self, parsed: Parsed, raw: Raw, client: str) -> None:
        acks, refusals = decode_acks(raw.data, _time(raw))
        self._refusals(parsed, raw, client, refusals)
        for ack in acks:
            device = self._registry.devices.get(ack.device)
            if device is None or device.client != client:
                code = self._unfit(parsed, client, device)
                payload = msgspec.json.encode(ack)
                self._refuse(parsed, raw, client, code, {"device": ack.device}, payload)
                continue
            parsed.acks.append(
                DeviceAck(ack.id, device.asset, ack.at, ack.status, ack.code, ack.detail, raw)
            )

    def _unfit(self, parsed: Parsed, client: str, device: Device | None) -> str:
        """Why this client may not speak for this device; it may have been issued just now."""
        if client not in self._registry.clients:
            parsed.strangers = True
            return "unknown_client"
        if device is None:
            parsed.strangers = True
            return "unknown_device"
        if device.client != client:
            parsed.strangers = True
            return "foreign_device"
        return "retired_device"

    def _plan(self, parsed: Parsed, kind: Kind, names: Names) -> Plan | None:
        """None when a name is unknown, or the set must be learned first."""
        if any(kind.slot(name) is None for name in names):
            return None
        known = self._sets.get(kind, names)
        if known is None:
            parsed.unknown_sets.add((kind.name, names))
            parsed.unknown_kinds[kind.name] = kind
            return None
        metrics = [kind.points[slot] for slot in known.slots]
        plan = Plan(
            known,
            known.order,
            tuple(metric.low for metric in metrics),
            tuple(metric.high for metric in metrics),
            tuple(index for index, metric in enumerate(metrics) if metric.whole),
        )
        if len(self._plans) > _MOST_PLANS:
            self._plans.clear()
        self._plans[kind.name, names] = plan
        return plan

    def _out_of_range(
        self,
        parsed: Parsed,
        raw: Raw,
        client: str,
        reading: Reading,
        payload: bytes | None,
        device: Device,
        plan: Plan,
        told: tuple[float, ...],
    ) -> None:
        for index, value in enumerate(told):
            metric = device.kind.points[plan.set.slots[index]]
            broken = index in plan.whole and value != int(value)
            if broken or not metric.low <= value <= metric.high:
                self._refuse_reading(
                    parsed, raw, client, reading, payload, "metric_out_of_range",
                    asset=device.asset, metric=metric.name, value=value,
                    minimum=metric.low, maximum=metric.high,
                )  # fmt: skip
                return

    def _refuse_reading(
        self,
        parsed: Parsed,
        raw: Raw,
        client: str,
        reading: Reading,
        payload: bytes | None,
        code: str,
        asset: int | None = None,
        **params: Any,
    ) -> None:
        piece = msgspec.json.encode(reading) if payload is None else payload
        self._refuse(parsed, raw, client, code, {"device": reading.device, **params}, piece, asset)

    def _refusals(self, parsed: Parsed, raw: Raw, client: str, refusals: Sequence[Refusal]) -> None:
        for refusal in refusals:
            device = self._registry.devices.get(refusal.device or "")
            asset = device.asset if device and device.client == client else None
            params = refusal.params | ({"device": refusal.device} if refusal.device else {})
            self._refuse(parsed, raw, client, refusal.code, params, refusal.payload, asset)

    def _refuse(
        self,
        parsed: Parsed,
        raw: Raw,
        client: str,
        code: str,
        params: dict[str, Any] | None = None,
        payload: bytes | None = None,
        asset: int | None = None,
    ) -> None:
        piece = raw.data if payload is None else payload
        parsed.refused.append(
            Refused(client, topic(raw), code, params or {}, piece, len(piece), _time(raw), asset)
        )


def topic(raw: Raw) -> str:
    """The MQTT topic a message came by."""
    subject = raw.subject.decode("ascii", "replace").removeprefix("$MQTT.msgs.")
    return subject.replace(".", "/")


def unasked(acks: Iterable[Any]) -> list[Refused]:
    """Answers to commands nobody gave to that equipment."""
    refused: list[Refused] = []
    for ack in acks:
        if not isinstance(ack, DeviceAck) or ack.raw is None:
            continue
        source = parse_subject(ack.raw.subject.decode("ascii", "replace"))
        refused.append(
            Refused(
                source.client if source else "",
                topic(ack.raw),
                "unknown_command",
                {"command": str(ack.command), "status": ack.status},
                ack.raw.data,
                len(ack.raw.data),
                _time(ack.raw),
                ack.asset,
            )
        )
    return refused


def unstorable(raw: Raw, error: BaseException) -> Refused:
    """A message that the database would not take."""
    source = parse_subject(raw.subject.decode("ascii", "replace"))
    return Refused(
        source.client if source else "",
        topic(raw),
        "unstorable",
        {"cause": type(error).__name__},
        raw.data,
        len(raw.data),
        _time(raw),
    )


def _time(raw: Raw) -> datetime:
    return datetime.fromtimestamp(raw.time_ns / 1e9, UTC)


def _microseconds(stamp: datetime) -> int:
    passed = stamp - _EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds
