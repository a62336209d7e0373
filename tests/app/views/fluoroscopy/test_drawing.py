"""What is on the screen is where the numbers say, at any zoom, pan and device pixel ratio."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QRegion
from PySide6.QtWidgets import QWidget

from app.views.fluoroscopy import BodyOverlay, OverlayStyle
from app.views.fluoroscopy.paths import loops_of_segments, path_of_loops, path_of_segments
from app.views.fluoroscopy.picture_layer import PictureLayer
from app.views.fluoroscopy.viewport import Viewport
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.imaging.window_level import apply_window, window_table
from tests.app.views.fluoroscopy.conftest import box, polygon_overlay


def drawn(widget: QWidget, ratio: float = 1.0) -> np.ndarray:
    """The widget as (h, w, 3) screen pixels."""
    size = widget.size() * ratio
    image = QImage(size, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    widget.render(image, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
    return pixels_of(image)


def pixels_of(image: QImage) -> np.ndarray:
    raw = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return raw[:, : image.width(), 2::-1].copy()


def layer_drawn(layer: PictureLayer, viewport: Viewport, width: int, height: int, ratio: float) -> np.ndarray:
    image = QImage(round(width * ratio), round(height * ratio), QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor("red"))
    painter = QPainter(image)
    layer.draw(painter, viewport, QRectF(0, 0, width, height), ratio)
    painter.end()
    return pixels_of(image)


def line_centre(profile: np.ndarray) -> float:
    """Centre of the one line that a profile crosses, in screen coordinates (outer corner at 0)."""
    return float((profile * (np.arange(len(profile)) + 0.5)).sum() / profile.sum())


def test_a_projected_point_and_where_it_is_drawn_agree_to_a_billionth(view):
    seen = View(
        name="A",
        camera_from_world=Rigid.from_euler([4.0, -7.0, 11.0], [3.0, -2.0, 900.0]),
        focal_px=(1200.0, 1190.0),
        principal_px=(201.3, 148.8),
        width_px=400,
        height_px=300,
    )
    points = np.random.default_rng(0).uniform(-60, 60, (50, 3))
    path = path_of_segments(np.stack([seen.project(points[:-1]), seen.project(points[1:])], axis=1))
    for factor, at in ((1.0, (10, 50)), (3.7, (300, 200)), (0.21, (50, 400)), (9.0, (600, 500))):
        view.zoom_by(factor, QPointF(*at))
        view.pan_by(0.37, -11.9)
        mapped = view.viewport.transform().map(path)
        for index, pixel in enumerate(seen.project(points)):
            element, expected = mapped.elementAt(index), view.widget_from_picture(pixel)
            zoom, left, top = view.viewport.zoom, view.viewport.left, view.viewport.top
            assert element.x == pytest.approx(left + zoom * (pixel[0] + 0.5), abs=1e-9)
            assert element.y == pytest.approx(top + zoom * (pixel[1] + 0.5), abs=1e-9)
            assert (expected.x(), expected.y()) == pytest.approx((element.x, element.y), abs=1e-9)
            assert view.picture_from_widget(expected) == pytest.approx(tuple(pixel), abs=1e-9)


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_an_outline_is_drawn_around_its_coordinates(view, ratio):
    view.set_picture(np.zeros((300, 400), dtype=np.uint8))
    view.set_overlays([])
    view.zoom_by(1.31, QPointF(200, 180))
    view.pan_by(5.4, -3.3)
    before = drawn(view, ratio)
    view.set_overlays([polygon_overlay("mark", box(150, 90, 250, 190), colour="#ff0000", selected=True)])
    changed = np.abs(drawn(view, ratio).astype(float) - before).sum(axis=2)
    middle = view.widget_from_picture((200, 140)) * ratio
    row, column = changed[int(middle.y())], changed[:, int(middle.x())]
    for pixel, across in (((150, 140), row[: int(middle.x())]), ((200, 90), column[: int(middle.y())])):
        at = view.widget_from_picture(pixel) * ratio
        assert line_centre(across) == pytest.approx(at.x() if pixel[1] == 140 else at.y(), abs=0.02)


@pytest.mark.parametrize("ratio", [1.0, 1.25, 2.0])
@pytest.mark.parametrize("zoom", [0.31, 0.77, 1.0, 2.6, 9.0])
def test_the_picture_lies_where_the_overlay_does(ratio, zoom):
    """A bright square of the picture and an outline of its border have the same centre on the screen."""
    picture = np.full((200, 240), 20, dtype=np.uint8)
    picture[94:106, 114:126] = 250
    layer, viewport = PictureLayer(), Viewport(zoom=zoom, left=150.3 - 120 * zoom, top=120.7 - 100 * zoom)
    layer.set_picture(picture)
    layer.set_window(0, 255)
    pixels = layer_drawn(layer, viewport, 300, 240, ratio)
    weight = np.where(pixels[:, :, 0] == pixels[:, :, 1], pixels[:, :, 1].astype(float) - 20, 0.0).clip(min=0)
    v, u = np.mgrid[: weight.shape[0], : weight.shape[1]] + 0.5
    middle = viewport.to_widget(119.5, 99.5)
    assert (weight * u).sum() / weight.sum() / ratio == pytest.approx(
        middle.x(), abs=0.05 if zoom < 6 else 0.51 / ratio
    )
    assert (weight * v).sum() / weight.sum() / ratio == pytest.approx(
        middle.y(), abs=0.05 if zoom < 6 else 0.51 / ratio
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_at_its_own_size_every_pixel_is_the_tables(dtype):
    picture = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (90, 120)).astype(dtype)
    low, high = 0.2 * np.iinfo(dtype).max, 0.7 * np.iinfo(dtype).max
    layer = PictureLayer()
    layer.set_picture(picture)
    for inverted in (False, True):
        layer.set_window(low, high)
        layer.set_inverted(inverted)
        pixels = layer_drawn(layer, Viewport(zoom=1.0, left=10, top=5), 150, 100, 1.0)
        expected = apply_window(picture, window_table(low, high, dtype, inverted=inverted))
        np.testing.assert_array_equal(pixels[5:95, 10:130, 0], expected)
        assert (pixels[:5] == (255, 0, 0)).all(), "nothing is drawn beside the picture"


def test_a_small_picture_of_a_large_one_is_averaged_not_skipped():
    """Fine stripes must become even grey, not coarse false stripes."""
    picture = np.zeros((1600, 1664), dtype=np.uint8)
    picture[:, ::2] = 200
    layer = PictureLayer()
    layer.set_picture(picture)
    layer.set_window(0, 255)
    for zoom in (0.9, 0.61, 0.43, 0.2):
        pixels = layer_drawn(layer, Viewport(zoom=zoom), 300, 300, 1.0)[10:-10, 10:-10, 0]
        assert pixels.mean() == pytest.approx(100, abs=3)
        assert pixels.std() < 45, "of 100 for the stripes themselves"


def test_edges_replace_the_picture(view):
    plain = drawn(view)
    view.set_edges(True)
    assert (drawn(view) != plain).mean() > 0.2
    view.set_edges(False)
    np.testing.assert_array_equal(drawn(view), plain)


def test_a_picture_without_a_window_uses_its_own_percentiles(qtbot):
    layer = PictureLayer()
    layer.set_picture((np.arange(10000) % 2000).reshape(100, 100).astype(np.uint16) + 1000)
    low, high = layer.window
    assert 1000 <= low < 1030
    assert 2970 < high <= 3000


@pytest.mark.parametrize(("origin", "scale"), [((0.0, 0.0), 2.0), ((40.0, 20.0), 1.0), ((0.0, 0.0), None)])
def test_a_simulated_xray_lies_on_its_pixels(view, origin, scale):
    """A block of material at columns 100..199, rows 60..139 of the picture."""
    side = 2 if scale != 1.0 else 1
    shape = (150, 200) if side == 2 else (280, 360)
    xray = np.zeros(shape, dtype=np.float32)
    left, top = int((100 - origin[0]) / side), int((60 - origin[1]) / side)
    xray[top : top + 80 // side, left : left + 100 // side] = 30.0
    overlay = polygon_overlay(
        "block",
        box(99.5, 59.5, 199.5, 139.5),
        style=OverlayStyle.XRAY,
        xray=xray,
        xray_origin_px=origin,
        xray_scale=scale,
    )
    view.set_overlays([])
    without = drawn(view).astype(int)
    view.set_overlays([overlay])
    changed = np.abs(drawn(view) - without).max(axis=2) > 25
    rows, columns = np.nonzero(changed)
    corner, other = view.widget_from_picture((99.5, 59.5)), view.widget_from_picture((199.5, 139.5))
    assert columns.min() == pytest.approx(corner.x(), abs=2)
    assert columns.max() + 1 == pytest.approx(other.x(), abs=2)
    assert rows.min() == pytest.approx(corner.y(), abs=2)
    assert rows.max() + 1 == pytest.approx(other.y(), abs=2)


def test_styles_draw_what_they_say(view):
    def covered(**looks) -> float:
        view.set_overlays([])
        without = drawn(view).astype(int)
        view.set_overlays([polygon_overlay("body", box(100, 60, 300, 240), **looks)])
        return float((np.abs(drawn(view) - without).max(axis=2) > 12).mean())

    outline, fill = covered(style=OverlayStyle.OUTLINE), covered(style=OverlayStyle.FILL)
    assert 0 < outline < 0.05
    assert fill > 0.2
    assert covered(style=OverlayStyle.OFF) == 0
    assert covered(style=OverlayStyle.FILL, opacity=0.0) == 0


def test_contours_inside_the_shadow_are_paler_than_its_border(view):
    outer, inner = box(60, 40, 340, 260), box(150, 100, 250, 200)
    segments = np.concatenate([np.stack([c, np.roll(c, -1, axis=0)], axis=1) for c in (outer, inner)])
    view.set_picture(np.zeros((300, 400), dtype=np.uint8))
    view.set_overlays([BodyOverlay(name="b", colour="#ffffff", segments_px=segments, outline_path_px=(outer, inner))])
    pixels = drawn(view)[:, :, 1].astype(int)
    x = round(view.widget_from_picture((200, 0)).x())
    border, contour = (round(view.widget_from_picture((0, v)).y()) for v in (40, 100))
    assert pixels[border - 2 : border + 3, x].max() > 1.5 * pixels[contour - 2 : contour + 3, x].max() > 60


def test_hidden_overlays_leave_the_picture_alone(view):
    shown = drawn(view)
    view.set_overlay_hidden(True)
    hidden = drawn(view)
    assert (hidden != shown).any()
    view.set_overlay_hidden(False)
    np.testing.assert_array_equal(drawn(view), shown)


def test_marks_are_drawn_and_taken_away(view):
    for setter, value in (
        (view.set_epipolar_line, np.array([[0.0, 20.0], [399.0, 280.0]])),
        (view.set_cursor_mark, (30.0, 250.0)),
        (view.set_pivot_mark, (160.0, 110.0)),
        (view.set_status, "gNCC 0.81"),
    ):
        before = drawn(view)
        setter(value)
        assert (drawn(view) != before).any()
        setter("" if isinstance(value, str) else None)
        np.testing.assert_array_equal(drawn(view), before)
    before = drawn(view)
    view.set_excluded([[(10, 10), (60, 12), (40, 70)]])
    assert (drawn(view) != before).any()
    view.set_excluded(())
    np.testing.assert_array_equal(drawn(view), before)


def test_an_epipolar_line_that_runs_behind_the_source_is_no_line(view):
    before = drawn(view)
    view.set_epipolar_line(np.array([[np.nan, 20.0], [399.0, 280.0]]))
    np.testing.assert_array_equal(drawn(view), before)
    view.set_epipolar_line(np.array([[-1e12, 20.0], [1e12, 280.0]]))
    assert (drawn(view) != before).any()


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_labels_are_legible_on_any_grey(view, grey):
    view.set_overlays([])
    view.set_picture(np.full((300, 400), grey, dtype=np.uint8))
    view.set_window(0, 255)
    view.fit()
    view.zoom_by(4.0)
    view.set_status("gNCC 0.81")
    corner = drawn(view)[-32:-8, 8:90].max(axis=2).astype(int)
    dark, bright = np.percentile(corner, [20, 99.5])
    assert dark < 110
    assert bright > 220


def test_an_empty_view_says_what_to_do(view):
    view.set_picture(None, "Add a trial: pictures and calibration.")
    said = drawn(view)
    view.set_picture(None, "")
    assert (drawn(view) != said).any()
    centre = said[150:400, 50:590].max(axis=2)
    assert centre.max() > 120, "words are there"


def test_paths_are_the_points_in_order():
    segments = np.array([[[0, 0], [10, 0]], [[10, 0], [10, 10]], [[20, 20], [30, 30.0]]])
    path = path_of_segments(segments)
    assert [(path.elementAt(i).x, path.elementAt(i).y) for i in range(path.elementCount())] == [
        (0, 0),
        (10, 0),
        (10, 10),
        (20, 20),
        (30, 30),
    ]
    assert path.elementAt(3).isMoveTo()
    assert path_of_segments(np.empty((0, 2, 2))).isEmpty()
    twice = path_of_loops([box(0, 0, 10, 10), box(3, 3, 6, 6)])
    assert twice.contains(QPointF(4, 4)), "nonzero winding: a loop inside a loop is no hole"
    assert not twice.contains(QPointF(11, 4))


def test_loops_come_back_from_their_segments_and_open_ones_do_not():
    loops = [box(0, 0, 10, 10), box(30, 3, 36, 9)]
    segments = np.concatenate([np.stack([c, np.roll(c, -1, axis=0)], axis=1) for c in loops])
    for back, loop in zip(loops_of_segments(segments), loops, strict=True):
        np.testing.assert_array_equal(back, loop)
    assert loops_of_segments(segments[:-1]) is None
    assert loops_of_segments(np.empty((0, 2, 2))) == []
