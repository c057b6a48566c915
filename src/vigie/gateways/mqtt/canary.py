"""The canary: proof, through the devices' own door, that what the broker acknowledges is kept.

A broker may acknowledge a publish without a stream, or into a full one. So before a process says
it is ready, one message goes in by MQTT at QoS 1 and must be found in the stream after its PUBACK.
"""

import base64
import ssl

from vigie.core.bus import Bus
from vigie.core.errors import Unavailable
from vigie.core.ids import token
from vigie.core.settings import Settings
from vigie.gateways.ingest import ask
from vigie.gateways.mqtt.callout import canary_secret
from vigie.gateways.mqtt.messages import PREFIX
from vigie.gateways.mqtt.rules import CANARY
from vigie.gateways.mqtt.streams import STREAM
from vigie.gateways.mqtt.wire import Connection, Refused


async def sing(bus: Bus, settings: Settings, *, timeout_s: float = 10.0) -> None:
    """Publish one message as a device would, and find it in the stream.

    Raises Unavailable with the reason and what to do.
    """
    name = token(CANARY)
    subject = f"{PREFIX}up.canary.{name}"
    reader = f"canary-{name}"
    answer = await ask(
        bus,
        f"$JS.API.CONSUMER.CREATE.{STREAM}.{reader}.{subject}",
        {
            "stream_name": STREAM,
            "config": {
                "name": reader,
                "filter_subject": subject,
                "ack_policy": "explicit",
                "inactive_threshold": 30_000_000_000,
                "mem_storage": True,
            },
        },
    )
    if "error" in answer:
        raise _failed("canary_no_reader", answer["error"].get("description", ""))
    try:
        await _publish(settings, name, timeout_s)
        await _found(bus, subject, name)
    finally:
        await ask(bus, f"$JS.API.CONSUMER.DELETE.{STREAM}.{reader}", {})


async def _publish(settings: Settings, name: str, timeout_s: float) -> None:
    host = settings.mqtt_host if settings.mqtt_host not in ("0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    tls = _tls() if settings.tls_certificate else None
    try:
        async with await Connection.open(
            host,
            settings.mqtt_port,
            name,
            canary_secret(settings, name),
            tls=tls,
            timeout_s=timeout_s,
        ) as connection:
            await connection.publish(f"up/canary/{name}", name.encode(), timeout_s=timeout_s)
    except Refused as error:
        raise _failed(
            "canary_login_refused",
            f"{error}: no gateways process answers the broker's auth callout, or its issuer is "
            "another installation's; compare `vigie nats-config` with the server's configuration",
        ) from error
    except TimeoutError as error:
        raise _failed("canary_no_puback", "no PUBACK within the time limit") from error
    except OSError as error:
        raise _failed("canary_mqtt_unreachable", f"{host}:{settings.mqtt_port}: {error}") from error


async def _found(bus: Bus, subject: str, name: str) -> None:
    """The message is in the stream already: its PUBACK said so."""
    answer = await ask(bus, f"$JS.API.STREAM.MSG.GET.{STREAM}", {"last_by_subj": subject})
    kept = base64.b64decode(answer.get("message", {}).get("data", ""))
    if kept != name.encode():
        raise _failed("canary_lost", "acknowledged, but not in the stream")


def _tls() -> ssl.SSLContext:
    # The listener is our own and the canary carries no secret of anyone.
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _failed(code: str, detail: str) -> Unavailable:
    return Unavailable(
        code, f"The broker does not keep what devices send: {detail}.", {"detail": detail}
    )
