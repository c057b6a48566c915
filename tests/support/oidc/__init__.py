"""npm's certified `oidc-provider` on loopback, and the file that names it to a centre."""

import contextlib
import json
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.centre import ROOT, Centre
from vigie.core.engines import free_port

CLIENT, SECRET = "vigie", "only for tests"
PACKAGE = ROOT / "web" / "node_modules" / "oidc-provider"


def write_providers(file: Path) -> Path:
    """Two ways to one provider on a free port: by user name, and one that demands a level which
    this provider never states. A third provider never runs."""
    common = (
        f'issuer = "http://127.0.0.1:{free_port()}"\nclient_id = "{CLIENT}"\n'
        f'client_secret = "{SECRET}"\nscopes = ["openid", "profile", "email", "groups"]\n'
    )
    file.write_text(
        f'[town]\nlabel = {{ fr = "Compte de la ville", en = "Town account" }}\n{common}'
        'match = "preferred_username"\n'
        '[[town.grants]]\ngroup = "lamps"\nrole = "operator"\n'
        f'[strict]\nlabel = "Strict"\n{common}acr = ["eidas2"]\n'
        f'[away]\nlabel = "Away"\nissuer = "http://127.0.0.1:{free_port()}"\nclient_id = "x"\n'
    )
    return file


@contextlib.contextmanager
def provider(centre: Centre, origin: str, accounts: dict[str, Any]) -> Iterator[None]:
    """The provider that the centre's file names, while the block runs; skips when npm's package is
    not installed."""
    node = shutil.which("node")
    if node is None or not PACKAGE.exists():
        pytest.skip("npm's oidc-provider is not installed: run `npm ci` in web/")
    tables = tomllib.loads(Path(centre.environment["VIGIE_OIDC_FILE"]).read_text())
    asked = {
        "port": urlsplit(tables["town"]["issuer"]).port,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "redirect_uris": [f"{origin}/api/v1/session/oidc/{name}/callback" for name in tables],
        "accounts": accounts,
    }
    script = Path(__file__).with_name("provider.mjs")
    process = subprocess.Popen(
        [node, str(script), json.dumps(asked)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "ready":
                break
        else:
            raise AssertionError("oidc-provider did not start")
        yield
    finally:
        process.kill()
        process.wait()
