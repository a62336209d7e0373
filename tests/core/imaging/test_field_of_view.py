"""Finding the image circle, exclusions, and smoothing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from core.imaging.field_of_view import distance_to_edge_px, exclude_polygons, find_field_of_view
from core.imaging.smoothing import block_mean, smooth
from tests.real_data import REAL, needs_real_data


def round_picture(limb_to: int, maximum: int, dtype) -> tuple[np.ndarray, np.ndarray]:
    v, u = np.mgrid[:300, :320]
    circle = (u - 160) ** 2 + (v - 150) ** 2 < 140**2
    picture = np.where(circle, 0.9, 0.03) * maximum
    picture[:, :limb_to][circle[:, :limb_to]] *= 0.35
    picture[120:180, 60 : limb_to + 20] = 0.06 * maximum
    return picture.astype(dtype), circle


@pytest.mark.parametrize(("maximum", "dtype"), [(255, np.uint8), (4095, np.uint16), (1.0, np.float32)])
def test_the_circle_is_found_under_a_limb_and_metal(maximum, dtype):
    pictures = [round_picture(end, maximum, dtype)[0] for end in (120, 150, 180)]
    circle = round_picture(120, maximum, dtype)[1]
    found = find_field_of_view(pictures)
    assert (found != circle).mean() < 0.01


def test_a_picture_without_surround_is_used_whole():
    generator = np.random.default_rng(0)
    assert find_field_of_view([generator.integers(120, 255, (200, 200))]).mean() > 0.98
    assert find_field_of_view([np.full((50, 60), 7)]).all()


def test_polygons_are_cut_out():
    usable = exclude_polygons(np.ones((50, 60), bool), [[(10, 10), (30, 10), (30, 20), (10, 20)]])
    assert not usable[15, 20]
    assert usable[25, 20]
    assert (~usable).sum() == pytest.approx(21 * 11, abs=5)


def test_the_frame_of_the_picture_is_no_edge():
    usable = np.ones((40, 40), bool)
    assert distance_to_edge_px(usable).min() >= 40
    usable[:, :10] = False
    distance = distance_to_edge_px(usable)
    assert distance[20, 10] == pytest.approx(1, abs=0.1)
    assert distance[20, 30] == pytest.approx(21, rel=0.05)


def test_smoothing_is_the_gaussian():
    picture = np.random.default_rng(1).normal(size=(40, 50)).astype(np.float32)
    expected = gaussian_filter(picture, 1.5, mode="nearest", radius=4)
    np.testing.assert_allclose(smooth(picture[..., None], 1.5)[..., 0], expected, atol=1e-5)
    assert smooth(picture[..., None], 0.0)[..., 0] is not None


def test_block_means_keep_the_mean_and_drop_the_rest():
    picture = np.arange(7 * 9, dtype=np.uint16).reshape(7, 9)
    small = block_mean(picture, 2)
    assert small.shape == (3, 4)
    assert small[0, 0] == pytest.approx(picture[:2, :2].mean())
    assert block_mean(picture, 1).shape == (7, 9)


@needs_real_data
def test_the_circle_of_real_pictures():
    import tifffile

    folder = REAL / "biplane_tka" / "cam1"
    pictures = [tifffile.imread(folder / f"frame_{number:04d}.tif") for number in range(0, 220, 20)]
    found = find_field_of_view(pictures)
    assert 0.77 < found.mean() < 0.82
    assert not found[:60, :60].any()
    assert found[300:700, 300:700].all()
