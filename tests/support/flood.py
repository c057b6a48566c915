"""A device that sends as fast as the line takes it, for some seconds, and comes back when cut.

A process of its own, so that it does not share the event loop of what it floods:
`python -m tests.support.flood PORT TOKEN SECRET TOPIC DEVICE MODE SECONDS`. Says at the end, as
JSON, which of its messages were acknowledged, how often it was cut and its login refused.
"""

import json
import select
import socket
import sys
import time

from vigie.gateways.mqtt.wire import connect, packet, publish

AT_ONCE = 64
READINGS = {"single": 1, "batch": 200, "foreign": 1}
# A reading a second, as measured, from 25 days ago on.
BEGAN_MS = time.time_ns() // 1_000_000 - 25 * 86_400_000


def payload(device: str, number: int, readings: int) -> bytes:
    """One message: readings numbered on from it."""
    text = ",".join(
        f'{{"device":"{device}","boot":1,"n":{n},"at":{BEGAN_MS + 1000 * n},'
        '"values":{"dimmingLevel":40,"activePower":31.5}}'
        for n in range(number * readings, (number + 1) * readings)
    )
    return (text if readings == 1 else f"[{text}]").encode()


def answers(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The small packets of the broker (CONNACK, PUBACK), and what is left of the next one."""
    found: list[tuple[int, bytes]] = []
    while len(data) >= 2 and len(data) >= 2 + data[1]:
        found.append((data[0], data[2 : 2 + data[1]]))
        data = data[2 + data[1] :]
    return found, data


class Flooder:
    """Sends until the time is over; remembers what was acknowledged."""

    def __init__(self, port: int, token: str, secret: str) -> None:
        self.port, self.token, self.secret = port, token, secret
        self.number = 0
        self.acknowledged: list[int] = []
        self.sent = self.cuts = self.refused = 0

    def run(self, topic: str, device: str, mode: str, until: float) -> None:
        readings = READINGS[mode]
        while time.monotonic() < until:
            line = self._login()
            if line is None:
                time.sleep(0.2)
                continue
            try:
                self._send(line, topic, device, readings, until, qos=0 if mode == "foreign" else 1)
            except OSError:
                self.cuts += 1
            finally:
                line.close()

    def _login(self) -> socket.socket | None:
        line = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        try:
            line.sendall(connect(self.token, self.token, self.secret))
            if line.recv(4)[3:] == b"\0":
                return line
        except OSError:
            pass
        self.refused += 1
        line.close()
        return None

    def _send(
        self, line: socket.socket, topic: str, device: str, readings: int, until: float, *, qos: int
    ) -> None:
        waiting: list[int] = []
        rest = b""
        line.setblocking(False)
        out = memoryview(b"")
        while time.monotonic() < until or waiting:
            if not out and time.monotonic() < until:
                parts: list[bytes] = []
                for _ in range(AT_ONCE):
                    self.number += 1
                    identifier = self.number % 60_000 + 1
                    parts.append(
                        publish(topic, payload(device, self.number, readings), identifier, qos=qos)
                    )
                    if qos:
                        waiting.append(self.number)
                out = memoryview(b"".join(parts))
                self.sent += AT_ONCE
            ready, writable, _ = select.select([line], [line] if out else [], [], 1)
            if ready:
                data = line.recv(1 << 16)
                if not data:
                    raise ConnectionResetError
                packets, rest = answers(rest + data)
                # PUBACKs come in the order of the publishes.
                count = sum(kind == 0x40 for kind, _ in packets)
                self.acknowledged += waiting[:count]
                del waiting[:count]
            if writable:
                out = out[line.send(out[: 1 << 18]) :]
            if not ready and not writable and time.monotonic() > until + 3:
                return
        line.setblocking(True)
        line.sendall(packet(0xE0, b""))


if __name__ == "__main__":
    port, token, secret, topic, device, mode, seconds = sys.argv[1:]
    flooder = Flooder(int(port), token, secret)
    flooder.run(topic, device, mode, time.monotonic() + float(seconds))
    print(
        json.dumps(
            {
                "acknowledged": flooder.acknowledged,
                "sent": flooder.sent,
                "cuts": flooder.cuts,
                "refused": flooder.refused,
            }
        )
    )
