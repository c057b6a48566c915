"""Access points: retractable bollards."""
