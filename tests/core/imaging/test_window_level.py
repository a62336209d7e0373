"""Window tables against the formula, automatic windows against numpy, and that the table is quick."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ImageError
from core.imaging.window_level import apply_window, auto_window, histogram, window_table


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@given(data=st.data())
def test_a_table_is_the_clipped_line_and_its_inverse_the_mirror(dtype, data):
    top = np.iinfo(dtype).max
    low = data.draw(st.floats(-50, top))
    high = data.draw(st.floats(low + 1, top + 50))
    values = np.arange(top + 1, dtype=dtype)
    expected = 255 * np.clip((values.astype(float) - low) / (high - low), 0, 1)
    shown = apply_window(values[None], window_table(low, high, dtype))[0]
    assert shown.dtype == np.uint8
    assert np.abs(shown - expected).max() <= 0.5 + 1e-9
    turned = apply_window(values[None], window_table(low, high, dtype, inverted=True))[0]
    assert np.abs(turned + shown.astype(int) - 255).max() <= 1


def test_ends_may_be_swapped_and_a_window_without_width_is_a_threshold():
    np.testing.assert_array_equal(window_table(200, 20, np.uint8), window_table(20, 200, np.uint8))
    table = window_table(100, 100, np.uint8)
    assert table[99] == 0
    assert table[100] == 255


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_auto_window_is_the_percentiles_of_the_usable_area(dtype):
    generator = np.random.default_rng(0)
    top = np.iinfo(dtype).max
    picture = np.clip(generator.normal(0.5 * top, 0.1 * top, (300, 400)), 0, top).astype(dtype)
    usable = np.zeros(picture.shape, dtype=bool)
    usable[50:250, 60:300] = True
    picture[~usable] = 0
    low, high = auto_window(picture, usable, low_percent=2, high_percent=97)
    inside = picture[usable]
    assert low == np.percentile(inside, 2, method="inverted_cdf")
    assert high == np.percentile(inside, 97, method="inverted_cdf")
    whole = auto_window(picture, low_percent=2, high_percent=97)
    assert whole[0] == 0.0


def test_auto_window_of_flat_pictures_has_a_width():
    for value in (0, 7, 255):
        low, high = auto_window(np.full((20, 20), value, dtype=np.uint8))
        assert high == low + 1
        assert 0 <= low <= value <= high <= 255
    assert auto_window(np.full((20, 20), 9, dtype=np.uint8), np.zeros((20, 20), dtype=bool)) == (9.0, 10.0)


def test_histogram_counts_every_usable_pixel_once():
    picture = np.array([[1, 1, 5], [5, 5, 700]], dtype=np.uint16)
    counts = histogram(picture)
    assert (counts[1], counts[5], counts[700], counts.sum()) == (2, 3, 1, 6)
    assert histogram(picture, picture == 5).sum() == 3


def test_other_types_and_sizes_are_refused():
    with pytest.raises(ImageError, match="8 or 16 bit"):
        window_table(0, 1, np.float32)
    with pytest.raises(ImageError, match="finite"):
        window_table(np.nan, 1, np.uint8)
    with pytest.raises(ImageError, match="does not fit"):
        apply_window(np.zeros((4, 4), dtype=np.uint16), window_table(0, 9, np.uint8))
    with pytest.raises(ImageError, match="one size"):
        auto_window(np.zeros((4, 4), dtype=np.uint8), np.ones((4, 5), dtype=bool))


@pytest.mark.timing
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_large_picture_is_windowed_in_milliseconds(dtype):
    picture = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (1600, 1664)).astype(dtype)
    table, out = window_table(10, 200, dtype), np.empty(picture.shape, dtype=np.uint8)
    seconds = []
    for _ in range(9):
        start = time.perf_counter()
        apply_window(picture, table, out)
        seconds.append(time.perf_counter() - start)
    np.testing.assert_array_equal(out, table[picture])
    assert min(seconds) < 0.01  # 1 to 2 ms on an idle machine
