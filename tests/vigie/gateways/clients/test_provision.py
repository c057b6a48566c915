"""Site gateways for equipment: who shares one, what the file says, what a second run changes."""

import itertools
import stat
from pathlib import Path

import msgspec
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from vigie.core.errors import Conflict, Invalid
from vigie.core.runtime import Runtime
from vigie.gateways.clients import Provisioned, revoke
from vigie.gateways.clients.book import digest
from vigie.gateways.clients.grouping import Place, Site, fill, group, hilbert
from vigie.gateways.clients.provision import Credentials
from vigie.gateways.mqtt import provision
from vigie.gateways.mqtt.provision import Broker


class Provisioning(msgspec.Struct):
    """The file."""

    mqtt: Broker
    gateways: list[Credentials]


INSERT = """
insert into twin.asset (token, kind, trade, source, source_id, municipality, lon, lat, mercator,
 parent, attributes)
select 'lamp' || n, 'Streetlight', 'lighting', 'test', n::text, (21200 + n %% 3)::text,
 5 + (n %% 40) * 0.001, 47.3 + (n / 40) * 0.001, point(0, 0), null,
 jsonb_build_object('power', 20 + n %% 80)
from generate_series(%s::int, %s::int) as n
"""


async def run(runtime: Runtime, out: Path, **options: object) -> Provisioned:
    async with runtime.database.unit() as unit:
        return await provision(unit, runtime.bus, runtime.settings, out, **options)  # type: ignore[arg-type]


async def carried(owner: psycopg.AsyncConnection) -> dict[int, int]:
    """Which client carries which asset."""
    rows = await owner.execute("select asset, client from gateways.device")
    return {row[0]: row[1] for row in await rows.fetchall()}


async def test_provisioning(
    runtime: Runtime, owner: psycopg.AsyncConnection, tmp_path: Path
) -> None:
    out = tmp_path / "provisioning.json"
    await owner.execute(INSERT, [1, 900])
    done = await run(runtime, out, per_gateway=100)
    assert done == Provisioned(gateways=9, devices=900, issued=9, bound=900, rotated=0)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    file = msgspec.json.decode(out.read_bytes(), type=Provisioning)
    assert file.mqtt.port == runtime.settings.mqtt_port
    assert {device.device for site in file.gateways for device in site.devices} == {
        f"lamp{n}" for n in range(1, 901)
    }
    for site in file.gateways:
        assert len({int(device.source_id) % 3 for device in site.devices}) == 1
        assert len(site.devices) <= 100
        assert all(device.power == 20 + int(device.source_id) % 80 for device in site.devices)
    assert sorted(site.shard for site in file.gateways) == [0] * 5 + [1] * 4
    async with runtime.database.unit() as unit:
        stored = dict(
            (await unit.execute(text("select token, secret_sha256 from gateways.client")))
            .tuples()
            .all()
        )
    assert {site.client: digest(site.secret) for site in file.gateways} == stored

    # Again: nothing changes, whatever is known stays.
    before = out.read_bytes()
    again = await run(runtime, out, per_gateway=100)
    assert (again.issued, again.rotated) == (0, 0)
    assert out.read_bytes() == before

    # More equipment, and no room: it gets gateways of its own, the others keep their secrets.
    await owner.execute(INSERT, [901, 930])
    more = await run(runtime, out, per_gateway=100)
    assert (more.issued, more.bound, more.devices) == (3, 30, 930)
    # Where there is room near enough, it is taken first, and nobody is moved.
    was = await carried(owner)
    await owner.execute(INSERT, [931, 960])
    filled = await run(runtime, out, per_gateway=100)
    assert (filled.issued, filled.bound, filled.devices) == (1, 30, 960)
    assert was.items() <= (await carried(owner)).items()
    acts = await owner.execute(
        "select sum(jsonb_array_length(c.after -> 'assets')), min(c.scope), max(c.scope)"
        " from journal.entry e join journal.change c on c.entry = e.id"
        " where e.act = 'gateways.filled_up'"
    )
    added, *scopes = await acts.fetchone() or ()
    assert 20 <= added < 30
    assert scopes == ["21200/lighting", "21202/lighting"]
    secrets = {
        site.client: site.secret
        for site in msgspec.json.decode(out.read_bytes(), type=Provisioning).gateways
    }
    assert {site.client: site.secret for site in file.gateways}.items() <= secrets.items()

    # Revoked: its devices get another one.
    lost = file.gateways[0]
    async with runtime.database.unit() as unit:
        await revoke(unit, runtime.bus, lost.client)
    healed = await run(runtime, out, per_gateway=100)
    assert healed.bound == 100
    assert lost.client not in {
        site.client for site in msgspec.json.decode(out.read_bytes(), type=Provisioning).gateways
    }

    # Another file: the secrets are not known any more.
    other = tmp_path / "other.json"
    with pytest.raises(Conflict) as refused:
        await run(runtime, other, per_gateway=100)
    assert refused.value.code == "secrets_unknown"
    assert not other.exists()
    assert (await run(runtime, other, rotate=True)).rotated == healed.gateways
    with pytest.raises(Conflict):
        await run(runtime, out)


