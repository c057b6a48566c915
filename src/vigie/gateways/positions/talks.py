"""How each TCP protocol goes: who logs in, what is taken, and the answer once it is stored."""

import time
from collections.abc import Mapping

import msgspec

from vigie.core import clock
from vigie.core.clock import epoch_ms
from vigie.core.errors import VigieError
from vigie.gateways.positions import nmea, radio, teltonika
from vigie.gateways.positions.door import Left, Peer
from vigie.gateways.positions.model import Accept, Client, Clients, Malformed

_NMEA_FAULTS = 20
"""Faulty sentences in a row after which a receiver is none: noise on a line spoils some."""


async def talk_teltonika(peer: Peer, clients: Clients, accept: Accept) -> None:
    """IMEI, then frames; the number of records is sent back when they are stored, and a device
    that did not get it sends them again."""
    data = b""
    ends = time.monotonic() + peer.limits.login_s
    while (login := teltonika.read_login(data)) is None:
        data += await peer.read(max(ends - time.monotonic(), 0.001))
    imei, taken = login
    if (await clients.by_identity("teltonika", imei)) is None:
        peer.counts["unknown_client"] += 1
        await peer.write(teltonika.REFUSED)
        return
    await peer.write(teltonika.ACCEPTED)
    frames, piece = teltonika.Frames(), data[taken:]
    while True:
        for body in frames.feed(piece):
            records = teltonika.decode(body)
            if records is None:
                continue
            client = await clients.by_identity("teltonika", imei)
            if client is None:
                return
            await accept(teltonika.messages(records, client.token, client.device))
            peer.counts["accepted"] += len(records)
            await peer.write(len(records).to_bytes(4, "big"))
        piece = await peer.read(peer.limits.piece_s if frames.waiting else peer.limits.idle_s)


async def talk_nmea(peer: Peer, clients: Clients, accept: Accept) -> None:
    """`login TOKEN SECRET` or `id NUMBER` on a line of its own, answered `ok` or `refused`; then
    sentences, which NMEA does not acknowledge."""
    words = (await peer.line(peer.limits.login_s)).decode("ascii", "replace").split()
    client = await _named(words, clients)
    if client is None or not client.device:
        peer.counts["unknown_client"] += 1
        await peer.write(b"refused\r\n")
        return
    await peer.write(b"ok\r\n")
    assembly, faults = nmea.Assembly(), 0
    while True:
        line = await peer.line(peer.limits.idle_s)
        if not line:
            continue
        try:
            position = assembly.feed(line, epoch_ms(clock.now()), client.token, client.device)
        except Malformed as error:
            faults += 1
            peer.counts[error.code] += 1
            if faults >= _NMEA_FAULTS:
                raise
            continue
        faults = 0
        if position is not None:
            client = await _named(words, clients)
            if client is None:
                return
            await accept([position])
            peer.counts["accepted"] += 1


async def _named(words: list[str], clients: Clients) -> Client | None:
    match words:
        case ["login", token, secret]:
            return await clients.login(token, secret)
        case ["id", identity]:
            return await clients.by_identity("nmea", identity)
        case _:
            return None


async def talk_radio(peer: Peer, clients: Clients, accept: Accept) -> None:
    """A login, then a line a message, each acknowledged by its number when it is stored, or
    refused with a code: a refused line need not be sent again, and spoils no other."""
    login = radio.decode_login(await peer.line(peer.limits.login_s))
    if await clients.login(login.login, login.secret) is None:
        peer.counts["unknown_client"] += 1
        await _answer(peer, {"error": "unknown_client"})
        return
    await _answer(peer, {"ok": True})
    while True:
        line = await peer.line(peer.limits.idle_s)
        if not line.strip():
            continue
        client = await clients.login(login.login, login.secret)
        if client is None:
            raise Left
        try:
            message = radio.decode(line)
            said = radio.messages(message, epoch_ms(clock.now()), client.token)
        except Malformed as error:
            peer.counts[error.code] += 1
            refusal = {"error": error.code, "detail": error.detail[:200]}
            await _answer(peer, refusal | {"n": radio.number_of(line)})
            continue
        try:
            await accept(said)
        except VigieError as error:
            if error.status >= 500:
                raise
            peer.counts[error.code] += 1
            await _answer(peer, {"error": error.code, "detail": error.detail, "n": message.n})
            continue
        peer.counts["accepted"] += 1
        await _answer(peer, {"ack": message.n})


async def _answer(peer: Peer, answer: Mapping[str, object]) -> None:
    await peer.write(msgspec.json.encode(answer) + b"\n")
