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
from vigie.gateways.mqtt import Provisioned, provision, revoke
from vigie.gateways.mqtt.book import digest
from vigie.gateways.mqtt.grouping import Place, group, hilbert
from vigie.gateways.mqtt.provision import Provisioning

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

    # More equipment: it gets gateways of its own, the others keep their secrets.
    await owner.execute(INSERT, [901, 930])
    more = await run(runtime, out, per_gateway=100)
    assert (more.issued, more.bound, more.devices) == (3, 30, 930)
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
    assert (healed.issued, healed.bound, healed.gateways) == (1, 100, 12)
    assert lost.client not in {
        site.client for site in msgspec.json.decode(out.read_bytes(), type=Provisioning).gateways
    }

    # Another file: the secrets are not known any more.
    other = tmp_path / "other.json"
    with pytest.raises(Conflict) as refused:
        await run(runtime, other, per_gateway=100)
    assert refused.value.code == "secrets_unknown"
    assert not other.exists()
    assert (await run(runtime, other, rotate=True)).rotated == 12
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
