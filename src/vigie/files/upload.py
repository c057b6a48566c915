"""The whole way of an upload, in order: room, wire, disk, checks, store, rows, answer."""

import asyncio
import shutil
from collections.abc import AsyncIterator

from vigie.core.errors import Invalid
from vigie.core.settings import Settings
from vigie.core.web import OpenUnit
from vigie.files import keeping
from vigie.files.check import check
from vigie.files.model import Checked, Uploaded
from vigie.files.receive import demand_length, receive, turn


async def upload(
    settings: Settings,
    open_unit: OpenUnit,
    body: AsyncIterator[bytes],
    *,
    content_type: str,
    declared: int | None,
    name: str,
    evidence: bool,
) -> list[Uploaded]:
    """Keep the files of one request, all of them or none.

    What a scanner calls infected is put into quarantine, and the request is refused.
    """
    store = keeping.store_of(settings)
    demand_length(declared, settings.files_max_bytes)
    async with open_unit() as unit:
        holder = keeping.holder_of(unit)
        room = await keeping.demand_room(unit, settings, store, declared or 0)
    with turn(holder):
        workspace = await asyncio.to_thread(store.workspace)
        try:
            received = await receive(
                body,
                content_type,
                name,
                workspace,
                limit=settings.files_max_bytes,
                room=room,
                seconds=settings.files_upload_seconds,
            )
            checked: list[Checked] = []
            for number, file in enumerate(received):
                folder = workspace / f"work{number}"
                folder.mkdir()
                checked.append(await check(file, folder, settings.files_scan, evidence=evidence))
            infected = [file for file in checked if file.state == "quarantined"]
            async with open_unit() as unit:
                kept = await keeping.keep(unit, settings, store, infected or checked)
            if infected:
                raise Invalid(
                    "file_infected",
                    f"{infected[0].name} holds malicious software ({infected[0].threat}): it was "
                    "put into quarantine. Tell your administrator.",
                    {"name": infected[0].name, "threat": infected[0].threat},
                )
            return kept
        finally:
            await asyncio.to_thread(shutil.rmtree, workspace, True)
