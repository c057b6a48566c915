"""Routes of the ingest: messages of quarantine that are read again."""

from typing import Annotated

import msgspec
from msgspec import Meta

from vigie.core.database import Unit
from vigie.core.web import post
from vigie.gateways.ingest import replay as replaying
from vigie.gateways.ingest.replay import Replayed


class ReplayRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which messages: by their ids, or the oldest of one source that were refused for one reason;
    a thousand at most."""

    ids: Annotated[list[int], Meta(max_length=1000)] = []
    source: Annotated[str, Meta(max_length=64)] = ""
    code: Annotated[str, Meta(max_length=64)] = ""
    reason: Annotated[str, Meta(max_length=500, description="Kept in the journal.")] | None = None


@post("/quarantine/replay", permission="quarantine.replay", status=202)
async def replay(unit: Unit, data: ReplayRequest) -> Replayed:
    """Read messages again, once what was wrong is mended: each goes through exactly once, dated by
    its own time. What is still refused is in quarantine again, with the reason of now."""
    return await replaying.replay(
        unit, ids=data.ids, source=data.source, code=data.code, reason=data.reason
    )


ROUTES = [replay]
