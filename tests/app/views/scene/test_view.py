"""The scene as a widget: mouse, keys, signals, drawing when due, and a clean end."""

import gc
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QToolButton

from app.views.scene import GizmoMode, SceneUnavailableError, SceneView
from app.views.scene.canvas import SceneCanvas
from app.views.scene.gizmo_geometry import Handle

from .scene_samples import bodies, cameras, picture, poses

ROOT = Path(__file__).resolve().parents[4]
PIVOT = np.array([0.0, 0.0, 30.0])
UP_40_PX = np.array([0.0, -40.0])


@pytest.fixture
def view(qtbot):
    made = SceneView()
    qtbot.addWidget(made)
    made.resize(640, 480)
    fill(made)
    with qtbot.waitExposed(made):
        made.show()
    settle(qtbot, made)
    yield made
    made.close()


def fill(made):
    made.set_cameras(cameras())
    made.set_pictures([picture(90), picture(150)])
    made.set_bodies(bodies())
    made.set_poses(poses())


def canvas_of(view) -> SceneCanvas:
    return view.findChild(SceneCanvas)


def settle(qtbot, view):
    """Wait until nothing is drawn any more."""
    canvas = canvas_of(view)
    qtbot.waitUntil(lambda: canvas.resting, timeout=20000)


def mouse(canvas, kind, at, button=Qt.MouseButton.NoButton, held=None, modifiers=Qt.KeyboardModifier.NoModifier):
    point = QPointF(*at)
    where = canvas.mapToGlobal(point)
    held = button if held is None else held
    QApplication.sendEvent(canvas, QMouseEvent(kind, point, where, button, held, modifiers))


def drag(canvas, start, end, button=Qt.MouseButton.LeftButton, steps=5, release=True):
    mouse(canvas, QEvent.Type.MouseButtonPress, start, button)
    for share in np.linspace(0, 1, steps + 1)[1:]:
        at = np.asarray(start) + share * (np.asarray(end) - start)
        mouse(canvas, QEvent.Type.MouseMove, at, held=button)
    if release:
        mouse(canvas, QEvent.Type.MouseButtonRelease, end, button, held=Qt.MouseButton.NoButton)


