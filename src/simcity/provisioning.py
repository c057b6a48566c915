"""The provisioning file: what an installer receives from the platform."""

from pathlib import Path

import msgspec


class ProvisioningError(ValueError):
    """The file cannot be used; the message says why."""


class Broker(msgspec.Struct, frozen=True):
    host: str
    port: int
    tls: bool = False
    ca: str | None = None  # certificate authority file, when not the system's


class Device(msgspec.Struct, frozen=True):
    device: str
    kind: str
    source_id: str
    lon: float
    lat: float
    power: float | None = None


class GatewaySpec(msgspec.Struct, frozen=True):
    client: str
    secret: str
    shard: int
    devices: tuple[Device, ...]
    name: str = ""


class Provisioning(msgspec.Struct, frozen=True):
    mqtt: Broker
    gateways: tuple[GatewaySpec, ...]


def read_provisioning(path: Path, part: tuple[int, int] = (0, 1)) -> Provisioning:
    """The file, or of its gateways every `part[1]`-th from number `part[0]`."""
    try:
        whole = msgspec.json.decode(path.read_bytes(), type=Provisioning)
    except FileNotFoundError:
        raise ProvisioningError(f"{path} is missing: make it with `vigie provision`") from None
    except msgspec.MsgspecError as error:
        raise ProvisioningError(f"{path} is not a provisioning file: {error}") from None
    mine = whole.gateways[part[0] :: part[1]]
    if not any(gateway.devices for gateway in mine):
        raise ProvisioningError(f"{path} gives this process no device")
    return Provisioning(whole.mqtt, mine)


def read_part(text: str) -> tuple[int, int]:
    """`1/4` → the second of four parts."""
    number, _, count = text.partition("/")
    try:
        part = int(number), int(count)
    except ValueError:
        raise ProvisioningError(f"--slice {text!r}: write it like 0/2") from None
    if not 0 <= part[0] < part[1]:
        raise ProvisioningError(f"--slice {text!r}: the first number runs from 0 to {part[1] - 1}")
    return part
