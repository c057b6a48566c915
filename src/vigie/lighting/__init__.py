"""Street lighting: lights and their cabinets."""