def wheel(canvas, at, notches):
    event = QWheelEvent(
        QPointF(*at), canvas.mapToGlobal(QPointF(*at)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, event)


def pixels(view) -> np.ndarray:
    image = view.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def seen(canvas, points):
    return canvas._shown().project(np.atleast_2d(points), canvas._size())


def handle_px(canvas, handle, index=-3):
    shapes = canvas.gizmo.shapes(canvas._shown(), canvas._size())
    return next(shape for shape in shapes if shape.handle is handle).points_px[index]


def gizmo_on(view, qtbot, mode=GizmoMode.TRANSLATE):
    view.show_preset("model")
    settle(qtbot, view)
    view.set_gizmo(mode, "femur", PIVOT, np.eye(3))
    return canvas_of(view)


def test_it_shows_pictures_and_bodies_sharp_at_the_widgets_size(view):
    shown = canvas_of(view)
    assert shown.drawn.image.size() == shown.size() * shown.devicePixelRatioF()
    colours = pixels(view)
    assert ((colours[..., 0] > 60) & (colours[..., 0] > 2 * colours[..., 1])).sum() > 20


def test_dragging_an_arrow_sends_one_cumulative_motion(view, qtbot):
    canvas = gizmo_on(view, qtbot)
    started, moved, ended = [], [], []
    view.gizmo_drag_started.connect(started.append)
    view.gizmo_dragged.connect(moved.append)
    view.gizmo_drag_ended.connect(ended.append)
    start = handle_px(canvas, Handle.MOVE_Z)
    shift_px = seen(canvas, PIVOT + np.array([0, 0, 8.0]))[0] - seen(canvas, PIVOT)[0]
    drag(canvas, start, start + shift_px)
    assert started == ["femur"]
    assert len(moved) == 5
    assert [len(ended), ended[0].body] == [1, "femur"]
    assert ended[0].translation_world_mm[:2] == pytest.approx(0.0, abs=1e-9)
    assert ended[0].translation_world_mm[2] == pytest.approx(8.0, rel=0.1)
    amounts = [motion.translation_world_mm[2] for motion in moved]
    assert amounts == sorted(amounts)
    assert canvas.gizmo.grabbed is None


def test_dragging_a_ring_turns(view, qtbot):
    canvas = gizmo_on(view, qtbot, GizmoMode.ROTATE)
    ended = []
    view.gizmo_drag_ended.connect(ended.append)
    centre = seen(canvas, PIVOT)[0]
    start = handle_px(canvas, Handle.TURN_SCREEN, 0)
    turned = centre + np.array([[0, 1], [-1, 0]]) @ (start - centre)
    drag(canvas, start, turned, steps=12)
    assert np.linalg.norm(ended[0].rotation_vector_world_rad) == pytest.approx(np.pi / 2, abs=0.01)
    assert not ended[0].translation_world_mm.any()


def test_escape_takes_the_drag_back(view, qtbot):
    canvas = gizmo_on(view, qtbot)
    moved, ended, cancelled = [], [], []
    view.gizmo_dragged.connect(moved.append)
    view.gizmo_drag_ended.connect(ended.append)
    view.gizmo_drag_cancelled.connect(cancelled.append)
    start = handle_px(canvas, Handle.MOVE_Z)
    drag(canvas, start, start + UP_40_PX, release=False)
    escape = (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier)
    override = QKeyEvent(QEvent.Type.ShortcutOverride, *escape)
    override.ignore()
    QApplication.sendEvent(canvas, override)
    assert override.isAccepted()
    QApplication.sendEvent(canvas, QKeyEvent(QEvent.Type.KeyPress, *escape))
    assert cancelled == ["femur"]
    assert not moved[-1].translation_world_mm.any()
    mouse(canvas, QEvent.Type.MouseButtonRelease, start, Qt.MouseButton.LeftButton)
    assert ended == []
    without_drag = QKeyEvent(QEvent.Type.ShortcutOverride, *escape)
    without_drag.ignore()
    QApplication.sendEvent(canvas, without_drag)
    assert not without_drag.isAccepted()


def test_hiding_the_view_takes_the_drag_back(view, qtbot):
    canvas = gizmo_on(view, qtbot)
    start = handle_px(canvas, Handle.MOVE_Z)
    drag(canvas, start, start + UP_40_PX, release=False)
    with qtbot.waitSignal(view.gizmo_drag_cancelled):
        view.hide()


def test_the_handle_under_the_cursor_lights_up_without_drawing_the_scene_again(view, qtbot):
    canvas = gizmo_on(view, qtbot)
    before, count = pixels(view), len(view.render_times_ms)
    at = handle_px(canvas, Handle.MOVE_Z)
    mouse(canvas, QEvent.Type.MouseMove, at)
    assert canvas.gizmo.hot is Handle.MOVE_Z
    assert np.abs(pixels(view) - before).max() > 60
    assert len(view.render_times_ms) == count
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))
    assert canvas.gizmo.hot is None


def test_a_click_names_the_body_and_a_drag_does_not(view, qtbot):
    canvas = gizmo_on(view, qtbot)
    view.set_gizmo(GizmoMode.NONE, None, PIVOT, np.eye(3))
    clicked = []
    view.body_clicked.connect(clicked.append)
    for name in ("tibia", "femur"):
        at = seen(canvas, poses()[name].translation_mm)[0]
        drag(canvas, at, at + 1.0, steps=2)
    assert clicked == ["tibia", "femur"]
    at = seen(canvas, PIVOT)[0]
    drag(canvas, at, at + 60.0)
    drag(canvas, [4.0, 4.0], [4.0, 4.0], steps=1)
    assert clicked == ["tibia", "femur"]


