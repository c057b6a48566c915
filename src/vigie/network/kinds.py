"""Kinds of the network trade. Names: IF-MIB (ifOperStatus, ifHCInOctets)."""

from vigie.twin.kinds import Choice, Flag, Kind, Number

NETWORK_SWITCH = Kind(
    "NetworkSwitch",
    "network",
    points=(
        Choice(
            "reachable", ("up", "degraded", "down"), promise_s=120, abnormal=("degraded", "down")
        ),
        Number("processorLoad", "%", 0, 100),
        Number("temperature", "°C", -40, 120),
        Number("portsUp", "1", 0, 512),
        Number("upTime", "s", 0, 4e9, counter=True),
        Flag("powerFault", abnormal=True),
    ),
    draws=("reachable",),
    marks=("powerFault",),
    icon="switch",
    life_years=10,
    standard="RFC 2863 (IF-MIB)",
)

FIBRE_LINK = Kind(
    "FibreLink",
    "network",
    points=(
        Choice("link", ("up", "degraded", "down"), promise_s=120, abnormal=("degraded", "down")),
        Number("receivedPower", "dBm", -60, 10),
        Number("load", "%", 0, 100),
        Number("errorRate", "1", 0, 1),
    ),
    draws=("link", "load"),
    icon="fibre",
    parents=("NetworkSwitch",),
    life_years=40,
    standard="ITU-T G.652",
)

KINDS = (NETWORK_SWITCH, FIBRE_LINK)
