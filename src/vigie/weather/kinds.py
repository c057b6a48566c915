"""Kinds of the weather trade. Names: Smart Data Models (WeatherObserved)."""

from vigie.twin.kinds import Choice, Flag, Kind, Number

WEATHER_STATION = Kind(
    "WeatherStation",
    "weather",
    points=(
        Number("temperature", "°C", -60, 60, promise_s=900),
        Number("relativeHumidity", "%", 0, 100, promise_s=900),
        Number("dewPoint", "°C", -80, 50, promise_s=900),
        Number("windSpeed", "m/s", 0, 100, promise_s=900),
        Number("windDirection", "°", 0, 360, promise_s=900),
        Number("gustSpeed", "m/s", 0, 120, promise_s=900),
        Number("precipitation", "mm/h", 0, 400, promise_s=900),
        Choice(
            "precipitationType",
            ("none", "rain", "snow", "sleet", "hail", "freezing_rain"),
            abnormal=("freezing_rain",),
        ),
        Number("atmosphericPressure", "hPa", 800, 1100, promise_s=900),
        Number("visibility", "m", 0, 100_000, promise_s=900),
    ),
    draws=("temperature", "windSpeed", "windDirection"),
    icon="weather",
    life_years=12,
    standard="Smart Data Models: WeatherObserved",
)

ROAD_SURFACE_SENSOR = Kind(
    "RoadSurfaceSensor",
    "weather",
    points=(
        Number("surfaceTemperature", "°C", -50, 90, promise_s=900),
        Number("airTemperature", "°C", -60, 60, promise_s=900),
        Choice(
            "surface",
            ("dry", "moist", "wet", "slush", "snow", "ice", "black_ice"),
            promise_s=900,
            abnormal=("ice", "black_ice"),
        ),
        Number("waterFilm", "mm", 0, 10, promise_s=900),
        Number("freezingPoint", "°C", -50, 5, promise_s=900),
        Number("friction", "1", 0, 1, promise_s=900),
        Flag("fault", abnormal=True),
    ),
    draws=("surfaceTemperature", "surface"),
    icon="road",
    life_years=8,
    standard="EN 15518-3",
)

KINDS = (WEATHER_STATION, ROAD_SURFACE_SENSOR)