def test_left_drag_orbits_around_the_bodies(view, qtbot):
    view.show_preset("model")
    settle(qtbot, view)
    canvas = canvas_of(view)
    before = canvas._viewpoint()
    drag(canvas, [30.0, 60.0], [130.0, 60.0])
    after = canvas._viewpoint()
    angle = np.degrees(np.arccos(np.clip(before.back @ after.back, -1, 1)))
    assert 20 < angle < 60
    assert abs(after.right @ [0, 0, 1]) < 1e-9
    # dragging to the right shows more of what is on the left
    assert after.back @ before.right < 0


def test_middle_drag_pans_and_the_wheel_zooms_at_the_cursor(view, qtbot):
    view.show_preset("model")
    settle(qtbot, view)
    canvas = canvas_of(view)
    femur = poses()["femur"].translation_mm
    before = seen(canvas, femur)[0]
    drag(canvas, [30.0, 60.0], [70.0, 90.0], Qt.MouseButton.MiddleButton)
    settle(qtbot, view)
    assert seen(canvas, femur)[0] - before == pytest.approx([40, 30], abs=4)
    before, size = seen(canvas, femur)[0], canvas._size()
    depth = canvas._viewpoint().depth_mm(femur)
    wheel(canvas, before, 3)
    viewpoint = canvas._viewpoint()
    assert viewpoint.depth_mm(femur) < 0.75 * depth
    assert viewpoint.project(femur[None], size)[0] == pytest.approx(before, abs=8)


def test_presets_come_from_the_buttons_and_stay_through_resizing(view, qtbot):
    canvas = canvas_of(view)
    buttons = {button.text(): button for button in view.findChildren(QToolButton)}
    assert list(buttons) == ["Rig", "Model", "A", "B", "Front", "Side", "Top"]
    assert all(button.toolTip() for button in buttons.values())
    qtbot.mouseClick(buttons["A"], Qt.MouseButton.LeftButton)
    assert np.allclose(canvas._viewpoint().eye_mm, cameras()[0].view.source_world_mm)
    view.resize(500, 520)
    assert np.allclose(canvas._viewpoint().eye_mm, cameras()[0].view.source_world_mm)
    drag(canvas, [30.0, 60.0], [90.0, 60.0])
    moved = canvas._viewpoint()
    view.resize(640, 480)
    assert canvas._viewpoint() is moved


def test_moving_a_body_does_not_move_the_camera_or_the_planes(view, qtbot):
    canvas = canvas_of(view)
    before = canvas._viewpoint()
    view.set_poses({**poses(), "femur": poses()["femur"].shifted([80, 0, 0])})
    settle(qtbot, view)
    assert canvas._viewpoint() is before


def test_another_rig_is_framed_anew_but_other_colours_are_not(view):
    canvas = canvas_of(view)
    drag(canvas, [30.0, 60.0], [130.0, 60.0])
    by_hand = canvas._viewpoint()
    view.set_cameras([replace(one, colour="#ffffff") for one in canvas._content.cameras])
    assert canvas._viewpoint() is by_hand
    view.set_cameras(cameras())
    assert canvas._viewpoint() is not by_hand


def test_a_frame_without_poses_in_between_leaves_the_camera_alone(view):
    view.show_preset("model")
    canvas = canvas_of(view)
    before = canvas._viewpoint()
    view.set_poses({})
    view.set_poses({"femur": poses()["femur"].shifted([0, 40, 0])})
    assert canvas._viewpoint() is before


def test_source_buttons_are_offered_for_the_sources_that_are_there(view):
    buttons = {button.text(): button for button in view.findChildren(QToolButton)}
    view.set_cameras(cameras()[:1])
    assert buttons["A"].isEnabled()
    assert not buttons["B"].isEnabled()


def test_a_double_click_on_the_title_asks_for_more_room(view, qtbot):
    with qtbot.waitSignal(view.maximise_requested):
        qtbot.mouseDClick(view.findChild(QLabel), Qt.MouseButton.LeftButton)


