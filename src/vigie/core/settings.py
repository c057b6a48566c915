"""Settings: each with its type, default, meaning and source (default, file or environment).

The environment (`VIGIE_HTTP_PORT=8080`) wins over one TOML file (`VIGIE_CONFIG`, flat keys, e.g.
`http_port = 8080`), which wins over the defaults. `vigie settings` prints the table.
"""

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from vigie.core.errors import SetupError

Port = Annotated[int, Meta(ge=1, le=65535)]
PREFIX = "VIGIE_"
_CONFIG = PREFIX + "CONFIG"
_SCHEMES = {
    "database_url": ("postgresql", "postgres"),
    "database_owner_url": ("postgresql", "postgres"),
    "nats_url": ("nats", "tls"),
    "nats_system_url": ("nats", "tls"),
}


def _doc(text: str, *, secret: bool = False) -> Meta:
    return Meta(description=text, extra={"secret": secret})


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an installation may choose."""

    var: Annotated[str, _doc("Folder of everything that lasts: databases, keys, logs.")] = "var"
    territory: Annotated[
        str, _doc("Territory pack: a shipped name (dijon) or a folder with pack.toml.")
    ] = "dijon"
    rooms_off: Annotated[
        str, _doc("Optional rooms that are switched off, separated by commas.")
    ] = ""
    http_host: Annotated[str, _doc("Address the screens and the API listen on.")] = "127.0.0.1"
    http_port: Annotated[Port, _doc("Port of the screens and the API.")] = 8080
    http_names: Annotated[
        str,
        _doc(
            "Names people reach the screens by, separated by commas. Empty: any, or only this "
            "machine's own when it listens on loopback."
        ),
    ] = ""
    trusted_proxies: Annotated[
        str,
        _doc(
            "Addresses or networks of reverse proxies, separated by commas, whose X-Forwarded-For "
            "and X-Forwarded-Proto are believed. Empty: nobody's."
        ),
    ] = ""
    tls_certificate: Annotated[str, _doc("PEM certificate chain for HTTPS and MQTT.")] = ""
    tls_key: Annotated[str, _doc("PEM private key of tls_certificate.")] = ""
    mqtt_host: Annotated[str, _doc("Address devices connect to.")] = "127.0.0.1"
    mqtt_port: Annotated[Port, _doc("Port devices connect to (MQTT 3.1.1).")] = 1883
    postgres_port: Annotated[Port, _doc("Port of the embedded PostgreSQL (loopback).")] = 5742
    nats_port: Annotated[Port, _doc("Port of the embedded NATS (loopback).")] = 4742
    database_url: Annotated[
        str,
        _doc("postgresql://user:password@host/db of an external PostgreSQL 15–18.", secret=True),
    ] = ""
    database_owner_url: Annotated[
        str, _doc("The same database as its owner, for `vigie migrate`.", secret=True)
    ] = ""
    nats_url: Annotated[
        str,
        _doc("nats://user:password@host:port of an external NATS ≥ 2.11.", secret=True),
    ] = ""
    nats_system_url: Annotated[
        str, _doc("The same server as a user of its system account.", secret=True)
    ] = ""
    sync: Annotated[
        Literal["interval", "always"],
        _doc("Readings reach the disk every 200 ms (interval) or before each PUBACK (always)."),
    ] = "interval"
    shards: Annotated[
        int, Meta(ge=1, le=64), _doc("Lanes of readings, each with one active reader.")
    ] = 2
    stream_max_bytes: Annotated[
        int,
        Meta(ge=1_000_000),
        _doc("Readings that may wait to be stored; admission closes at 80% of it."),
    ] = 2_000_000_000
    history_days: Annotated[int, Meta(ge=1, le=3660), _doc("Days raw readings are kept.")] = 90
    session_hours: Annotated[float, Meta(gt=0), _doc("A login ends after this many hours.")] = 12.0
    session_idle_minutes: Annotated[
        float, Meta(gt=0), _doc("A login ends after this many minutes without use.")
    ] = 120.0
    oidc_file: Annotated[
        str,
        _doc("TOML file with a table for each OpenID provider that people may log in with."),
    ] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _doc("Least severe line that is logged.")
    ] = "info"
    log_format: Annotated[
        Literal["json", "console"], _doc("One JSON object a line, or text for people.")
    ] = "json"
    database_pool: Annotated[
        int, Meta(ge=1, le=100), _doc("Database connections a process may hold.")
    ] = 8

    @property
    def root(self) -> Path:
        """`var` as an absolute path."""
        return Path(self.var).expanduser().resolve()

    @property
    def proxies(self) -> list[str]:
        """`trusted_proxies` one by one; an IPv4 one also as an IPv6 listener sees it."""
        found = [proxy.strip() for proxy in self.trusted_proxies.split(",") if proxy.strip()]
        mapped: list[str] = []
        for proxy in found:
            network = ipaddress.ip_network(proxy)
            if network.version == 4:
                mapped.append(f"::ffff:{network.network_address}/{96 + network.prefixlen}")
        return found + mapped

    @property
    def embedded_database(self) -> bool:
        """True when Vigie starts its own PostgreSQL."""
        return not self.database_url

    @property
    def embedded_nats(self) -> bool:
        """True when Vigie starts its own NATS."""
        return not self.nats_url


class Described(msgspec.Struct, frozen=True):
    """One setting as `vigie settings` shows it; secrets are masked."""

    name: str
    variable: str
    value: str
    source: str
    meaning: str


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises SetupError naming the setting, the value's fault and where it came from.
    """
    values, _ = _collect(os.environ if environ is None else environ)
    return _convert(values)


