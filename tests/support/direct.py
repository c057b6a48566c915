"""A way in straight to the twin, with the promise of the real one: one transaction a call. For
tests of what trackers are answered."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from vigie.core import clock
from vigie.core.database import Database
from vigie.core.errors import Invalid
from vigie.gateways.ingest import Events, Positions
from vigie.gateways.positions.model import Message
from vigie.twin import events, track

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A device goes by its token, or by the name that its source has for it.
_DEVICES = text(
    """
    select c.token as client, a.id, a.token, a.source_id
    from gateways.client c
    join gateways.device d on d.client = c.id
    join twin.asset a on a.id = d.asset
    where c.token = any(:clients) and (a.token = any(:names) or a.source_id = any(:names))
    """
)


class Direct:
    """Stores what it is given."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, messages: Sequence[Message], /) -> None:
        """Take messages. Raises Invalid for a device that its client does not carry, Unavailable
        when they cannot be stored now."""
        if not messages:
            return
        recorded = clock.now()
        recorded_us = round(recorded.timestamp() * 1e6)
        async with self._database.unit() as unit:
            found = await unit.execute(
                _DEVICES,
                {
                    "clients": sorted({m.client for m in messages}),
                    "names": sorted({m.device.replace("\0", "") for m in messages}),
                },
            )
            assets: dict[tuple[str, str], int] = {}
            for row in found:
                assets.setdefault((row.client, row.source_id), row.id)
                assets[row.client, row.token] = row.id
            for message in messages:
                if (message.client, message.device) not in assets:
                    raise Invalid(
                        "unknown_device",
                        f"The client carries no device {message.device!r}: bind it first.",
                        {"device": message.device},
                    )
            positions = [
                _position(m, assets[m.client, m.device], recorded_us)
                for m in messages
                if isinstance(m, Positions)
            ]
            if positions:
                await track.store(unit, positions)
            happened = [
                events.Event(
                    assets[m.client, m.device], _instant(m.at), recorded, m.name, m.fields, m.id
                )
                for m in messages
                if isinstance(m, Events)
            ]
            if happened:
                await events.store(unit, happened)


def _position(message: Positions, asset: int, recorded_us: int) -> track.Position:
    return track.Position(
        asset,
        message.at * 1000,
        recorded_us,
        message.lon,
        message.lat,
        message.speed_m_s,
        message.heading_deg,
        message.accuracy_m,
        message.valid,
    )


def _instant(ms: int) -> datetime:
    """A time of a device's; one beyond the calendar is the calendar's first."""
    try:
        return _EPOCH + timedelta(milliseconds=ms)
    except OverflowError:
        return _EPOCH
