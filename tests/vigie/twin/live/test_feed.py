"""The picture and the commits it is of are kept together."""

from typing import Any

import pytest
from sqlalchemy import text

from vigie.core.errors import Unavailable
from vigie.core.runtime import Runtime
from vigie.twin.live import loading
from vigie.twin.live.delta import Delta
from vigie.twin.live.feed import Feed


def delta(commit: int) -> Delta:
    return Delta(lane=0, commit=commit, previous=commit - 1, sent_ms=0, lag_s=0, newest_us=0)


async def test_a_load_that_fails_halfway_skips_no_commit(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def store(commits: int) -> None:
        async with runtime.database.unit() as unit:
            await unit.execute(
                text("insert into twin.ingest (lane, commits) values (0, :n)"
                     " on conflict (lane) do update set commits = :n"),
                {"n": commits},
            )  # fmt: skip

    feed = Feed(runtime)
    await store(5)
    await feed._load()
    await store(7)

    async def away(unit: Any) -> Any:
        raise Unavailable("database_unavailable", "away")

    with monkeypatch.context() as then:
        then.setattr(loading, "load", away)
        with pytest.raises(Unavailable):
            await feed._load()
    # The picture is still of commit 5: 6 and 7 were never shown, so 8 leaves a gap.
    feed._apply(delta(8))
    assert feed.doubt == "commit_missed"