def describe(environ: Mapping[str, str] | None = None) -> list[Described]:
    """Every setting, its value, source and meaning."""
    values, sources = _collect(os.environ if environ is None else environ)
    settings = _convert(values)
    hints = get_type_hints(Settings, include_extras=True)
    rows: list[Described] = []
    for field in msgspec.structs.fields(Settings):
        meta = _meta(hints[field.name])
        shown = str(getattr(settings, field.name))
        if meta.extra and meta.extra.get("secret") and shown:
            shown = "(set)"
        rows.append(
            Described(
                field.name,
                PREFIX + field.name.upper(),
                shown,
                sources.get(field.name, "default"),
                meta.description or "",
            )
        )
    return rows


def unknown(environ: Mapping[str, str] | None = None) -> list[str]:
    """A sentence on each variable that is named like a setting and is none: it has no effect."""
    environ = os.environ if environ is None else environ
    known = {f.name.upper() for f in msgspec.structs.fields(Settings)} | {"CONFIG"}
    names = {name.removeprefix(PREFIX) for name in environ if name.startswith(PREFIX)}
    return [
        f"{PREFIX}{name} is no setting and has no effect{_perhaps(name, known, PREFIX)}."
        for name in sorted(names - known)
    ]


def _perhaps(name: str, known: Iterable[str], prefix: str = "") -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f" (did you mean {prefix}{near[0]}?)" if near else ""


def _meta(hint: Any) -> Meta:
    described = [m for m in hint.__metadata__ if isinstance(m, Meta) and m.description]
    return described[-1]


def _collect(environ: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    names = {f.name for f in msgspec.structs.fields(Settings)}
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    file = environ.get(_CONFIG)
    if file:
        try:
            parsed = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except OSError as error:
            raise SetupError(f"VIGIE_CONFIG={file} cannot be read: {error.strerror}.") from error
        except tomllib.TOMLDecodeError as error:
            raise SetupError(f"{file} is not valid TOML: {error}.") from error
        unknown = sorted(set(parsed) - names)
        if unknown:
            raise SetupError(
                f"{file}: unknown setting {unknown[0]!r}{_perhaps(unknown[0], names)}; see "
                "`vigie settings`."
            )
        for name, value in parsed.items():
            values[name], sources[name] = value, file
    for name in names:
        value = environ.get(PREFIX + name.upper())
        if value is not None:
            values[name], sources[name] = value, "environment"
    return values, sources


def _convert(values: dict[str, Any]) -> Settings:
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise SetupError(f"A setting is wrong: {error}. See docs/operating.md.") from error
    for name, scheme in _SCHEMES.items():
        address = getattr(settings, name)
        if address and urlsplit(address).scheme not in scheme:
            raise SetupError(f"{PREFIX}{name.upper()} is wrong: it starts with {scheme[0]}://.")
    try:
        _ = settings.proxies
    except ValueError as error:
        raise SetupError(
            f"VIGIE_TRUSTED_PROXIES is wrong: {error}; name addresses (10.0.0.1) or networks "
            "(10.0.0.0/24)."
        ) from error
    return settings
