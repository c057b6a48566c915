"""Calibration: what a device's values are corrected by, from a moment on.

value = factor × raw + offset. Applied when a reading is stored, by the reading's own time; the raw
value follows from the calibration in force then: (value − offset) / factor. So that this stays
true, a calibration never begins in the past: at the earliest when no reading of later can have been
stored without it. It is never changed, only followed by another.
"""

import math
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import text

from vigie.core import clock, journal
from vigie.core.bus import Bus
from vigie.core.database import Unit
from vigie.core.errors import Conflict, Fault, NotFound, wrong_fields
from vigie.core.journal import Change
from vigie.gateways.clients.service import tell
from vigie.twin import demand, kinds

# A device's clock may be 5 minutes ahead; the lanes read the registry again within a minute.
SOONEST = timedelta(minutes=6)
_FACTOR = (1e-6, 1e6)
_OFFSET = 1e9


class Calibration(msgspec.Struct, frozen=True):
    """One metric of one asset, from `valid_from` until the next one."""

    metric: str
    valid_from: datetime
    factor: float
    offset: float
    reason: str


async def calibrate(
    unit: Unit,
    bus: Bus,
    asset: int,
    metric: str,
    *,
    factor: float,
    offset: float,
    reason: str,
    valid_from: datetime | None = None,
) -> Calibration:
    """Correct a metric from `valid_from` on; six minutes from now, when it is not said.

    Raises NotFound for an asset out of sight, Invalid naming the fields that are wrong, Conflict
    when one begins at that very moment.
    """
    row = (
        await unit.execute(
            text("select kind, municipality, trade from twin.asset where id = :id"), {"id": asset}
        )
    ).one_or_none()
    if row is None:
        raise NotFound("asset_not_found", f"There is no asset {asset}.", {"asset": asset})
    # Machine time: it is compared with the devices' clocks.
    soonest = datetime.now(tz=clock.now().tzinfo) + SOONEST
    valid_from = valid_from or soonest
    kind = kinds.kind(row.kind)
    declared = kind.point(metric) if kind else None
    faults: list[Fault] = []
    if declared is None:
        faults.append(Fault("metric", "unknown_metric", f"{row.kind} has no such metric"))
    elif declared.whole:
        faults.append(Fault("metric", "is_flag", "a flag or a choice cannot be calibrated"))
    if not (math.isfinite(factor) and _FACTOR[0] <= abs(factor) <= _FACTOR[1]):
        faults.append(Fault("factor", "out_of_range", "between 0.000001 and 1000000 either way"))
    if not (math.isfinite(offset) and abs(offset) <= _OFFSET):
        faults.append(Fault("offset", "out_of_range", "at most 1000000000 either way"))
    if not reason.strip():
        faults.append(Fault("reason", "required", "say what was measured, with which instrument"))
    if valid_from < soonest - timedelta(seconds=30):
        faults.append(Fault("valid_from", "too_early", "at least six minutes from now"))
    if faults:
        raise wrong_fields(*faults, code="calibration_wrong")
    made = await unit.execute(
        text(
            """
            insert into gateways.calibration
             (asset, metric, valid_from, factor, "offset", reason, municipality, trade)
            values
             (:asset, :metric, :valid_from, :factor, :offset, :reason, :municipality, :trade)
            on conflict do nothing
            """
        ),
        {
            "asset": asset,
            "metric": metric,
            "valid_from": valid_from,
            "factor": factor,
            "offset": offset,
            "reason": reason.strip(),
            "municipality": row.municipality,
            "trade": row.trade,
        },
    )
    if made.rowcount != 1:
        raise Conflict("calibration_exists", "Another calibration begins at that moment.")
    await journal.record(
        unit,
        "gateways.calibrated",
        params={"asset": asset, "metric": metric},
        changes=[
            Change(
                "asset",
                str(asset),
                None,
                {"metric": metric, "factor": factor, "offset": offset, "from": str(valid_from)},
                scope=f"{row.municipality}/{row.trade}",
            )
        ],
        reason=reason.strip(),
    )
    tell(unit, bus, [])
    return Calibration(metric, valid_from, factor, offset, reason.strip())


async def read_calibrations(unit: Unit, asset: int) -> list[Calibration]:
    """All of an asset, metric by metric, newest first. Raises NotFound."""
    await demand(unit, asset)
    rows = await unit.execute(
        text(
            """
            select metric, valid_from, factor, "offset", reason from gateways.calibration
            where asset = :asset
            order by metric, valid_from desc
            limit 1000
            """
        ),
        {"asset": asset},
    )
    return [Calibration(*row) for row in rows]