def test_many_poses_are_drawn_at_a_bounded_rate_and_the_newest_wins(view, qtbot):
    canvas = canvas_of(view)
    for step in range(200):
        view.set_poses({**poses(), "femur": poses()["femur"].shifted([0, 0.05 * step, 0])})
        QApplication.processEvents()
    drawn_while_moving = len(canvas.drawn.times_ms)
    settle(qtbot, view)
    assert drawn_while_moving < 60
    last = pixels(view)
    view.set_poses({**poses(), "femur": poses()["femur"].shifted([0, 0.05 * 199, 0])})
    settle(qtbot, view)
    assert np.abs(pixels(view) - last).max() < 12


def test_a_hidden_view_draws_nothing(view, qtbot):
    view.hide()
    count = len(view.render_times_ms)
    for step in range(5):
        view.set_poses({**poses(), "femur": poses()["femur"].shifted([0, step, 0])})
        qtbot.wait(30)
    assert len(view.render_times_ms) == count


def test_it_can_be_filled_before_it_is_shown_and_grabbed_unseen(qtbot):
    made = SceneView()
    qtbot.addWidget(made)
    made.resize(320, 240)
    fill(made)
    assert np.ptp(pixels(made)[60:]) > 100
    made.close()


def test_light_and_dark(view, qtbot):
    dark = pixels(view)[40:].mean()
    view.set_background(False)
    settle(qtbot, view)
    assert pixels(view)[40:].mean() > dark + 80


def test_ten_times_opened_and_closed(qtbot):
    import pyvista as pv

    before = set(pv.plotting.plotter._ALL_PLOTTERS)
    for _ in range(10):
        made = SceneView()
        made.resize(200, 160)
        fill(made)
        made.set_gizmo(GizmoMode.ROTATE, "femur", PIVOT, np.eye(3))
        made.show()
        made.grab()
        QApplication.processEvents()
        made.close()
        made.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        del made
        gc.collect()
    left = {name: plotter for name, plotter in pv.plotting.plotter._ALL_PLOTTERS.items() if name not in before}
    assert all(plotter._closed for plotter in left.values())


def test_deleted_without_closing_is_clean_too(qtbot):
    made = SceneView()
    made.resize(200, 160)
    fill(made)
    made.grab()
    drawn = canvas_of(made).drawn
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert drawn._stage is None


def test_without_opengl_the_reason_is_painted_and_all_else_works(qtbot, monkeypatch):
    def no_stage():
        raise SceneUnavailableError("The 3D scene needs OpenGL 3.2, which this computer does not offer.")

    monkeypatch.setattr("app.views.scene.drawn.Stage", no_stage)
    made = SceneView()
    qtbot.addWidget(made)
    made.resize(400, 300)
    blank = pixels(made)[40:].std()
    fill(made)
    made.set_gizmo(GizmoMode.TRANSLATE, "femur", PIVOT, np.eye(3))
    made.show_preset("model")
    made.show()
    QApplication.processEvents()
    assert canvas_of(made).drawn.problem.startswith("The 3D scene needs OpenGL")
    assert pixels(made)[40:].std() > 1
    assert blank > 0
    drag(canvas_of(made), [100.0, 100.0], [150.0, 120.0])
    wheel(canvas_of(made), [100.0, 100.0], 1)
    made.close()


@pytest.mark.skipif(sys.platform != "linux", reason="hides the EGL drivers of Linux")
def test_a_computer_without_any_driver_gets_the_message_not_a_crash(tmp_path):
    code = (
        "from PySide6.QtWidgets import QApplication; from app.views.scene import SceneView\n"
        "app = QApplication([]); view = SceneView(); view.resize(300, 200); view.grab()\n"
        "print(view.problem); view.close()"
    )
    hidden = {
        **os.environ,
        "__EGL_VENDOR_LIBRARY_DIRS": str(tmp_path),
        "QT_QPA_PLATFORM": "offscreen",
        "LD_PRELOAD": "",
    }
    hidden.pop("DISPLAY", None)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=hidden, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "OpenGL" in done.stdout or done.stdout.strip() == "None"
