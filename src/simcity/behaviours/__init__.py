"""One behaviour a kind: what it measures, how it obeys, how it fails."""

from simcity.behaviours.base import Behaviour
from simcity.behaviours.bollard import Bollard
from simcity.behaviours.building import (
    AlarmZone,
    Building,
    Door,
    EnergyMeter,
    FireDetector,
    IntrusionDetector,
    TechnicalPoint,
)
from simcity.behaviours.bus import Bus
from simcity.behaviours.cabinet import Cabinet
from simcity.behaviours.camera import Camera
from simcity.behaviours.network import FibreLink, NetworkSwitch
from simcity.behaviours.roaming import Radio, Vehicle
from simcity.behaviours.sensors import RainGauge, RiverGauge, RoadSurfaceSensor, WeatherStation
from simcity.behaviours.signals import SignalGroup, TrafficDetector, TrafficLightController
from simcity.behaviours.street import ParkingSpot, WasteContainer
from simcity.behaviours.streetlight import Streetlight

# Lamps and cabinets come first: the order of a fleet.
BEHAVIOURS: dict[str, type[Behaviour]] = {
    behaviour.kind: behaviour
    for behaviour in (
        Streetlight,
        Cabinet,
        TrafficLightController,
        SignalGroup,
        TrafficDetector,
        Bus,
        Vehicle,
        Radio,
        Camera,
        Bollard,
        Building,
        AlarmZone,
        FireDetector,
        IntrusionDetector,
        Door,
        TechnicalPoint,
        EnergyMeter,
        WeatherStation,
        RoadSurfaceSensor,
        RiverGauge,
        RainGauge,
        WasteContainer,
        ParkingSpot,
        NetworkSwitch,
        FibreLink,
    )
}
__all__ = ["BEHAVIOURS", "Behaviour"]
