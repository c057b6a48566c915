"""Clients: whoever speaks to the platform for devices, in whatever protocol.

Front door: the registry of clients and their secrets, presence, what was refused of them, their
quota, provisioning, and the ways down (`Adapter`, `Outlet`). Never: what a message means (ingest),
how it travels (one room a protocol).
"""

from vigie.gateways.clients.adapters import (
    Adapter,
    Maturity,
    Outlet,
    Outlets,
    adapters,
    service_of,
)
from vigie.gateways.clients.allowance import LANE_BURST_S, Allowance, Meter, allowance
from vigie.gateways.clients.book import CHANGED, Book, changed_tokens, digest, matches
from vigie.gateways.clients.door import (
    Backlog,
    Change,
    Connection,
    Connections,
    StreamState,
    Traffic,
)
from vigie.gateways.clients.model import (
    ACCEPTED,
    BROKER,
    ClientKind,
    Gateway,
    Issued,
    Known,
    OutCommand,
    Quarantined,
    Refused,
    Secret,
    Tally,
)
from vigie.gateways.clients.orders import BusOutlet, listen
from vigie.gateways.clients.peers import Peers
from vigie.gateways.clients.permissions import PERMISSIONS
from vigie.gateways.clients.presence import Presence, received
from vigie.gateways.clients.provision import Provisioned, provision
from vigie.gateways.clients.quarantine import Quarantine, read_quarantine
from vigie.gateways.clients.quota import OVER, Quota
from vigie.gateways.clients.read import read_gateway, read_gateways, read_tally
from vigie.gateways.clients.refusals import Refusals
from vigie.gateways.clients.service import (
    Carrier,
    bind,
    carriers,
    issue_client,
    revoke,
    rotate_secret,
)
from vigie.gateways.clients.text import clean

__all__ = [
    "ACCEPTED",
    "BROKER",
    "CHANGED",
    "LANE_BURST_S",
    "OVER",
    "PERMISSIONS",
    "Adapter",
    "Allowance",
    "Backlog",
    "Book",
    "BusOutlet",
    "Carrier",
    "Change",
    "ClientKind",
    "Connection",
    "Connections",
    "Gateway",
    "Issued",
    "Known",
    "Maturity",
    "Meter",
    "OutCommand",
    "Outlet",
    "Outlets",
    "Peers",
    "Presence",
    "Provisioned",
    "Quarantine",
    "Quarantined",
    "Quota",
    "Refusals",
    "Refused",
    "Secret",
    "StreamState",
    "Tally",
    "Traffic",
    "adapters",
    "allowance",
    "bind",
    "carriers",
    "changed_tokens",
    "clean",
    "digest",
    "issue_client",
    "listen",
    "matches",
    "provision",
    "read_gateway",
    "read_gateways",
    "read_quarantine",
    "read_tally",
    "received",
    "revoke",
    "rotate_secret",
    "service_of",
]
