"""Makes an old installation with data; see tests/data/old/README.md."""

import gzip
import os
import shutil
import subprocess
from pathlib import Path

from tests.vigie.control.conftest import ANNE, EVERYTHING, Ack, Lights, reading
from vigie import places
from vigie.control import RequestCommand, acknowledge, cancel_command, observe, request_command
from vigie.core.access import users
from vigie.core.access.model import GrantInput, NewUser
from vigie.core.engines.postgres import binaries
from vigie.core.journal import Change, Personal
from vigie.core.journal.keys import export, signing_key
from vigie.core.journal.sealer import seal
from vigie.core.journal.sequencer import LEADER, assign
from vigie.core.leader import lead
from vigie.core.runtime import database_owner_url

OUT = Path(os.environ["OLD_OUT"])


async def test_make(runtime, owner):
    database = runtime.database
    async with database.unit() as unit:
        await places.install(unit, places.load_pack("dijon"))
        for n in range(3):
            await users.create_user(
                unit,
                NewUser(
                    username=f"person-{n}",
                    display_name=f"Zoé n° {n}",
                    grants=[GrantInput("operator", "21231", "lighting")],
                ),
            )
    lights = Lights(owner)
    assets = await lights.add(20)
    await lights.add(5, "21166", retired=True)
    for n in range(4):
        async with database.unit(ANNE, EVERYTHING) as unit:
            command = await request_command(
                unit,
                RequestCommand(
                    "set_dimming_level",
                    {"level": 10.0 * n},
                    assets=assets[n : n + 6],
                    reason=f"n° {n}",
                ),
            )
        async with database.unit() as unit:
            await acknowledge(
                unit, [Ack(command.id, assets[n], "received"), Ack(command.id, assets[n], "done")]
            )
            await observe(unit, [reading(assets[n], 10.0 * n)])
        if n == 2:
            async with database.unit(ANNE, EVERYTHING) as unit:
                await cancel_command(unit, command.id, "not needed")
    await owner.execute(
        "insert into gateways.client (token, name, kind, shard, secret_sha256, municipality, trade)"
        " select 'g' || n, 'Gateway ' || n, 'site', 0, sha256('x'), '21231', 'lighting'"
        " from generate_series(1, 4) as n"
    )
    await owner.execute(
        "insert into gateways.quarantine (source, topic, code, payload, size, asset, municipality,"
        " trade) select 'g1', 't', 'c' || n, 'x', n, null, '21231', 'lighting'"
        " from generate_series(1, 9) n"
    )
    for n in range(6):
        async with database.unit(ANNE, EVERYTHING) as unit:
            await unit.record(
                "test.act",
                params={"n": n, "level": 0.1 + n},
                changes=[
                    Change("twin.asset", str(i), {"l": 1}, {"l": 2.50}, "21231/lighting")
                    for i in assets[:3]
                ],
                reason=f"parce que n° {n}",
                personal={"caller": Personal("Zoé", "person:7")},
            )
        if n % 2:
            async with lead(database, LEADER, "test") as leadership:
                while await assign(database, leadership):
                    pass
            root = runtime.settings.root
            while head := await seal(database, None, signing_key(root)):
                export(root, [head])
    done = subprocess.run(
        [
            str(binaries() / "pg_dump"),
            "--no-comments",
            "--inserts",
            "--rows-per-insert=200",
            database_owner_url(runtime.settings),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (OUT / "b08f3b8.sql.gz").write_bytes(gzip.compress(done.stdout.encode(), 9, mtime=0))
    for path in sorted(runtime.settings.root.rglob("*")):
        if path.is_file() and "journal" in str(path.relative_to(runtime.settings.root)):
            to = OUT / "var" / path.relative_to(runtime.settings.root)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
