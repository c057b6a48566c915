"""The ledgers of a run, compared: what was acknowledged, stored and commanded."""

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg

from tests.support.centre import Centre
from tests.support.city import City


def compare_history(centre: Centre, city: City) -> None:
    """Every acknowledged message once, none twice."""
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
        missing = connection.execute(
            "select count(*) from witness w join twin.asset a on a.token = w.token"
            " left join twin.history h on h.device = a.id and h.boot = w.boot and h.n = w.n"
            " where h.device is null"
        ).fetchone()
        known = connection.execute(
            "select count(*) from witness w join twin.asset a on a.token = w.token"
        ).fetchone()
    assert known == (len(acknowledged),)
    assert missing == (0,), f"{missing} of {len(acknowledged)} acknowledged messages are missing"
    print(f"{len(acknowledged)} acknowledged messages, all in history once")


def compare_commands(centre: Centre, city: City) -> None:
    """No false confirmation; nearly all confirmed; the rest ended truthfully."""
    executed = set(city.query("select id, device from executed_command where status = 'done'"))
    with owner(centre) as connection:
        targets = connection.execute(
            "select t.command::text, a.token, t.state from control.target t"
            " join twin.asset a on a.id = t.asset"
        ).fetchall()
    by_state: dict[str, int] = {}
    for _, _, state in targets:
        by_state[state] = by_state.get(state, 0) + 1
    false = [t for t in targets if t[2] == "confirmed" and (t[0], t[1]) not in executed]
    assert false == []
    unended = {s: n for s, n in by_state.items() if s in ("requested", "sent", "delivered")}
    assert not unended, by_state
    confirmed = by_state.get("confirmed", 0)
    superseded = by_state.get("superseded", 0)
    print("commands by outcome:", by_state)
    assert confirmed >= 0.99 * (len(targets) - superseded), by_state


@contextlib.contextmanager
def owner(centre: Centre) -> Iterator[psycopg.Connection[Any]]:
    """The database as its owner."""
    password = (centre.var / "secrets" / "postgres-vigie_owner").read_text().strip()
    port = centre.environment["VIGIE_POSTGRES_PORT"]
    with psycopg.connect(
        f"postgresql://vigie_owner:{password}@127.0.0.1:{port}/vigie", autocommit=True
    ) as connection:
        yield connection
