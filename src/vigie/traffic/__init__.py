"""Traffic: signals and the priority of buses at them. Front doors of its rooms: `priority`."""
