from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import nats
import pytest

from tests.simcity.helpers import Nats, Platform


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nats]:
    server = Nats(tmp_path_factory.mktemp("nats"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Nats]:
    server = Nats(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def platform(broker: Nats) -> AsyncIterator[Platform]:
    client = await nats.connect(broker.url)
    found = Platform(client)
    await found.listen()
    yield found
    await client.close()
