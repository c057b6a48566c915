"""Which names this installation answers to: a page of another name must not reach it by DNS."""

import ipaddress

from vigie.core.settings import Settings
from vigie.core.web.problems import malformed

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def check_host(settings: Settings, host: str) -> None:
    """Raises when a request names a host that is not us.

    Listening on loopback, only loopback names are us (DNS rebinding). Elsewhere a literal address
    is always us, and so is every name unless `http_names` lists ours."""
    if "," in host:
        raise malformed("Send one Host header.", "bad_host")
    name = hostname(host)
    if not name:
        raise malformed("Send a Host header.", "bad_host")
    if name in _LOOPBACK or name == settings.http_host.lower():
        return
    names = {n.strip().lower() for n in settings.http_names.split(",") if n.strip()}
    if name in names:
        return
    if settings.http_host not in _LOOPBACK and (not names or is_address(name)):
        return
    raise malformed(
        f"This installation does not answer to {name!r}: add it to VIGIE_HTTP_NAMES.",
        "wrong_host",
        host=name,
    )


def hostname(host: str) -> str:
    """The name of a Host header, without its port and brackets."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if ":" in host else host


def is_address(name: str) -> bool:
    """True for an IP address, False for a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
