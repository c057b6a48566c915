"""MQTT 3.1.1: how street equipment talks to the platform."""
