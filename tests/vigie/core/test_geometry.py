"""Mercator, boxes and distances."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.geometry import BBox, distance_m, length_m, local_metres, mercator, unmercator

LON = st.floats(-180, 180)
LAT = st.floats(-85, 85)


@given(LON, LAT)
def test_mercator_and_back(lon: float, lat: float) -> None:
    back = unmercator(*mercator(lon, lat))
    assert np.allclose(back, (lon, lat), atol=1e-9)


def test_mercator_is_epsg_3857() -> None:
    x, y = mercator([5.04, -180], [47.32, 85.0511287798])
    assert np.allclose(x, [561050.23, -20037508.34], atol=0.01)
    assert np.allclose(y, [5994462.85, 20037508.34], atol=0.5)


def test_distance_of_a_known_pair() -> None:
    # Dijon to Montpellier town halls.
    assert abs(float(distance_m(5.0415, 47.3216, 3.8955, 43.5987)) / 1000 - 423.9) < 1


def test_length_of_a_line() -> None:
    assert length_m([[5.0, 47.0]]) == 0
    assert abs(length_m([[5.0, 47.0], [5.0, 47.001], [5.0, 47.002]]) - 222.4) < 0.1


@given(LON.filter(lambda v: abs(v) < 179), st.floats(-70, 70))
def test_local_metres_agree_with_the_sphere(lon: float, lat: float) -> None:
    east, north = local_metres(lon + 0.01, lat + 0.01, (lon, lat))
    flat = float(np.hypot(east, north))
    assert abs(flat - float(distance_m(lon, lat, lon + 0.01, lat + 0.01))) < 1.5


def test_boxes() -> None:
    box = BBox.of([5.0, 5.2], [47.2, 47.4])
    assert box.contains([5.1, 5.3, np.nan], [47.3, 47.3, 47.3]).tolist() == [True, False, False]
    assert BBox.union([]) is None
    assert BBox.union([box, BBox(4, 47, 5, 47.3)]) == BBox(4, 47, 5.2, 47.4)
    grown = box.grown(1000)
    assert 990 < float(distance_m(5.0, 47.4, 5.0, grown.north)) < 1010
