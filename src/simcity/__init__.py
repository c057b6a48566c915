"""A simulated city: street lights that behave like the field's.

It knows the platform by its public protocols only (the MQTT contract and the provisioning
file) and never imports it, so what it witnesses about the platform is independent of it.
"""
