"""Trackers and radios: positions and what radios say, by OsmAnd's HTTP, Teltonika, NMEA and JSON
lines.

Front door: trackers enrolled and removed, the services of the `gateways` role. Never: what a
position means (twin.track), or who may read it.
"""
