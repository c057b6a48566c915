"""The ledgers of a run, compared: what was acknowledged, stored and commanded."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import psycopg

from tests.support.centre import Centre
from tests.support.city import City
from vigie.lighting.kinds import STREETLIGHT

UNEXPECTED, PENDING = 8, 16
Light = tuple[int, float | None, int, float | None]
"""As the console holds it: asset, level, flags, seconds since 1970."""


def compare_history(centre: Centre, city: City, *, drained: bool = True) -> str:
    """Every acknowledged message once, none twice; after a drain nothing else either."""
    acknowledged = city.query("select device, boot, n from acknowledged_message")
    with owner(centre) as connection:
        doubled = connection.execute(
            "select device, boot, n, count(*) from twin.history group by 1, 2, 3"
            " having count(*) > 1 limit 5"
        ).fetchall()
        assert doubled == []
        connection.execute("create temp table witness (token text, boot int, n int)")
        with connection.cursor().copy("copy witness from stdin") as copy:
            for row in acknowledged:
                copy.write_row(row)
        known, missing = _one(
            connection,
            "select count(*), count(*) filter (where h.device is null) from witness w"
            " join twin.asset a on a.token = w.token"
            " left join twin.history h on h.device = a.id and h.boot = w.boot and h.n = w.n",
        )
        (stored,) = _one(connection, "select count(*) from twin.history")
        quarantined = connection.execute(
            "select code, count(*) from gateways.quarantine group by 1"
        ).fetchall()
    assert known == len(acknowledged) > 0
    assert missing == 0, f"{missing} of {known} acknowledged messages are missing"
    assert quarantined == []
    if drained:
        assert stored == known, f"{stored} stored, {known} acknowledged"
    return f"{known:,} acknowledged messages, all in history exactly once; {stored:,} rows there"


def compare_commands(centre: Centre, city: City, accepted: Sequence[str]) -> str:
    """No false confirmation; nearly all confirmed; the rest ended truthfully; each asked once."""
    done = {
        (command, device)
        for command, device, status in city.query("select id, device, status from executed_command")
        if status == "done"
    }
    with owner(centre) as connection:
        commands = [
            row[0] for row in connection.execute("select id::text from control.command").fetchall()
        ]
        targets = connection.execute(
            "select t.command::text, a.token, t.state, t.asset, c.requested_at, t.ended_at,"
            " c.expires_at from control.target t"
            " join control.command c on c.id = t.command join twin.asset a on a.id = t.asset"
        ).fetchall()
    assert sorted(commands) == sorted(accepted), "a command was made twice, or was lost"
    states = [target[2] for target in targets]
    outcomes = {state: states.count(state) for state in sorted(set(states))}
    assert set(outcomes) <= {"confirmed", "superseded", "timed_out"}, outcomes
    false = [t for t in targets if t[2] == "confirmed" and (t[0], t[1]) not in done]
    assert false == []
    strange = done - {(t[0], t[1]) for t in targets}
    assert strange == set(), "lamps carried out what nobody asked"
    newest: dict[int, Any] = {}
    for target in targets:
        newest[target[3]] = max(target[4], newest.get(target[3], target[4]))
    for target in targets:
        if target[2] == "superseded":
            assert target[4] < newest[target[3]], "superseded by nothing"
        if target[2] == "timed_out":
            assert target[5] >= target[6], "timed out before it expired"
    confirmed, superseded = outcomes.get("confirmed", 0), outcomes.get("superseded", 0)
    assert confirmed >= 0.99 * (len(targets) - superseded), outcomes
    assert superseded <= 0.05 * len(targets), outcomes
    share = 100 * confirmed / len(targets)
    return (
        f"{len(commands)} commands to {len(targets):,} lamps: {outcomes}, {share:.2f}% confirmed,"
        " none falsely"
    )


def compare_screen(centre: Centre, held: Sequence[Light]) -> None:
    """What a console holds is what is stored."""
    slot = STREETLIGHT.slot("dimmingLevel")
    assert slot is not None
    with owner(centre) as connection:
        rows = connection.execute(
            f"select a.id, s.vals[{slot + 1}], extract(epoch from s.at)::float8,"
            " case when not i.shown then i.desired end, coalesce(i.pending, false)"
            " from twin.asset a left join twin.state s on s.asset = a.id"
            " left join twin.intent i on i.asset = a.id"
            " where a.kind = 'Streetlight' order by a.id"
        ).fetchall()
    assert len(rows) == len(held) > 0
    for (asset, level, at, desired, pending), (id_, shown, flags, seen) in zip(
        rows, held, strict=True
    ):
        where = f"light {asset}: stored {level} at {at}, shown {shown} at {seen}, flags {flags}"
        assert asset == id_, where
        assert (level is None) == (shown is None), where
        assert level is None or np.float32(level) == np.float32(shown), where
        assert (at is None) == (seen is None), where
        assert at is None or abs(at - (seen or 0)) < 0.002, where
        assert bool(flags & PENDING) == pending, where
        differs = level is not None and desired is not None and abs(level - desired) > 1
        assert bool(flags & UNEXPECTED) == (differs and not pending), where


@contextlib.contextmanager
def owner(centre: Centre) -> Iterator[psycopg.Connection[Any]]:
    """The database as its owner."""
    password = (centre.var / "secrets" / "postgres-vigie_owner").read_text().strip()
    port = centre.environment["VIGIE_POSTGRES_PORT"]
    with psycopg.connect(
        f"postgresql://vigie_owner:{password}@127.0.0.1:{port}/vigie", autocommit=True
    ) as connection:
        yield connection


def _one(connection: psycopg.Connection[Any], statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement).fetchone()
    assert row is not None
    return row
