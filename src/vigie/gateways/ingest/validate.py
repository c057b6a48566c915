"""From messages to arrivals: which device, which metrics, in range; the rest is refused with why.

No I/O. What the memory cannot answer (a device just issued, a metric set just met) is named, so
that the caller may look it up and ask again.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from vigie.gateways.clients import Refused
from vigie.gateways.ingest.messages import (
    FUTURE,
    PAST,
    AckStatus,
    Answered,
    Content,
    Events,
    Format,
    Measured,
    Positions,
    Raw,
    Refusal,
    Source,
    instant,
    microseconds,
)
from vigie.gateways.ingest.registry import Calibrations, Device, Registry
from vigie.gateways.ingest.sinks import DeviceEvent, DevicePosition
from vigie.twin.kinds import POSITION, Kind
from vigie.twin.telemetry import Arrival, MetricSet, MetricSets, Names

_FUTURE_US = int(FUTURE.total_seconds() * 1e6)
_PAST_US = int(PAST.total_seconds() * 1e6)
_POSITION = frozenset(point.name for point in POSITION)
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
    events: list[DeviceEvent] = []
    positions: list[DevicePosition] = []
    refused: list[Refused] = []
    senders: dict[int, tuple[int, int]] = {}
    # By client: time of receipt (ns), and what a reading's own time is off it (µs).
    skews: dict[str, tuple[int, int]] = {}
    unknown_sets: set[tuple[str, Names]] = set()
    unknown_kinds: dict[str, Kind] = {}
    strangers: bool = False


class Validator:
    """Reads the messages of one lane."""

    def __init__(self, registry: Registry, sets: MetricSets, format_: Format) -> None:
        self._registry = registry
        self._sets = sets
        self._format = format_
        self._plans: dict[tuple[str, Names], Plan] = {}
        self._plans_of = sets.version
        self._sources: dict[bytes, Source | None] = {}

    def parse(self, batch: Sequence[Raw]) -> Parsed:
        """Understand a batch."""
        parsed = Parsed()
        if self._plans_of != self._sets.version:
            self._plans.clear()
            self._plans_of = self._sets.version
        sources, one = self._sources, self._format.one
        undated = self._registry.undated
        senders: dict[str, list[int]] = {}
        for raw in batch:
            subject = raw.subject
            source = sources.get(subject)
            if source is None:
                source = self.source(subject)
            if source is None:
                self._refuse(parsed, raw, "", "unknown_topic")
                continue
            client = source.client
            count = senders.get(client)
            if count is None:
                senders[client] = [1, raw.time_ns]
            else:
                count[0] += 1
                count[1] = raw.time_ns
            if source.channel == "reading" and client not in undated:
                data = raw.data
                try:
                    # The common case, at once; anything odd is explained the long way.
                    self._reading(parsed, raw, client, one(data), data)
                    continue
                except (msgspec.MsgspecError, UnicodeError, RecursionError):
                    pass
            self._everything(parsed, raw, source)
        parsed.senders = self._by_id(senders)
        return parsed

    def senders(self, batch: Sequence[Raw]) -> dict[int, tuple[int, int]]:
        """How many messages of which client, by id, and the time of receipt of its last."""
        senders: dict[str, list[int]] = {}
        for raw in batch:
            source = self.source(raw.subject)
            if source is not None:
                count = senders.setdefault(source.client, [0, 0])
                count[0] += 1
                count[1] = raw.time_ns
        return self._by_id(senders)

    def _by_id(self, senders: dict[str, list[int]]) -> dict[int, tuple[int, int]]:
        clients = self._registry.clients
        return {
            clients[client]: (count, last)
            for client, (count, last) in senders.items()
            if client in clients
        }

    def source(self, subject: bytes) -> Source | None:
        """Where a message came in."""
        source = self._sources.get(subject)
        if source is None:
            source = self._format.source(subject)
            if source is not None:
                if len(self._sources) > _MOST_PLANS:
                    self._sources.clear()
                self._sources[subject] = source
        return source

    def _everything(self, parsed: Parsed, raw: Raw, source: Source) -> None:
        """Batches, acknowledgements, events, positions, and what is none of these."""
        client = source.client
        undated = client in self._registry.undated
        content = self._format.all(raw, source, timely=not undated)
        shift_us = _shift_us(raw, content) if undated else 0
        self._refusals(parsed, raw, client, content.refusals)
        for reading in content.readings:
            self._reading(parsed, raw, client, reading, None, shift_us)
        self._acks(parsed, raw, client, content.acks)
        for event in content.events:
            if (met := self._met(parsed, raw, client, event, shift_us)) is not None:
                device, at = met
                parsed.events.append(
                    DeviceEvent(device.asset, instant(at), raw.received, event.name, event.fields,
                                event.id, raw, event)
                )  # fmt: skip
        for position in content.positions:
            if (met := self._met(parsed, raw, client, position, shift_us)) is not None:
                parsed.positions.append(_position(met[0], instant(met[1]), raw, position))

    def _met(
        self, parsed: Parsed, raw: Raw, client: str, message: Events | Positions, shift_us: int
    ) -> tuple[Device, int] | None:
        """The device and the time in ms of an event or a position; None when it was refused."""
        device = self._registry.device(client, message.device)
        code = ""
        at = microseconds(message.at) + shift_us
        recorded = raw.time_ns // 1000
        if not recorded - _PAST_US <= at <= recorded + _FUTURE_US:
            code = "at_past" if at < recorded else "at_future"
        elif device is None or device.client != client or device.retired:
            code = self._unfit(parsed, client, device)
        elif isinstance(message, Positions) and not _on_earth(message):
            code = "position_out_of_range"
        elif isinstance(message, Positions) and not device.kind.moves:
            code = "does_not_move"
        if device is None or code:
            asset = device.asset if device and device.client == client else None
            piece = self._format.piece(message)
            self._refuse(parsed, raw, client, code, {"device": message.device}, piece, asset)
            return None
        return device, at // 1000

    def _reading(
        self,
        parsed: Parsed,
        raw: Raw,
        client: str,
        reading: Measured,
        payload: bytes | None,
        shift_us: int = 0,
    ) -> None:
        recorded = raw.time_ns // 1000
        stamp = reading.stamp
        at = stamp * 1000 if isinstance(stamp, int) else microseconds(stamp)
        parsed.skews[client] = (raw.time_ns, at - recorded)
        at += shift_us
        if not recorded - _PAST_US <= at <= recorded + _FUTURE_US:
            code = "at_past" if at < recorded else "at_future"
            self._refuse_reading(parsed, raw, client, reading, payload, code, at=str(stamp))
            return
        device = self._registry.devices.get(reading.device)
        if device is None or device.client != client or device.retired:
            if device is None:
                device = self._registry.device(client, reading.device)
            if device is None or device.client != client or device.retired:
                code = self._unfit(parsed, client, device)
                self._refuse_reading(parsed, raw, client, reading, payload, code)
                return
        values = reading.values
        if device.kind.moves and "longitude" in values and "latitude" in values:
            place = self._place(raw, client, device, reading, at)
            if place is None:
                self._refuse_reading(
                    parsed, raw, client, reading, payload, "position_out_of_range",
                    asset=device.asset,
                )  # fmt: skip
                return
            parsed.positions.append(place)
            values = {name: value for name, value in values.items() if name not in _POSITION}
            if not values:
                return
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
        if device.calibration is not None:
            told = calibrated(device.calibration, plan.set.metrics, told, at)
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

    def _place(
        self, raw: Raw, client: str, device: Device, reading: Measured, at: int
    ) -> DevicePosition | None:
        """Where a reading of what moves says it is; None when that is nowhere. Its position goes to
        the track, and never to history."""
        for name in _POSITION & reading.values.keys():
            point = device.kind.point(name)
            if point is None or not point.low <= reading.values[name] <= point.high:
                return None
        values = reading.values
        message = Positions(
            client,
            reading.device,
            at // 1000,
            values["longitude"],
            values["latitude"],
            speed_m_s=values.get("speed"),
            heading_deg=values.get("heading"),
        )
        return _position(device, instant(at // 1000), raw, message)

    def _acks(self, parsed: Parsed, raw: Raw, client: str, acks: Sequence[Answered]) -> None:
        for ack in acks:
            device = self._registry.device(client, ack.device)
            if device is None or device.client != client:
                code = self._unfit(parsed, client, device)
                payload = self._format.piece(ack)
                self._refuse(parsed, raw, client, code, {"device": ack.device}, payload)
                continue
            parsed.acks.append(
                DeviceAck(
                    ack.id, device.asset, instant(ack.stamp), ack.status, ack.code, ack.detail, raw
                )
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
        reading: Measured,
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
        reading: Measured,
        payload: bytes | None,
        code: str,
        asset: int | None = None,
        **params: Any,
    ) -> None:
        piece = self._format.piece(reading) if payload is None else payload
        self._refuse(parsed, raw, client, code, {"device": reading.device, **params}, piece, asset)

    def _refusals(self, parsed: Parsed, raw: Raw, client: str, refusals: Sequence[Refusal]) -> None:
        for refusal in refusals:
            device = self._registry.device(client, refusal.device or "")
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
        parsed.refused.append(self._refused(client, raw, code, params or {}, piece, asset))

    def _refused(
        self,
        client: str,
        raw: Raw,
        code: str,
        params: dict[str, Any],
        piece: bytes,
        asset: int | None = None,
    ) -> Refused:
        topic = self._format.topic(raw.subject)
        return Refused(client, topic, code, params, piece, len(piece), raw.received, asset)

    def _client(self, raw: Raw) -> str:
        source = self.source(raw.subject)
        return source.client if source else ""

    def unasked(self, acks: Iterable[Any]) -> list[Refused]:
        """Answers to commands nobody gave to that equipment."""
        return [
            self._refused(
                self._client(ack.raw),
                ack.raw,
                "unknown_command",
                {"command": str(ack.command), "status": ack.status},
                ack.raw.data,
                ack.asset,
            )
            for ack in acks
            if isinstance(ack, DeviceAck) and ack.raw is not None
        ]

    def unkept(self, items: Iterable[DeviceEvent | DevicePosition]) -> list[Refused]:
        """Events and positions for which nobody has a place yet."""
        return [
            self._refused(
                self._client(item.raw),
                item.raw,
                "no_sink",
                {"device": item.message.device},
                self._format.piece(item.message),
                item.asset,
            )
            for item in items
        ]

    def unstorable(self, raw: Raw, error: BaseException) -> Refused:
        """A message that the database would not take."""
        cause = {"cause": type(error).__name__}
        return self._refused(self._client(raw), raw, "unstorable", cause, raw.data)

    def topic(self, raw: Raw) -> str:
        """Where a message came in, as people know it."""
        return self._format.topic(raw.subject)


def calibrated(
    calibration: Calibrations, metrics: Sequence[str], raw: Sequence[float], at_us: int
) -> tuple[float, ...]:
    """Values corrected by what is in force at their own time."""
    corrected: list[float] = []
    for metric, value in zip(metrics, raw, strict=True):
        for since, factor, offset in calibration.get(metric, ()):
            if since <= at_us:
                value = factor * value + offset
                break
        corrected.append(value)
    return tuple(corrected)


def _shift_us(raw: Raw, content: Content) -> int:
    """What makes the newest time in a message the time of its receipt: for a client whose clock is
    not to be trusted. The distances within the message stay."""
    stamps = [microseconds(reading.stamp) for reading in content.readings]
    stamps += [microseconds(item.at) for item in (*content.events, *content.positions)]
    return raw.time_ns // 1000 - max(stamps) if stamps else 0


def _on_earth(position: Positions) -> bool:
    return -180 <= position.lon <= 180 and -90 <= position.lat <= 90


def _position(device: Device, at: datetime, raw: Raw, message: Positions) -> DevicePosition:
    return DevicePosition(
        device.asset,
        device.kind,
        at,
        raw.received,
        message.lon,
        message.lat,
        message.altitude,
        message.speed_m_s,
        message.heading_deg,
        message.accuracy_m,
        message.satellites,
        message.valid,
        raw,
        message,
    )
