"""The bus: a server that is away is told, not waited for without end."""

import pytest

from vigie.core.bus import Bus
from vigie.core.engines import free_port
from vigie.core.errors import SetupError


async def test_a_server_that_is_away_is_named_in_the_end() -> None:
    port = free_port()
    with pytest.raises(
        SetupError, match=f"NATS at nats://127.0.0.1:{port} does not answer"
    ) as away:
        await Bus.connect(f"nats://vigie:hidden@127.0.0.1:{port}", "test", wait_s=0.6)
    assert "ConnectionRefusedError" in away.value.detail
    assert "hidden" not in away.value.detail


async def test_a_wrong_password_is_named_in_the_end(settings) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SetupError, match="Authorization"):
        await Bus.connect(f"nats://vigie:wrong@127.0.0.1:{settings.nats_port}", "test", wait_s=2)
