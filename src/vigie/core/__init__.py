"""Core: what every room stands on. It knows nothing of cities."""