async def test_another_file_is_not_overwritten(runtime: Runtime, tmp_path: Path) -> None:
    out = tmp_path / "precious.json"
    out.write_text('{"thesis": true}')
    with pytest.raises(Invalid):
        await run(runtime, out)
    assert out.read_text() == '{"thesis": true}'


PLACES = st.lists(
    st.tuples(
        st.sampled_from(["21231", "21166", ""]),
        st.floats(4.9, 5.2),
        st.floats(47.2, 47.4),
        st.integers(1, 8),
    ),
    max_size=60,
).map(
    lambda rows: [
        Place(index + 1, insee, "lighting", lon, lat, cabinet)
        for index, (insee, lon, lat, cabinet) in enumerate(rows)
    ]
)


@given(PLACES, st.integers(1, 12))
def test_everyone_is_in_one_group_of_one_municipality(places: list[Place], most: int) -> None:
    groups = group(places, most)
    assert sorted(asset for one in groups for asset in one.assets) == [p.asset for p in places]
    of = {place.asset: place.municipality for place in places}
    for one in groups:
        assert 0 < len(one.assets) <= most
        assert {of[asset] for asset in one.assets} == {one.municipality}
    assert groups == group(places, most)


@given(PLACES, st.data(), st.integers(2, 12))
def test_room_is_filled_and_nobody_moved(
    places: list[Place], data: st.DataObject, most: int
) -> None:
    there = data.draw(st.integers(0, len(places)))
    groups = group(places[:there], most)
    by_asset = {place.asset: place for place in places}
    sites = [
        Site(number, one.municipality, one.trade, [by_asset[asset] for asset in one.assets])
        for number, one in enumerate(groups)
    ]
    taken, left = fill(places[there:], sites, most)
    given = [asset for assets in taken.values() for asset in assets]
    assert sorted([*given, *(place.asset for place in left)]) == [p.asset for p in places[there:]]
    for client, assets in taken.items():
        assert len(sites[client].places) + len(assets) <= most
        assert {by_asset[asset].municipality for asset in assets} == {sites[client].municipality}
    for one in {(place.municipality, place.cabinet) for place in places[there:]}:
        members = {p.asset for p in places[there:] if (p.municipality, p.cabinet) == one}
        homes = [members & set(assets) for assets in taken.values()]
        assert all(home in (set(), members) for home in homes), "a cabinet stays together"


def test_the_gateway_of_the_cabinet_comes_before_a_nearer_one() -> None:
    def lamp(n: int, lon: float, cabinet: int) -> Place:
        return Place(n, "21231", "lighting", lon, 47.3, cabinet)

    near = Site(1, "21231", "lighting", [lamp(1, 5.0, 7)])
    serving = Site(2, "21231", "lighting", [lamp(2, 5.1, 8)])
    full = Site(3, "21231", "lighting", [lamp(3, 5.0, 9), lamp(4, 5.0, 9)])
    elsewhere = Site(4, "21166", "lighting", [Place(5, "21166", "lighting", 5.0, 47.3, 7)])
    sites = [near, serving, full, elsewhere]
    assert fill([lamp(10, 5.0, 8)], sites, 2).taken == {2: [10]}
    assert fill([lamp(10, 5.0, 11)], sites, 2).taken == {1: [10]}
    far = [lamp(10, 5.05, 12)]
    assert fill(far, sites, 2) == ({}, far), "3 km from everyone"
    assert fill([lamp(n, 5.0, 11) for n in (10, 11)], sites, 2).taken == {}, "not whole"


def test_a_cabinet_stays_together_when_it_fits() -> None:
    places = [
        Place(n, "21231", "lighting", 5 + n * 1e-4, 47.3, cabinet=100 + n // 7) for n in range(70)
    ]
    for one in group(places, 20):
        assert len(one.assets) % 7 == 0


def test_neighbours_on_the_curve_are_neighbours() -> None:
    cells = sorted(((x, y) for x in range(32) for y in range(32)), key=lambda cell: hilbert(*cell))
    for (x1, y1), (x2, y2) in itertools.pairwise(cells):
        assert abs(x1 - x2) + abs(y1 - y2) == 1
