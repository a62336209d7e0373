"""Every row of the table of mouse gestures, with real events."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from app.views.fluoroscopy import DragKind
from app.views.fluoroscopy.hands import Hand, cursor_for, hand_for
from core.geometry.manipulation import drag_in_plane
from core.geometry.rigid import Rigid
from core.geometry.view import View
from tests.app.views.fluoroscopy.conftest import LEFT, MIDDLE, NONE, RIGHT, box, polygon_overlay

ALT, CTRL, SHIFT = (
    Qt.KeyboardModifier.AltModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)
ON_FEMUR, ON_TIBIA, BESIDE = (140, 100), (260, 220), (30, 250)


class Heard:
    """Everything the view says, in order."""

    def __init__(self, view) -> None:
        self.said: list[tuple] = []
        for name in (
            "drag_started",
            "dragged",
            "drag_ended",
            "drag_cancelled",
            "body_clicked",
            "window_requested",
            "polygon_finished",
            "polygon_cancelled",
            "point_picked",
            "point_cancelled",
            "maximise_requested",
            "ray_step_requested",
        ):
            getattr(view, name).connect(lambda *values, name=name: self.said.append((name, *values)))

    def names(self) -> list[str]:
        return [entry[0] for entry in self.said]

    def last(self, name: str) -> tuple:
        return [entry[1:] for entry in self.said if entry[0] == name][-1]


@pytest.fixture
def heard(view) -> Heard:
    return Heard(view)


@pytest.mark.parametrize(
    ("button", "keys", "kind", "start"),
    [
        (LEFT, NONE, DragKind.IN_PLANE, ON_FEMUR),
        (LEFT, ALT, DragKind.ALONG_RAY, ON_FEMUR),
        (LEFT, ALT, DragKind.ALONG_RAY, BESIDE),
        (RIGHT, NONE, DragKind.TURN, ON_FEMUR),
        (RIGHT, NONE, DragKind.TURN, BESIDE),
        (RIGHT, SHIFT, DragKind.ROLL, ON_FEMUR),
        (RIGHT, SHIFT, DragKind.ROLL, BESIDE),
    ],
)
def test_a_drag_says_what_and_how_far_since_the_press(view, hands, heard, button, keys, kind, start):
    ends = [(start[0] + 7, start[1] - 3), (start[0] + 20, start[1] + 11)]
    hands.drag([hands.at(*start), *(hands.at(*end) for end in ends)], button, keys)
    assert heard.names() == ["drag_started", "dragged", "dragged", "drag_ended"]
    for (_, drag), now in zip(heard.said, [start, *ends, ends[-1]], strict=True):
        assert drag.kind is kind
        assert drag.body == "femur"
        assert drag.start_px == pytest.approx(start, abs=1e-9)
        assert drag.now_px == pytest.approx(now, abs=1e-9)


def test_a_left_drag_beside_the_bodies_moves_nothing(hands, heard):
    hands.drag([hands.at(*BESIDE), hands.at(60, 250), hands.at(90, 240)])
    assert heard.said == []


def test_a_drag_moves_the_body_under_the_cursor_even_if_another_is_selected(hands, heard):
    hands.drag([hands.at(*ON_TIBIA), hands.at(200, 200)])
    assert heard.last("drag_ended")[0].body == "tibia"


def test_a_drag_where_both_are_moves_the_selected_one(hands, heard):
    hands.drag([hands.at(200, 150), hands.at(210, 150)])
    assert heard.last("drag_ended")[0].body == "femur"


def test_the_pivot_ends_up_exactly_as_far_as_the_cursor_went(view, hands, heard):
    seen = View(
        name="A",
        camera_from_world=Rigid.from_euler([4.0, -7.0, 11.0], [3.0, -2.0, 900.0]),
        focal_px=(1200.0, 1190.0),
        principal_px=(201.3, 148.8),
        width_px=400,
        height_px=300,
    )
    view.zoom_by(2.7, hands.at(*ON_FEMUR))
    pose, pivot = Rigid.identity(), np.array([-5.0, 12.0, 3.0])
    start, end = hands.at(*ON_FEMUR), hands.at(*ON_FEMUR) + QPointF(61, -38)
    hands.drag([start, end])
    drag = heard.last("drag_ended")[0]
    moved = drag_in_plane(seen, pose, pivot, *np.subtract(drag.now_px, drag.start_px))
    before = view.widget_from_picture(seen.project(pivot[None])[0])
    after = view.widget_from_picture(seen.project(moved.apply(pivot[None]))[0])
    assert (after - before).x() == pytest.approx(61, abs=1e-9)
    assert (after - before).y() == pytest.approx(-38, abs=1e-9)


def test_zooming_while_dragging_keeps_the_drag_in_pixels(view, hands, heard):
    hands.press(hands.at(*ON_FEMUR))
    hands.move(hands.at(150, 110))
    hands.wheel(hands.at(150, 110), 240)
    hands.move(hands.at(160, 120))
    hands.release(hands.at(160, 120))
    drag = heard.last("drag_ended")[0]
    assert drag.start_px == pytest.approx(ON_FEMUR, abs=1e-9)
    assert drag.now_px == pytest.approx((160, 120), abs=1e-9)


def test_escape_takes_a_drag_back(view, hands, heard):
    assert not hands.wants(Qt.Key.Key_Escape)
    hands.press(hands.at(*ON_FEMUR))
    hands.move(hands.at(160, 110))
    assert view.dragging
    assert hands.wants(Qt.Key.Key_Escape), "the window's own Esc must not take it"
    hands.key(Qt.Key.Key_Escape)
    assert heard.names()[-1] == "drag_cancelled"
    hands.move(hands.at(190, 130))
    hands.release(hands.at(190, 130))
    assert heard.names() == ["drag_started", "dragged", "drag_cancelled"]
    hands.drag([hands.at(*ON_FEMUR), hands.at(160, 110)])
    assert heard.names()[-1] == "drag_ended", "the next drag works again"


def test_another_button_does_not_end_a_drag(hands, heard):
    hands.press(hands.at(*ON_FEMUR))
    hands.move(hands.at(160, 110))
    hands.click(hands.at(160, 110), RIGHT)
    hands.release(hands.at(170, 110))
    assert heard.names().count("drag_started") == 1
    assert heard.last("drag_ended")[0].now_px == pytest.approx((170, 110), abs=1e-9)


def test_a_click_selects_and_a_trembling_hand_still_clicks(hands, heard):
    hands.click(hands.at(*ON_TIBIA))
    hands.press(hands.at(*ON_FEMUR))
    hands.move(hands.at(*ON_FEMUR) + QPointF(1, 1))
    hands.release(hands.at(*ON_FEMUR) + QPointF(1, 1))
    hands.click(hands.at(*BESIDE))
    assert heard.said == [("body_clicked", "tibia"), ("body_clicked", "femur"), ("body_clicked", "")]


def test_a_right_click_does_nothing(hands, heard):
    hands.click(hands.at(*ON_FEMUR), RIGHT)
    assert heard.said == []


def test_the_hit_area_is_thick_on_the_screen_at_any_zoom(view, hands, heard):
    for factor in (0.4, 1.0, 6.0):
        view.fit()
        view.zoom_by(factor, hands.at(100, 110))
        for distance, body in ((5, "femur"), (12, "")):
            hands.click(hands.at(100, 110) - QPointF(distance, 0))
            assert heard.said.pop() == ("body_clicked", body)


def test_hidden_bodies_cannot_be_moved(view, hands, heard):
    view.set_overlay_hidden(True)
    hands.drag([hands.at(*ON_FEMUR), hands.at(160, 110)])
    hands.drag([hands.at(*ON_FEMUR), hands.at(160, 110)], RIGHT)
    assert heard.said == []


def test_the_wheel_zooms_at_the_cursor(view, hands):
    at, before = hands.at(310, 40), view.viewport.zoom
    hands.wheel(at, 120)
    assert view.viewport.zoom == pytest.approx(1.2 * before)
    assert view.picture_from_widget(at) == pytest.approx((310, 40), abs=1e-9)
    hands.wheel(at, -120)
    assert view.viewport.zoom == pytest.approx(before)


def test_the_wheel_with_ctrl_steps_along_the_ray_also_in_parts_of_a_notch(view, hands, heard):
    before = view.viewport
    hands.wheel(hands.at(*ON_FEMUR), 120, CTRL)
    hands.wheel(hands.at(*ON_FEMUR), -240, CTRL)
    for _ in range(8):
        hands.wheel(hands.at(*ON_FEMUR), 30, CTRL)
    assert heard.said == [("ray_step_requested", step) for step in (1, -2, 1, 1)]
    assert view.viewport == before


def test_panning_by_the_middle_button_and_by_space(view, hands, heard):
    before = view.viewport
    hands.drag([QPointF(200, 200), QPointF(230, 215), QPointF(250, 190)], MIDDLE)
    assert (view.viewport.left - before.left, view.viewport.top - before.top) == pytest.approx((50, -10))
    hands.key(Qt.Key.Key_Space, up=False)
    hands.drag([hands.at(*ON_FEMUR), hands.at(*ON_FEMUR) + QPointF(12, 3)])
    hands.key_up(Qt.Key.Key_Space)
    assert view.viewport.left - before.left == pytest.approx(62)
    assert heard.said == []
    hands.drag([hands.at(*ON_FEMUR), hands.at(*ON_FEMUR) + QPointF(12, 3)])
    assert heard.names()[0] == "drag_started"


def test_fit_and_resize(view, hands):
    fitted = view.viewport
    hands.wheel(hands.at(10, 10), 360)
    middle = view.picture_from_widget(view.area().center())
    view.resize(800, 620)
    QApplication.processEvents()
    assert view.picture_from_widget(view.area().center()) == pytest.approx(middle, abs=1e-6)
    view.resize(640, 520)
    view.fit()
    assert view.viewport == fitted
    view.resize(900, 700)
    QApplication.processEvents()
    assert view.viewport.zoom > fitted.zoom, "a fitted picture stays fitted"


def test_another_picture_keeps_zoom_and_pan_and_another_size_is_fitted(view, hands, picture):
    hands.wheel(hands.at(10, 10), 360)
    kept = view.viewport
    view.set_picture(picture[::-1].copy())
    assert view.viewport == kept
    view.set_picture(picture[:100, :100].copy())
    assert view.viewport.outer(100, 100).center() == view.area().center()


def test_plus_and_minus_zoom(view, hands):
    before = view.viewport.zoom
    hands.key(Qt.Key.Key_Plus)
    assert view.viewport.zoom > before
    hands.key(Qt.Key.Key_Minus)
    assert view.viewport.zoom == pytest.approx(before)


def test_the_window_is_asked_for_by_a_right_drag_with_ctrl(view, hands, heard):
    start = hands.at(*ON_FEMUR)
    hands.drag([start, start + QPointF(150, 0)], RIGHT, CTRL)
    low, high = heard.last("window_requested")
    assert high - low == pytest.approx(2 * 36000)
    assert low + high == pytest.approx(52000)
    hands.drag([start, start + QPointF(0, -60)], RIGHT, CTRL)
    low, high = heard.last("window_requested")
    assert high - low == pytest.approx(36000)
    assert 0.5 * (low + high) < 26000, "up is brighter: a lower level"
    hands.press(start, RIGHT, CTRL)
    hands.move(start + QPointF(70, 30), CTRL)
    hands.key(Qt.Key.Key_Escape)
    assert heard.last("window_requested") == (8000, 44000)


def test_the_title_makes_it_large_and_is_no_picture(view, hands, heard):
    hands.double_click(QPointF(100, 10))
    assert heard.said == [("maximise_requested",)]
    hands.double_click(hands.at(*ON_FEMUR))
    assert heard.names() == ["maximise_requested", "body_clicked", "body_clicked"]


def test_the_cursor_tells_its_pixel_and_when_it_leaves(view, hands):
    told = []
    view.cursor_moved.connect(told.append)
    hands.move(hands.at(123.25, 45.5))
    assert told[-1] == pytest.approx((123.25, 45.5), abs=1e-9)
    hands.move(QPointF(5, 5))
    assert told[-1] is None
    hands.move(hands.at(50, 60))
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert told[-1] is None


def test_a_region_is_clicked_and_ended_in_each_way(view, hands, heard):
    corners = [(20, 20), (90, 25), (60, 120)]
    for end in ("enter", "double", "first"):
        view.start_polygon()
        assert hands.wants(Qt.Key.Key_Return)
        for corner in corners[:-1]:
            hands.click(hands.at(*corner))
            hands.move(hands.at(corner[0] + 9, corner[1] + 9))
        if end == "double":
            hands.double_click(hands.at(*corners[-1]))
        else:
            hands.click(hands.at(*corners[-1]))
            if end == "enter":
                hands.key(Qt.Key.Key_Return)
            else:
                hands.click(hands.at(21, 21))
        name, polygon = heard.said.pop()
        assert name == "polygon_finished"
        np.testing.assert_allclose(polygon, corners, atol=1e-9)
        assert heard.said == [], "no body is clicked or moved meanwhile"
        assert not hands.wants(Qt.Key.Key_Return)


def test_a_region_can_be_corrected_cancelled_and_panned_under(view, hands, heard):
    view.start_polygon()
    for corner in ((20, 20), (90, 25), (200, 200)):
        hands.click(hands.at(*corner))
    hands.key(Qt.Key.Key_Return, up=False)
    assert heard.said.pop()[0] == "polygon_finished"
    view.start_polygon()
    for corner in ((20, 20), (90, 25)):
        hands.click(hands.at(*corner))
    hands.key(Qt.Key.Key_Return)
    assert heard.said == [], "two corners are no region"
    hands.click(hands.at(399, 299))
    hands.key(Qt.Key.Key_Backspace)
    hands.drag([QPointF(300, 300), QPointF(320, 310)], MIDDLE)
    hands.click(hands.at(60, 120))
    hands.click(hands.at(70, 130), RIGHT)
    hands.click(hands.at(65, 125))
    hands.key(Qt.Key.Key_Enter)
    np.testing.assert_allclose(heard.last("polygon_finished")[0], [(20, 20), (90, 25), (65, 125)], atol=1e-9)
    view.start_polygon()
    hands.click(hands.at(20, 20))
    hands.key(Qt.Key.Key_Escape)
    assert heard.names()[-1] == "polygon_cancelled"
    hands.click(hands.at(*ON_FEMUR))
    assert heard.said[-1] == ("body_clicked", "femur")


def test_corners_outside_the_picture_are_put_on_its_border(view, hands, heard):
    view.fit()
    view.start_polygon()
    for corner in ((-30, 20), (90, 25), (60, 120)):
        hands.click(hands.at(*corner))
    hands.key(Qt.Key.Key_Return)
    assert heard.last("polygon_finished")[0][0] == pytest.approx((-0.5, 20))


def test_a_point_is_picked_or_not(view, hands, heard):
    view.start_picking("Click the point to turn about")
    assert view.cursor().shape() == Qt.CursorShape.CrossCursor
    hands.click(hands.at(*ON_FEMUR))
    assert heard.said[0][0] == "point_picked"
    assert heard.said[0][1] == pytest.approx(ON_FEMUR, abs=1e-9)
    assert len(heard.said) == 1
    view.start_picking()
    hands.key(Qt.Key.Key_Escape)
    assert heard.names()[-1] == "point_cancelled"


def test_cursors_tell_what_a_drag_will_do(view, hands):
    shapes = {}
    for name, point, keys in (
        ("body", ON_FEMUR, NONE),
        ("beside", BESIDE, NONE),
        ("depth", ON_FEMUR, ALT),
    ):
        hands.move(hands.at(*point), keys)
        shapes[name] = view.cursor().shape()
    assert shapes["body"] == Qt.CursorShape.SizeAllCursor
    assert shapes["beside"] == Qt.CursorShape.ArrowCursor
    assert shapes["depth"] == Qt.CursorShape.BitmapCursor
    hands.key(Qt.Key.Key_Space, up=False)
    assert view.cursor().shape() == Qt.CursorShape.OpenHandCursor
    hands.press(hands.at(*ON_FEMUR))
    assert view.cursor().shape() == Qt.CursorShape.ClosedHandCursor
    hands.release(hands.at(*ON_FEMUR))
    hands.key_up(Qt.Key.Key_Space)
    drawn = [cursor_for(hand, pressed=True).pixmap().toImage() for hand in (Hand.DEPTH, Hand.TURN, Hand.ROLL)]
    assert drawn[0] != drawn[1] != drawn[2]


def test_hands_without_a_body_do_nothing():
    nobody = {"space": False, "on_body": False, "any_body": False}
    assert hand_for(RIGHT, NONE, **nobody) is Hand.NOTHING
    assert hand_for(LEFT, ALT, **nobody) is Hand.NOTHING
    assert hand_for(MIDDLE, NONE, **nobody) is Hand.PAN


def test_an_empty_view_ignores_the_mouse_but_not_its_title(view, hands, heard):
    view.set_picture(None, "Add a trial")
    hands.drag([QPointF(200, 200), QPointF(260, 220)])
    hands.drag([QPointF(200, 200), QPointF(260, 220)], RIGHT)
    hands.wheel(QPointF(200, 200), 120)
    hands.double_click(QPointF(100, 10))
    assert heard.said == [("maximise_requested",)]


def test_tips_explain_the_words_and_leave_the_picture_free(view, hands, qtbot):
    view.set_status("gNCC 0.81")
    view.grab()
    said = {}
    for name, point in (
        ("title", QPoint(60, 10)),
        ("status", QPoint(30, view.height() - 18)),
        ("looks", QPoint(view.width() - 40, view.height() - 18)),
    ):
        QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, point, view.mapToGlobal(point)))
        said[name] = QToolTip.text()
    assert "double-click" in said["title"]
    assert "agrees" in said["status"]
    assert "grey values" in said["looks"]
    point = hands.at(*ON_FEMUR).toPoint()
    QApplication.sendEvent(view, QHelpEvent(QEvent.Type.ToolTip, point, view.mapToGlobal(point)))
    qtbot.waitUntil(lambda: not QToolTip.isVisible())


def test_the_title_says_what_the_mouse_does_here(view, hands):
    hands.move(hands.at(*ON_FEMUR))
    on_body = view.grab().toImage()
    hands.move(hands.at(*BESIDE))
    beside = view.grab().toImage()
    strip = (0, 0, view.width(), 24)
    assert on_body.copy(*strip) != beside.copy(*strip)


def test_the_frame_shows_which_view_has_the_keys(view, qtbot):
    view.setFocus()
    focused = view.grab().toImage()
    view.clearFocus()
    assert view.grab().toImage() != focused


def test_a_new_selection_is_drawn_last(view):
    view.set_overlays(
        [
            polygon_overlay("femur", box(0, 0, 50, 50), selected=True),
            polygon_overlay("tibia", box(0, 0, 50, 50)),
        ]
    )
    assert view._overlays.overlays[-1].name == "femur"
