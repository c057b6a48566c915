"""What measures the one weather of the city: stations, road surfaces, rain gauges, rivers."""

import numpy as np

from simcity.behaviours.base import Behaviour, Point
from simcity.behaviours.building import battery
from simcity.lamp import Floats, Ints

PRECIPITATION = ("none", "rain", "snow", "sleet", "hail", "freezing_rain")
SURFACE = ("dry", "moist", "wet", "slush", "snow", "ice", "black_ice")


class WeatherStation(Behaviour):
    kind = "WeatherStation"
    points = (
        Point("temperature", 1),
        Point("relativeHumidity"),
        Point("dewPoint", 1),
        Point("windSpeed", 1),
        Point("windDirection"),
        Point("gustSpeed", 1),
        Point("precipitation", 1),
        Point("precipitationType", watched=True, words=PRECIPITATION),
        Point("atmosphericPressure", 1),
        Point("visibility"),
    )
    interval = 300.0
    watch_every = 60.0

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        weather = self.world.weather
        air = weather.temperature(t) + 1.6 * (self.draw(1, rows) - 0.5)
        humidity = np.clip(weather.humidity(t) + 8 * (self.wander(2, rows, t, 3600) - 0.5), 5, 100)
        gamma = np.log(humidity / 100) + 17.62 * air / (243.12 + air)
        wind = weather.wind(t) * (0.7 + 0.6 * self.wander(3, rows, t, 600))
        direction = (weather.direction(t) + 30 * (self.wander(4, rows, t, 900) - 0.5)) % 360
        rain = weather.rain(t) * (0.8 + 0.4 * self.draw(5, rows))
        kind = 0.0 if weather.rain(t) < 0.05 else 2.0 if weather.snows(t) else 1.0
        visibility = np.clip(30_000 / (1 + 0.6 * rain) * (1 - 0.9 * (humidity > 97)), 60, 60_000)
        return [
            air, humidity, 243.12 * gamma / (17.62 - gamma), wind, direction, wind * 1.6,
            np.where(rain < 0.05, 0.0, rain), np.full(len(rows), kind),
            weather.pressure(t) + self.draw(6, rows), np.round(visibility),
        ]  # fmt: skip


class RoadSurfaceSensor(Behaviour):
    kind = "RoadSurfaceSensor"
    points = (
        Point("surfaceTemperature", 1),
        Point("airTemperature", 1),
        Point("surface", watched=True, words=SURFACE),
        Point("waterFilm", 2),
        Point("freezingPoint", 1),
        Point("friction", 2),
        Point("fault", watched=True),
    )
    interval = 300.0
    watch_every = 60.0
    modes = {"fault": {"fault": 1.0}}  # noqa: RUF012

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        weather = self.world.weather
        air = weather.temperature(t) + 1.2 * (self.draw(1, rows) - 0.5)
        hour = self.world.local(t).hour
        sun = 5.0 * max(0.0, float(np.sin(np.pi * (hour - 7) / 12))) if 7 < hour < 19 else -1.2
        surface = air + sun * (0.5 + 0.8 * self.draw(2, rows))
        recent = weather.fallen(t) - weather.fallen(t - 5400)
        film = np.clip(recent * 0.4 * (0.6 + 0.8 * self.draw(3, rows)), 0, 6)
        frozen, wet = surface < -0.3, film > 0.15
        snow = frozen & weather.snows(t) & (recent > 0.3)
        state = np.select(
            [snow, frozen & wet, frozen & (film > 0.02), wet, film > 0.02],
            [4.0, 5.0, 6.0, 2.0, 1.0],
            0.0,
        )
        grip = np.array([0.82, 0.7, 0.6, 0.4, 0.28, 0.16, 0.18])[state.astype(np.int64)]
        zero = np.zeros(len(rows))
        return [surface, air, state, film, np.full(len(rows), -0.3), grip, zero]


class RainGauge(Behaviour):
    kind = "RainGauge"
    points = (
        Point("rain", 1),
        Point("intensity", 1),
        Point("batteryLevel"),
        Point("fault", watched=True),
    )
    interval = 300.0
    watch_every = 60.0
    modes = {"fault": {"fault": 1.0}}  # noqa: RUF012

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        local = 0.8 + 0.4 * self.draw(1, rows)
        fallen = np.floor(self.world.weather.fallen(t) * local / 0.2) * 0.2
        return [
            fallen, self.world.weather.rain(t) * local, battery(self, rows, t), np.zeros(len(rows))
        ]  # fmt: skip


class RiverGauge(Behaviour):
    kind = "RiverGauge"
    points = (
        Point("waterLevel", 2),
        Point("flow", 2),
        Point("waterTemperature", 1),
        Point("batteryLevel"),
        Point("fault", watched=True),
    )
    interval = 300.0
    watch_every = 60.0
    modes = {"fault": {"fault": 1.0}}  # noqa: RUF012

    def truth(self, rows: Ints, t: float) -> list[Floats]:
        low, lag = 0.25 + 0.5 * self.draw(1, rows), 3600 * (0.5 + 3 * self.draw(2, rows))
        soaked = np.array([self.world.weather.soaked(t - delay) for delay in lag.tolist()])
        level = low + 0.035 * soaked + 0.02 * self.wander(3, rows, t, 7200)
        flow = (1 + 14 * self.draw(4, rows)) * level**1.6
        water = 11 + 0.5 * (self.world.weather.temperature(t) - 11)
        zero = np.zeros(len(rows))
        return [level, flow, np.full(len(rows), max(water, 0.5)), battery(self, rows, t), zero]
