"""The city's equipment: registry, kinds, topology, state and history.

Verbs read, find and change equipment within the scope of the unit of work they are given; another's
asset is not found. Never: speak to devices, decide what a value means.
"""

from vigie.twin.changing import relocate, update
from vigie.twin.importing import import_equipment
from vigie.twin.kinds import Command, Kind
from vigie.twin.model import Asset, AssetChange, AssetRef, GatewayInfo, Lifecycle, Value
from vigie.twin.permissions import PERMISSIONS
from vigie.twin.search import search
from vigie.twin.service import demand, find_ids, list_assets, provide_gateways, read, refs

__all__ = [
    "PERMISSIONS",
    "Asset",
    "AssetChange",
    "AssetRef",
    "Command",
    "GatewayInfo",
    "Kind",
    "Lifecycle",
    "Value",
    "demand",
    "find_ids",
    "import_equipment",
    "list_assets",
    "provide_gateways",
    "read",
    "refs",
    "relocate",
    "search",
    "update",
]
