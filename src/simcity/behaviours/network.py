"""The city's own network: switches and the fibre between them."""

import numpy as np

from simcity.behaviours.base import Behaviour, Point
from simcity.behaviours.hours import traffic
from simcity.lamp import Floats, Ints

UP = ("up", "degraded", "down")
BOOT = 1.7e9


class NetworkSwitch(Behaviour):
    kind = "NetworkSwitch"
    points = (
        Point("reachable", watched=True, words=UP),
        Point("processorLoad"),
        Point("temperature", 1),
        Point("portsUp"),
        Point("upTime"),
        Point("powerFault", watched=True),
    )
    interval = 60.0
    watch_every = 1.0
    modes = {  # noqa: RUF012
        "down": {"reachable": 2.0, "portsUp": 0.0},
        "degraded": {"reachable": 1.0},
        "powerFault": {"powerFault": 1.0},
    }
    without_power = {"reachable": 2.0, "powerFault": 1.0, "portsUp": 0.0}  # noqa: RUF012
    without_network = {"reachable": 2.0}  # noqa: RUF012
    cuts_network = ("down",)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        at = self.world.local(t)
        load = 12 + 30 * traffic(at.hour, at.weekday) * self.wander(1, rows, t, 300)
        heat = self.world.weather.temperature(t) + 14 + 6 * self.draw(2, rows)
        period = DAYS * (20 + 200 * self.draw(3, rows))
        up = (t - BOOT + period * self.draw(4, rows)) % period
        ports = 4 + np.floor(20 * self.draw(5, rows))
        zero = np.zeros(len(rows))
        return [zero, np.round(load), heat, ports, np.floor(up), zero]


class FibreLink(Behaviour):
    kind = "FibreLink"
    points = (
        Point("link", watched=True, words=UP),
        Point("receivedPower", 1),
        Point("load", 1),
        Point("errorRate", 6),
    )
    interval = 60.0
    watch_every = 1.0
    modes = {  # noqa: RUF012
        "down": {"link": 2.0, "receivedPower": -40.0, "load": 0.0, "errorRate": 1.0},
        "degraded": {"link": 1.0, "receivedPower": -27.0, "errorRate": 0.01},
    }
    without_network = {"link": 2.0, "receivedPower": -40.0, "load": 0.0}  # noqa: RUF012
    cuts_network = ("down",)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        at = self.world.local(t)
        load = 60 * traffic(at.hour, at.weekday) * (0.2 + 0.6 * self.wander(1, rows, t, 120))
        light = -6 - 12 * self.draw(2, rows) + 0.6 * self.wander(3, rows, t, 3600)
        return [np.zeros(len(rows)), light, load, 1e-6 * self.draw_at(4, rows, t / 600)]


DAYS = 86_400.0
