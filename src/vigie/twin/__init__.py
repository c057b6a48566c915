"""The city's equipment: registry, kinds, topology, state and history."""
