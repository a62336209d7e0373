"""The edge picture: bright on edges, dark elsewhere, the same for a dim edge behind metal."""

import numpy as np
import pytest

from core.imaging.filters import edge_picture


def steps(dtype: type) -> np.ndarray:
    """Three vertical bands; both steps are by the same factor of two."""
    top = np.iinfo(dtype).max
    picture = np.empty((80, 120), dtype=dtype)
    picture[:, :40], picture[:, 40:80], picture[:, 80:] = 0.8 * top, 0.4 * top, 0.2 * top
    return picture


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_edges_are_bright_where_they_are_and_equal_in_ratio(dtype):
    drawn = edge_picture(steps(dtype))
    profile = drawn[40].astype(int)
    assert set(np.flatnonzero(profile > 200)) <= set(range(37, 43)) | set(range(77, 83))
    assert profile[39:41].min() > 200
    assert profile[79:81].min() > 200
    assert profile[np.r_[0:30, 50:70, 90:120]].max() < 5


def test_unusable_pixels_and_their_border_are_black():
    usable = np.ones((80, 120), dtype=bool)
    usable[:, :60] = False
    drawn = edge_picture(steps(np.uint8), usable)
    assert drawn[:, :63].max() == 0
    assert drawn[40, 79:81].min() > 200


def test_a_flat_picture_has_no_edges():
    assert edge_picture(np.full((30, 30), 7, dtype=np.uint16)).max() == 0


def test_the_border_of_an_image_circle_does_not_outshine_what_is_inside():
    v, u = np.mgrid[:200, :200]
    circle = (u - 100) ** 2 + (v - 100) ** 2 < 90**2
    picture = np.where(circle, np.where(u < 100, 30000, 24000), 200).astype(np.uint16)
    drawn = edge_picture(picture, circle)
    assert drawn[100, 98:102].max() > 200
    assert drawn[~circle].max() == 0
    assert edge_picture(picture)[100, 98:102].max() < 100, "without the mask it does"
