"""Zoom and pan: exact in both directions, the point under the cursor stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRectF

from app.views.fluoroscopy.viewport import LARGEST_ZOOM, SMALLEST_SIDE, Viewport

viewports = st.builds(
    Viewport, zoom=st.floats(0.03, LARGEST_ZOOM), left=st.floats(-5000, 5000), top=st.floats(-5000, 5000)
)
pixels = st.tuples(st.floats(-2000, 4000), st.floats(-2000, 4000))


@given(viewports, pixels)
def test_there_and_back(viewport, pixel):
    back = viewport.to_picture(viewport.to_widget(*pixel))
    assert back == pytest.approx(pixel, abs=1e-9 / min(viewport.zoom, 1.0))


@given(viewports, pixels)
def test_qts_transform_is_the_same_map_to_a_billionth(viewport, pixel):
    mapped, ours = viewport.transform().map(QPointF(*pixel)), viewport.to_widget(*pixel)
    assert mapped.x() == pytest.approx(ours.x(), abs=1e-9)
    assert mapped.y() == pytest.approx(ours.y(), abs=1e-9)


@given(viewports, st.floats(0.2, 5.0), st.tuples(st.floats(0, 1600), st.floats(0, 1200)))
def test_the_point_under_the_cursor_stays(viewport, factor, at):
    point = QPointF(*at)
    before, after = viewport.to_picture(point), viewport.zoomed(factor, point, 1664).to_picture(point)
    assert after == pytest.approx(before, abs=1e-6)


def test_zoom_has_ends():
    viewport = Viewport(zoom=1.0)
    assert viewport.zoomed(1e9, QPointF(), 1664).zoom == LARGEST_ZOOM
    assert viewport.zoomed(1e-9, QPointF(), 1600).zoom == SMALLEST_SIDE / 1600


def test_fitted_shows_all_of_it_in_the_middle():
    area = QRectF(0, 26, 800, 600)
    viewport = Viewport.fitted(400, 400, area)
    outer = viewport.outer(400, 400)
    assert outer.center() == area.center()
    assert outer.height() == pytest.approx(600)
    assert viewport.to_picture(outer.topLeft()) == pytest.approx((-0.5, -0.5))
