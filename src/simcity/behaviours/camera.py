"""Cameras: they stream, record, look where they are told and come back by themselves."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from simcity.behaviours.base import DONE, OUT_OF_RANGE, Behaviour, Point, choice, number
from simcity.commands import Outcome
from simcity.lamp import Floats, Ints

STREAM = ("on", "off", "lost")
RECORDING = ("stopped", "recording", "failed")
HOLD = 900.0  # seconds until it looks where it usually does


class Camera(Behaviour):
    kind = "Camera"
    points = (
        Point("stream", watched=True, words=STREAM),
        Point("recording", watched=True, words=RECORDING),
        Point("pan", 1, watched=True),
        Point("tilt", 1, watched=True),
        Point("zoom", 1, watched=True),
        Point("tamper", watched=True),
        Point("bitrate"),
    )
    interval = 30.0
    watch_every = 1.0
    witnessed = False
    verbs = ("move_camera", "go_to_preset", "set_recording")
    modes = {  # noqa: RUF012
        "lost": {"stream": 2.0, "recording": 2.0, "bitrate": 0.0},
        "tamper": {"tamper": 1.0},
        "recordingFailed": {"recording": 2.0},
    }

    def prepare(self) -> None:
        self._home = np.round(-170 + 340 * self.draw(1)), np.round(-40 + 35 * self.draw(2))
        self._view = tuple(self.keep(name, 0.0) for name in ("pan", "tilt", "zoom"))
        self._until = self.keep("until", 0.0)
        self.recording = self.keep("recording", 1.0)

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        held = t < self._until[rows]
        home = self._home[0][rows], self._home[1][rows], np.ones(len(rows))
        pan, tilt, zoom = (
            np.where(held, view[rows], at) for view, at in zip(self._view, home, strict=True)
        )
        bitrate = 2500 + 2500 * self.wander(3, rows, t, 90)
        zero = np.zeros(len(rows))
        return [zero, self.recording[rows], pan, tilt, zoom, zero, np.round(bitrate)]

    def stops_orders(self, mode: str) -> bool:
        return mode == "lost"

    def obey(self, row: int, verb: str, params: Mapping[str, Any], t: float) -> Outcome:
        if verb == "set_recording":
            wanted = choice(params, "recording", RECORDING[:2])
            if wanted is None:
                return OUT_OF_RANGE
            self.recording[row] = wanted
            return DONE
        if verb == "go_to_preset":
            preset = params.get("preset")
            if not isinstance(preset, str) or not preset:
                return OUT_OF_RANGE
            step = float(sum(map(ord, preset)))
            draw = [float(self.draw_at(4 + i, np.array([row]), step)[0]) for i in range(3)]
            view = round(-170 + 340 * draw[0]), round(-60 + 50 * draw[1]), round(1 + 9 * draw[2])
        else:
            given = (
                number(params, "pan", -360, 360),
                number(params, "tilt", -180, 180),
                number(params, "zoom", 1, 100),
            )
            if None in given:
                return OUT_OF_RANGE
            view = tuple(float(v) for v in given if v is not None)
        for column, value in zip(self._view, view, strict=True):
            column[row] = value
        self._until[row] = t + HOLD
        return DONE
