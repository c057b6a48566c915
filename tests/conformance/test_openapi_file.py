"""openapi.json at the root of the repository is what the code says.

`VIGIE_GOLDEN=write pytest tests/conformance/test_openapi_file.py` writes it anew; then
`npm run api` in web writes the screens' types.
"""

import json
import os
from pathlib import Path

from nats.aio.client import Client

from vigie.core.bus import Bus
from vigie.core.database import Database
from vigie.core.runtime import Runtime
from vigie.core.settings import Settings
from vigie.core.web import build_app
from vigie.core.web.openapi import describe
from vigie.routes import PERMISSIONS, ROUTES

FILE = Path(__file__).parents[2] / "openapi.json"


def document() -> str:
    """The description, without any engine: nothing connects before the first request."""
    nowhere = Database("postgresql://nobody@127.0.0.1:1/none")
    app = build_app(Runtime(Settings(), "api", nowhere, Bus(Client())), ROUTES, PERMISSIONS)
    return json.dumps(describe(app, app.state.catalogue), indent=1, ensure_ascii=False) + "\n"


def test_the_file_is_what_the_code_says():
    found = document()
    if os.environ.get("VIGIE_GOLDEN") == "write":
        FILE.write_text(found, encoding="utf-8")
    assert found == FILE.read_text(encoding="utf-8"), (
        "the API has changed: if that is meant, run "
        "VIGIE_GOLDEN=write pytest tests/conformance/test_openapi_file.py, and npm run api in web"
    )
