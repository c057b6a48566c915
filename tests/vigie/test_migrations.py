"""An installation that is there is brought up to date with what it holds."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

import vigie
from tests.conftest import Engines
from vigie.app import every_room
from vigie.core.database import sqlalchemy_url
from vigie.core.engines.postgres import LOGIN, OWNER
from vigie.core.ids import token
from vigie.core.migrate import migrate

BEFORE = """
insert into twin.asset (token, kind, trade, source, source_id, municipality, lon, lat, mercator)
 values ('a', 'Streetlight', 'lighting', 'x', 'a', '21231', 5, 47, point(0, 0)),
        ('b', 'Streetlight', 'lighting', 'x', 'b', '21166', 5, 47, point(0, 0)),
        ('c', 'StreetlightControlCabinet', 'lighting', 'x', 'c', '21231', 5, 47, point(0, 0)),
        ('d', 'StreetlightControlCabinet', 'lighting', 'x', 'd', '21231', 5, 47, point(0, 0));
insert into twin.state (asset, n, at, recorded, boot, vals)
 select id, 1, '2000-01-01 00:03:10Z', now(), 1,
  case token when 'a' then '{nan,1,1,1,1,1,1,0}' when 'b' then
   '{1,1,1,1,1,1,0,nan}' else '{1,1,1,0,1,nan,nan,nan}' end::float8[]
 from twin.asset where token <> 'd';
insert into control.command (id, verb, params, wanted, requested_at, expires_at, entry, total,
 counts, municipalities, trades, pairs, digest)
 values (gen_random_uuid(), 'x', '{}', '{}', now(), now(), gen_random_uuid(), 3, '{}',
  '{21231,21166}', '{lighting}', '{21231/lighting,21166/lighting}', 'x');
insert into control.target (command, asset, municipality, trade, state)
 select c.id, a.id, a.municipality, a.trade, case a.token when 'a' then 'sent' else 'failed' end
 from control.command c, twin.asset a where a.token <> 'd';
-- Numbers up to 9 were given, and the last ones in units that rolled back.
insert into twin.metric_set (metrics) values ('{dimmingLevel}');
select setval('twin.metric_set_id_seq', 9);
-- a was imported, then corrected twice by people; b was imported again after its correction.
update twin.asset set name = 'Ours', attributes = '{"power": 80, "height": 8}' where token = 'a';
with act (n, name, token, before) as (values
    (1, 'twin.equipment_imported', 'a', null), (1, 'twin.equipment_imported', 'b', null),
    (2, 'twin.asset_changed', 'a', '{"name": "Theirs", "attributes": {"power": 60, "note": 1,
     "height": 8}}'),
    (2, 'twin.asset_changed', 'b', '{"name": "Theirs"}'),
    (3, 'twin.asset_changed', 'a', '{"name": "Between", "municipality": "21166"}'),
    (4, 'twin.equipment_imported', 'b', '{"name": "Lost"}')),
written as (
    select gen_random_uuid() as id, now() + n * interval '1 second' as at, act.* from act),
entries as (
    insert into journal.entry (id, recorded, occurred, act, actor_kind)
    select id, at, at, name, 'system' from written)
insert into journal.change (entry, recorded, ordinal, object_type, object_id, before, after)
select w.id, w.at, 0, 'twin.asset', cast(a.id as text), cast(w.before as jsonb), '{}'
from written w join twin.asset a using (token);
"""


NAMED = """
insert into places.street (source, source_id, name, folded, geometry, bbox, lon, lat, length_m,
 digest)
 values ('x', '1', 'Rue Ste-Anne', 'rue ste anne', '', '{0,0,0,0}', 5, 47, 1, ''),
        ('x', '2', 'Rue de l\u02bcÉgalité', 'rue de l\u02bcegalite', '', '{0,0,0,0}', 5, 47, 1, '');
insert into twin.asset (token, kind, trade, source, source_id, name, folded, municipality, lon, lat,
 mercator)
 values ('TA', 'Streetlight', 'lighting', 'x', 'ST-1', 'Mât l\u02bcÉté',
         'mat l\u02bcete st 1 ta', '21231', 5, 47, point(0, 0)),
        ('TB', 'Streetlight', 'lighting', 'x', 'L-2', 'Mât', 'mat l 2 tb', '21231', 5, 47,
         point(0, 0)),
        ('TC', 'Streetlight', 'lighting', 'x', 'p-1-2', 'Mât', 'mat p-1-2 tc', '21231', 5, 47,
         point(0, 0));
insert into twin.word (word, asset, municipality, trade)
 select w, a.id, a.municipality, a.trade
 from twin.asset a, lateral unnest(string_to_array(a.folded, ' ')) w;
"""


async def test_stored_names_are_folded_again(engines: Engines) -> None:
    name = "old_" + token(length=10).lower()
    await engines.administer(f"create database {name}")
    url = engines.url(name, OWNER)
    _upgrade(url, "0011")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        await owner.execute(NAMED.encode())
        migrate(url, LOGIN, every_room())
        rows = await owner.execute("select folded from places.street order by source_id")
        assert await rows.fetchall() == [("rue sainte anne",), ("rue de l egalite",)]
        rows = await owner.execute(
            "select a.token, a.folded, a.version, array_agg(w.word order by w.word)"
            " from twin.asset a join twin.word w on w.asset = a.id group by 1, 2, 3 order by 1"
        )
        assert await rows.fetchall() == [
            ("TA", "mat l ete st 1 saint ta", 1, ["1", "ete", "l", "mat", "saint", "st", "ta"]),
            ("TB", "mat l 2 tb", 1, ["2", "l", "mat", "tb"]),
            ("TC", "mat p-1-2 tc", 1, ["mat", "p-1-2", "tc"]),
        ]
    await engines.administer(f"drop database {name} with (force)")


def _upgrade(url: str, revision: str) -> None:
    """A database as an older revision of the project left it."""
    config = Config()
    config.set_main_option("script_location", str(Path(vigie.__file__).parent / "migrations"))
    engine = create_engine(sqlalchemy_url(url))
    with engine.begin() as connection:
        connection.execute(text("create schema core"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


async def test_what_is_there_is_kept_and_completed(engines: Engines) -> None:
    name = "old_" + token(length=10).lower()
    await engines.administer(f"create database {name}")
    url = engines.url(name, OWNER)
    _upgrade(url, "0008")
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as owner:
        await owner.execute(BEFORE)
        migrate(url, LOGIN, every_room())
        rows = await owner.execute(
            "select a.token, s.fault, s.heard, u.asset is not null from twin.asset a"
            " left join twin.state s on s.asset = a.id left join twin.unheard u on u.asset = a.id"
            " order by a.token"
        )
        assert await rows.fetchall() == [
            ("a", True, 3, False),
            ("b", False, 3, False),
            ("c", True, 3, False),
            ("d", None, None, True),
        ]
        rows = await owner.execute(
            "select token, overridden from twin.asset where overridden <> '{}'"
        )
        assert await rows.fetchall() == [
            ("a", {"name": "Theirs", "attributes": {"power": 60, "note": 1}}),
        ]
        rows = await owner.execute("select id, metrics from twin.metric_set order by id")
        assert await rows.fetchall() == [(1, ["dimmingLevel"]), (9, [])], "none is given again"
        rows = await owner.execute("select parts from control.command")
        assert await rows.fetchone() == (
            {"21231/lighting": {"sent": 1, "failed": 1}, "21166/lighting": {"failed": 1}},
        )
    await engines.administer(f"drop database {name} with (force)")
