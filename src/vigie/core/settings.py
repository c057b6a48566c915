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
PortOrNone = Annotated[int, Meta(ge=0, le=65535)]
PREFIX = "VIGIE_"
_CONFIG = PREFIX + "CONFIG"
_SCHEMES = {
    "database_url": ("postgresql", "postgres"),
    "database_owner_url": ("postgresql", "postgres"),
    "database_public_url": ("postgresql", "postgres"),
    "nats_url": ("nats", "tls"),
    "nats_system_url": ("nats", "tls"),
    "smtp_url": ("smtp", "smtps"),
    "sms_url": ("https", "http"),
    "public_url": ("https", "http"),
}


def _doc(text: str, *, secret: bool = False) -> Meta:
    return Meta(description=text, extra={"secret": secret})


# Lanes are numbered stream by stream: of the MQTT broker's from 0, of what others accept from 64.
LANES_A_STREAM = 64


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything an installation may choose."""

    var: Annotated[str, _doc("Folder of everything that lasts: databases, keys, logs.")] = "var"
    territory: Annotated[
        str, _doc("Territory pack: a shipped name (dijon) or a folder with pack.toml.")
    ] = "dijon"
    installation: Annotated[
        Literal["real", "exercise", "test"],
        _doc("What it is for: in an exercise or a test the city's clock may be set."),
    ] = "real"
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
    http_url_bytes: Annotated[
        int, Meta(ge=512, le=65_536), _doc("Longest address of a request; a longer one is 414.")
    ] = 8_192
    http_header_bytes: Annotated[
        int,
        Meta(ge=1_024, le=1_048_576),
        _doc("Size of all headers of a request, its address included; more is 431."),
    ] = 32_768
    http_header_count: Annotated[
        int, Meta(ge=10, le=1_000), _doc("Headers of one request; more is 431.")
    ] = 100
    http_header_seconds: Annotated[
        float,
        Meta(gt=0, le=300),
        _doc("Time for a TLS handshake, and for the headers of a request; later is 408."),
    ] = 10.0
    http_body_seconds: Annotated[
        float, Meta(gt=0, le=3_600), _doc("Time for the body of a request; later is 408.")
    ] = 60.0
    http_reader_seconds: Annotated[
        float,
        Meta(gt=0, le=3_600),
        _doc("A client that takes nothing of its answer for so long is cut off."),
    ] = 60.0
    http_connections: Annotated[
        int, Meta(ge=10, le=100_000), _doc("HTTP connections of one api process; more are 503.")
    ] = 4_000
    http_connections_per_address: Annotated[
        int,
        Meta(ge=1, le=100_000),
        _doc(
            "HTTP connections of one address (of one /64 for IPv6); more are 429. Proxies named in "
            "trusted_proxies are not limited."
        ),
    ] = 200
    http_public_host: Annotated[
        str, _doc("Address the citizens' pages and the public API listen on.")
    ] = "127.0.0.1"
    http_public_port: Annotated[Port, _doc("Port of the citizens' pages and the public API.")] = (
        8081
    )
    http_public_names: Annotated[str, _doc("As http_names, of the citizens' pages.")] = ""
    http_public_connections: Annotated[
        int, Meta(ge=10, le=100_000), _doc("HTTP connections of one public process.")
    ] = 2_000
    http_public_connections_per_address: Annotated[
        int, Meta(ge=1, le=100_000), _doc("Of these, connections of one address.")
    ] = 50
    websocket_message_bytes: Annotated[
        int, Meta(ge=1_024, le=1_048_576), _doc("Longest message a live screen may send.")
    ] = 65_536
    websocket_frames_per_second: Annotated[
        int,
        Meta(ge=1, le=10_000),
        _doc("Frames a second a live screen may send, ten seconds' worth at once."),
    ] = 50
    tls_certificate: Annotated[str, _doc("PEM certificate chain for HTTPS and MQTT.")] = ""
    tls_key: Annotated[str, _doc("PEM private key of tls_certificate.")] = ""
    mqtt_host: Annotated[str, _doc("Address devices connect to.")] = "127.0.0.1"
    mqtt_port: Annotated[Port, _doc("Port devices connect to (MQTT 3.1.1).")] = 1883
    positions_host: Annotated[str, _doc("Address that trackers and radios connect to.")] = (
        "127.0.0.1"
    )
    positions_osmand_port: Annotated[
        PortOrNone, _doc("Port for positions by HTTP as OsmAnd sends them; 0: closed.")
    ] = 0
    positions_teltonika_port: Annotated[
        PortOrNone, _doc("Port for Teltonika trackers (codecs 8, 8E, 16 over TCP); 0: closed.")
    ] = 0
    positions_nmea_port: Annotated[
        PortOrNone, _doc("Port for receivers that send NMEA 0183 over TCP; 0: closed.")
    ] = 0
    positions_radio_port: Annotated[
        PortOrNone, _doc("Port for radio gateways (JSON lines over TCP); 0: closed.")
    ] = 0
    postgres_port: Annotated[Port, _doc("Port of the embedded PostgreSQL (loopback).")] = 5742
    nats_port: Annotated[Port, _doc("Port of the embedded NATS (loopback).")] = 4742
    database_url: Annotated[
        str,
        _doc("postgresql://user:password@host/db of an external PostgreSQL 15–18.", secret=True),
    ] = ""
    database_owner_url: Annotated[
        str, _doc("The same database as its owner, for `vigie migrate`.", secret=True)
    ] = ""
    database_public_url: Annotated[
        str,
        _doc(
            "The same database as a login of the public process alone, so that its connections "
            "are limited. Empty: as database_url, with the public role.",
            secret=True,
        ),
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
    accept_shards: Annotated[
        int, Meta(ge=1, le=64), _doc("Lanes of what other protocols than MQTT accept.")
    ] = 1
    stream_max_bytes: Annotated[
        int,
        Meta(ge=1_000_000),
        _doc("Readings that may wait to be stored; admission closes at 80% of it."),
    ] = 2_000_000_000
    client_messages_per_s: Annotated[
        float,
        Meta(ge=1),
        _doc("Messages a second that one client (site gateway or device) may send on average."),
    ] = 2_000.0
    client_bytes_per_s: Annotated[
        float, Meta(ge=1_000), _doc("Bytes a second that one client may send on average.")
    ] = 1_000_000.0
    client_burst_s: Annotated[
        float,
        Meta(ge=1, le=600),
        _doc("Seconds of its allowance that one client may send at once; above, it is cut."),
    ] = 10.0
    history_days: Annotated[int, Meta(ge=1, le=3660), _doc("Days raw readings are kept.")] = 90
    track_days: Annotated[
        int, Meta(ge=31, le=3660), _doc("Days that positions of what moves are kept.")
    ] = 60
    event_days: Annotated[
        int,
        Meta(ge=31, le=3660),
        _doc("Days that events of equipment are kept, at most; their kind may say less."),
    ] = 400
    session_hours: Annotated[float, Meta(gt=0), _doc("A login ends after this many hours.")] = 12.0
    session_idle_minutes: Annotated[
        float, Meta(gt=0), _doc("A login ends after this many minutes without use.")
    ] = 120.0
    silence_seconds: Annotated[
        float,
        Meta(ge=2, le=3_600),
        _doc("A role whose event loop gives no sign of life for so long is started again."),
    ] = 30.0
    public_url: Annotated[
        str,
        _doc("Address by which people reach the screens, for links in messages to them."),
    ] = ""
    smtp_url: Annotated[
        str,
        _doc(
            "Mail server: smtp://user:password@host:587 (STARTTLS where the server offers it) or "
            "smtps://host:465. Empty: no mail is sent.",
            secret=True,
        ),
    ] = ""
    mail_from: Annotated[str, _doc("Sender of mails: Vigie <vigie@example.org>.")] = ""
    sms_url: Annotated[
        str,
        _doc(
            "Address of an SMS gateway. {to}, {text}, {id} and {secret} are filled in, also in "
            "sms_headers and sms_body. Empty: no SMS is sent."
        ),
    ] = ""
    sms_method: Annotated[
        Literal["GET", "POST", "PUT"], _doc("HTTP method of the SMS gateway.")
    ] = "POST"
    sms_headers: Annotated[
        str,
        _doc("Headers for the SMS gateway: `Name: value`, separated by `|`."),
    ] = "Content-Type: application/json|Authorization: Bearer {secret}"
    sms_body: Annotated[
        str, _doc("Body for the SMS gateway; values are escaped for its Content-Type.")
    ] = '{"to":"{to}","text":"{text}"}'
    sms_secret: Annotated[str, _doc("What {secret} stands for.", secret=True)] = ""
    sms_success: Annotated[
        str,
        _doc(
            "Regular expression that the answer's body holds when the SMS was taken; its group "
            "`id` is the provider's number. Empty: any 2xx answer."
        ),
    ] = ""
    push_contact: Annotated[
        str, _doc("mailto: or https: address that push services may write to. Empty: no push.")
    ] = ""
    push_services: Annotated[
        str,
        _doc("Push services that browsers may name: host names, or whole origins, with commas."),
    ] = "googleapis.com,mozilla.com,push.apple.com,notify.windows.com"
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
        int,
        Meta(ge=1, le=100),
        _doc("Database connections a process may hold for commands, logins and its own work."),
    ] = 8
    database_screens_pool: Annotated[
        int,
        Meta(ge=1, le=100),
        _doc("Further ones of the api role for what people read; one person holds half at most."),
    ] = 6
    database_public_pool: Annotated[
        int, Meta(ge=1, le=16), _doc("Database connections that a public process may hold.")
    ] = 4
    request_timeout_s: Annotated[
        float,
        Meta(gt=0, le=3600),
        _doc("Seconds that a statement of a request may take; a read may take twice that in all."),
    ] = 20.0
    export_timeout_s: Annotated[
        float, Meta(gt=0, le=86_400), _doc("Seconds that a download may take in all.")
    ] = 600.0
    files_max_bytes: Annotated[
        int, Meta(ge=1_000), _doc("Largest file that may be uploaded, in bytes.")
    ] = 100_000_000
    files_person_bytes: Annotated[
        int, Meta(ge=1_000), _doc("Files of one person, in bytes, thumbnails included.")
    ] = 5_000_000_000
    files_total_bytes: Annotated[
        int, Meta(ge=1_000), _doc("All files of the installation on disk, in bytes.")
    ] = 200_000_000_000
    files_upload_seconds: Annotated[
        float, Meta(gt=0), _doc("An upload ends after this many seconds.")
    ] = 900.0
    files_loose_hours: Annotated[
        float, Meta(gt=0), _doc("A file that belongs to nothing is removed after this many hours.")
    ] = 24.0
    files_scan: Annotated[
        str,
        _doc(
            "What looks for viruses: clamd:/run/clamav/clamd.ctl, clamd:host:3310, or a command "
            "that ends with 0 (clean) or 1 (infected) and takes the file's path as its last "
            "argument. Empty: files are not scanned, and say so."
        ),
    ] = ""
    files_sign_pkcs12: Annotated[
        str, _doc("PKCS#12 file that signs documents. Empty: a key of the installation's own.")
    ] = ""
    files_sign_password: Annotated[str, _doc("Password of files_sign_pkcs12.", secret=True)] = ""

    @property
    def lanes(self) -> tuple[int, ...]:
        """The numbers of every lane of readings."""
        accepted = range(LANES_A_STREAM, LANES_A_STREAM + self.accept_shards)
        return (*range(self.shards), *accepted)

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


def public_settings(settings: Settings) -> Settings:
    """The settings of the public process: those of its door in place of the desks' door."""
    return msgspec.structs.replace(
        settings,
        http_host=settings.http_public_host,
        http_port=settings.http_public_port,
        http_names=settings.http_public_names,
        http_connections=settings.http_public_connections,
        http_connections_per_address=settings.http_public_connections_per_address,
    )


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
