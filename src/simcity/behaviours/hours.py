"""How busy a city is by the hour."""

import numpy as np

_HOURS = (0, 4.5, 6, 7.75, 9.5, 12, 14, 16, 17.5, 19, 21, 24)
_WORKDAY = (0.06, 0.03, 0.2, 1.0, 0.55, 0.62, 0.55, 0.7, 1.05, 0.6, 0.25, 0.06)
_WEEKEND = (0.12, 0.04, 0.06, 0.18, 0.4, 0.6, 0.55, 0.65, 0.65, 0.5, 0.3, 0.12)


def traffic(hour: float, weekday: int) -> float:
    """Share of a street's capacity that is used."""
    return float(np.interp(hour, _HOURS, _WORKDAY if weekday < 5 else _WEEKEND))


# use of a building → (opens, closes, days a week it opens)
OPENING = {
    "school": (7.5, 18.0, 5),
    "nursery": (7.25, 18.75, 5),
    "office": (8.5, 17.5, 5),
    "sport": (8.0, 22.5, 7),
    "culture": (10.0, 19.0, 6),
    "depot": (5.0, 20.0, 6),
    "pool": (7.0, 21.0, 7),
}
