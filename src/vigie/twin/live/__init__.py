"""Live: what the screens know of the city now, a snapshot and the changes since."""
