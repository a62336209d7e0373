"""The window at work on a study on the disk, with real events: edit, undo, register, accept, track, cancel, files."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QElapsedTimer, QEvent, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.state.live import Origin
from core.io.study.file import StudyFile
from core.study.values import PoseKey, PoseStatus
from tests.app.shell.window_scene import FRAMES, KEY, MESHES, START, TRUTH, Answers, make_study, make_window


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def answers():
    return Answers()


@pytest.fixture
def place(pristine, tmp_path):
    return Path(shutil.copytree(pristine.parent, tmp_path / "scene")) / pristine.name


@pytest.fixture
def built(qapp, qtbot, tmp_path, answers):
    made = make_window(qapp, tmp_path, answers)
    with qtbot.waitExposed(made.window):
        made.window.show()
    yield made
    made.workbench.shut()
    made.window.allow_close()
    made.window.close()
    made.window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def bench(built, place, qtbot):
    assert built.workbench.files.open_path(place)
    qtbot.waitUntil(lambda: built.workbench.settled, timeout=20_000)
    qtbot.wait(50)
    return built.workbench


def stored(bench, key=KEY):
    return bench.session.document.study.poses.get(key)


def on_disk(place, key=KEY):
    with StudyFile.open(place, read_only=True) as file:
        return file.study.poses.get(key)


def last_action(place):
    with StudyFile.open(place, read_only=True) as file:
        return file.journal(last=1)[0].action


def press(bench, key, modifiers=Qt.KeyboardModifier.NoModifier, on=None):
    target = bench.parts.pictures[0] if on is None else on
    target.setFocus()
    QTest.keyClick(target, key, modifiers)


def pivot_error(pose, truth=TRUTH[10]):
    centre = MESHES["implant"].centre_mm[None]
    return float(np.linalg.norm(pose.apply(centre) - truth.apply(centre)))


def test_an_arrow_moves_in_the_active_view_by_the_step_and_one_undo_restores(bench, place, qtbot):
    before = bench.parts.pictures[0]
    view = bench.session.trial.views[0].view
    press(bench, Qt.Key.Key_Right, on=before)
    moved = stored(bench).world_from_body
    shift = view.camera_from_world.rotation @ (moved.translation_mm - START.translation_mm)
    np.testing.assert_allclose(shift, [1.0, 0.0, 0.0], atol=1e-9)
    assert stored(bench).status is PoseStatus.MANUAL
    assert on_disk(place).world_from_body.close_to(moved)
    press(bench, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert stored(bench).world_from_body.close_to(START)
    assert on_disk(place).world_from_body.close_to(START)
    assert last_action(place) == "undo: Nudge implant"


def test_repeats_of_an_arrow_in_quick_succession_are_one_step_of_undo(bench, qtbot):
    for _ in range(4):
        press(bench, Qt.Key.Key_Up)
    assert stored(bench).world_from_body.translation_mm[1] == pytest.approx(START.translation_mm[1] + 4.0)
    bench.binder.run("edit.undo")
    assert stored(bench).world_from_body.close_to(START)
    assert not bench.session.history.stack.canUndo()


def test_comma_and_period_change_the_step(bench):
    press(bench, Qt.Key.Key_Comma)
    assert bench.numbers.step == 0.5
    for _ in range(3):
        press(bench, Qt.Key.Key_Period)
    assert bench.numbers.step == 5.0


def test_keys_typed_into_a_number_do_not_reach_the_shortcuts(bench):
    field = bench.parts.pose.rows.field(0)
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, "-1.25")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert stored(bench).world_from_body.translation_mm[0] == pytest.approx(-1.25)
    np.testing.assert_allclose(stored(bench).world_from_body.translation_mm[1:], START.translation_mm[1:], atol=1e-6)
    assert bench.parts.window.large_view is None
    assert not bench.jobs.busy


def test_registering_proposes_and_accepting_records_it(bench, place, qtbot):
    with qtbot.waitSignal(bench.registered, timeout=20_000):
        press(bench, Qt.Key.Key_R)
    assert stored(bench).world_from_body.close_to(START)
    proposal = bench.session.document.proposals[KEY]
    assert pivot_error(proposal.record.world_from_body) < 0.3
    assert proposal.score > np.mean(proposal.old_scores) + 0.1
    assert bench.session.shown("implant").origin is Origin.PROPOSED
    assert bench.session.shown("implant").ghost.close_to(START)
    assert bench.parts.proposal.isVisible()
    press(bench, Qt.Key.Key_Return)
    record = on_disk(place)
    assert record.status is PoseStatus.ACCEPTED
    assert record.author == "Ada"
    assert record.method == "gauss-newton"
    assert record.score == pytest.approx(proposal.score)
    assert record.covariance is not None
    assert record.details["seed"] == 0
    assert pivot_error(record.world_from_body) < 0.3
    assert last_action(place) == "Accept implant in frame 10"
    bench.binder.run("edit.undo")
    assert on_disk(place).world_from_body.close_to(START)
    assert KEY in bench.session.document.proposals


def test_rejecting_leaves_what_was_there(bench, place, qtbot):
    with qtbot.waitSignal(bench.registered, timeout=20_000):
        press(bench, Qt.Key.Key_R)
    press(bench, Qt.Key.Key_Backspace)
    assert not bench.session.document.proposals
    assert on_disk(place).world_from_body.close_to(START)
    assert last_action(place) == "import"


def test_tracking_proposes_every_frame_and_all_above_the_score_are_accepted_in_one_step(bench, place, qtbot, answers):
    with qtbot.waitSignal(bench.registered, timeout=30_000):
        press(bench, Qt.Key.Key_T)
    keys = [PoseKey("walk", "implant", frame) for frame in FRAMES]
    assert set(bench.session.document.proposals) == set(keys)
    bench.proposals.gate = 0.5
    bench.binder.run("proposal.accept_good")
    for key in keys:
        assert pivot_error(on_disk(place, key).world_from_body, TRUTH[key.frame]) < 0.3
    assert answers.asked == []
    bench.binder.run("edit.undo")
    assert on_disk(place, keys[1]) is None
    bench.binder.run("edit.undo")
    assert not bench.session.document.proposals
    assert not bench.session.history.stack.canUndo()


@pytest.mark.parametrize(("answer", "replaced"), [(0, False), (1, True), (None, False)])
def test_poses_that_a_person_placed_are_replaced_only_after_asking(bench, qtbot, answers, answer, replaced):
    press(bench, Qt.Key.Key_Right)
    by_hand = stored(bench).world_from_body
    with qtbot.waitSignal(bench.registered, timeout=20_000):
        press(bench, Qt.Key.Key_R)
    answers.choices.append(answer)
    bench.proposals.gate = 0.5
    bench.binder.run("proposal.accept_good")
    assert "1 of the 1" in answers.asked[0]
    assert stored(bench).world_from_body.close_to(by_hand) is not replaced


def test_escape_cancels_at_once_and_nothing_comes_after(bench, qtbot):
    with qtbot.waitSignal(bench.jobs.progressed, timeout=20_000):
        press(bench, Qt.Key.Key_T)
    began = time.monotonic()
    press(bench, Qt.Key.Key_Escape)
    assert not bench.jobs.busy
    assert time.monotonic() - began < 0.2
    done = len(bench.session.document.proposals)
    qtbot.wait(600)
    assert len(bench.session.document.proposals) == done
    assert not bench.session.live.moving(Origin.RUNNING)
    assert stored(bench).world_from_body.close_to(START)


def test_taking_hold_of_the_body_cancels_its_registration(bench, qtbot):
    bench.binder.run("register.find")
    assert bench.jobs.busy
    press(bench, Qt.Key.Key_Left)
    assert not bench.jobs.busy
    assert stored(bench).status is PoseStatus.MANUAL


def test_a_picture_that_is_gone_is_told_in_its_view_and_the_rest_works(bench, qtbot, monkeypatch):
    told = {}
    picture = bench.parts.pictures[1]
    original = picture.set_picture

    def listen(image, empty_text=""):
        told["image"], told["text"] = image, empty_text
        original(image, empty_text)

    monkeypatch.setattr(picture, "set_picture", listen)
    trial = bench.session.trial
    bench.session.arrays.forget()
    path = trial.views[1].images[1].path
    kept = path.read_bytes()
    path.unlink()
    try:
        press(bench, Qt.Key.Key_PageDown)
        qtbot.waitUntil(lambda: bench.pictures.frame.number == 11)
        assert told["image"] is None
        assert path.name in told["text"]
        assert bench.pictures.frame.images[0] is not None
        press(bench, Qt.Key.Key_Right)
        assert stored(bench, KEY._replace(frame=11)) is not None
        bench.binder.run("register.frame")
        qtbot.waitUntil(lambda: not bench.jobs.busy, timeout=10_000)
        assert any(path.name in message.text for message in bench.parts.messages.messages)
        press(bench, Qt.Key.Key_PageDown)
        qtbot.waitUntil(lambda: bench.pictures.frame.number == 12)
        assert told["image"] is not None
    finally:
        path.write_bytes(kept)


def test_frames_and_bodies_by_keys(bench):
    press(bench, Qt.Key.Key_PageDown)
    assert bench.session.selection.frame == 11
    press(bench, Qt.Key.Key_PageUp)
    press(bench, Qt.Key.Key_PageUp)
    assert bench.session.selection.frame == 10
    press(bench, Qt.Key.Key_Tab)
    assert bench.session.selection.body == "bone"
    press(bench, Qt.Key.Key_Tab)
    assert bench.session.selection.body == "implant"
    press(bench, Qt.Key.Key_N)
    assert bench.session.selection.frame == 11


def test_one_view_is_shown_alone_and_all_again(bench):
    window = bench.parts.window
    for key, view in ((Qt.Key.Key_1, 0), (Qt.Key.Key_2, 1), (Qt.Key.Key_3, 2)):
        press(bench, key, on=window)
        assert window.large_view == view
    press(bench, Qt.Key.Key_0, on=window)
    assert window.large_view is None
    bench.parts.pictures[1].maximise_requested.emit()
    assert window.large_view == 1
    bench.parts.pictures[1].maximise_requested.emit()
    assert window.large_view is None


def test_the_gizmo_moves_the_body_and_is_one_step_of_undo(bench):
    from app.views.scene import GizmoMotion

    scene = bench.parts.scene
    scene.gizmo_drag_started.emit("implant")
    for share in (0.3, 0.7, 1.0):
        motion = GizmoMotion(
            body="implant",
            translation_world_mm=share * np.array([4.0, 0.0, 0.0]),
            rotation_vector_world_rad=np.zeros(3),
        )
        scene.gizmo_dragged.emit(motion)
    assert stored(bench).world_from_body.close_to(START)
    scene.gizmo_drag_ended.emit(motion)
    np.testing.assert_allclose(
        stored(bench).world_from_body.translation_mm, START.translation_mm + np.array([4.0, 0.0, 0.0]), atol=1e-9
    )
    bench.binder.run("edit.undo")
    assert stored(bench).world_from_body.close_to(START)


def test_copy_and_paste_carry_a_pose_to_another_frame(bench):
    bench.binder.run("pose.copy")
    press(bench, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    bench.binder.run("pose.paste")
    assert stored(bench, KEY._replace(frame=12)).world_from_body.close_to(START)
    bench.binder.run("pose.remove")
    assert stored(bench, KEY._replace(frame=12)) is None


def test_a_locked_axis_is_kept_by_keys(bench):
    bench.numbers.set_frame("view A")
    bench.parts.pose.rows.lock(0).click()
    press(bench, Qt.Key.Key_Right)
    press(bench, Qt.Key.Key_Down)
    view = bench.session.trial.views[0].view
    shift = view.camera_from_world.rotation @ (stored(bench).world_from_body.translation_mm - START.translation_mm)
    np.testing.assert_allclose(shift, [0.0, 1.0, 0.0], atol=1e-9)


def test_a_second_window_is_told_clearly_and_may_look(bench, place, qapp, qtbot, tmp_path):
    answers = Answers(choices=[None, 0])
    (tmp_path / "second").mkdir()
    second = make_window(qapp, tmp_path / "second", answers)
    try:
        assert not second.workbench.files.open_path(place)
        assert "open" in answers.asked[0]
        assert second.workbench.session.document is None
        assert second.workbench.files.open_path(place)
        second.workbench.binder.run("pose.place")
        qtbot.waitUntil(lambda: second.workbench.settled, timeout=20_000)
        second.workbench.binder.run("pose.place")
        assert second.workbench.session.document.study.poses.get(KEY).world_from_body.close_to(START)
        assert any("look at only" in message.text for message in second.workbench.parts.messages.messages)
    finally:
        second.workbench.shut()
        second.window.allow_close()


def test_save_as_goes_on_in_the_copy(bench, place, tmp_path, answers):
    copy = tmp_path / "copy.study"
    answers.paths.append(copy)
    press(bench, Qt.Key.Key_Right)
    bench.binder.run("file.save_as")
    assert bench.files.path == copy
    first = stored(bench).world_from_body
    press(bench, Qt.Key.Key_Right)
    assert on_disk(place).world_from_body.close_to(first)
    assert on_disk(copy).world_from_body.close_to(stored(bench).world_from_body)
    assert not on_disk(copy).world_from_body.close_to(first)


def test_closing_the_window_closes_the_study_and_remembers_it(built, bench, place):
    built.window.close()
    assert not built.window.isVisible()
    assert bench.session.preferences.left_open is None
    assert bench.session.preferences.recent == (place,)
    with StudyFile.open(place) as file:
        assert file.interrupted is None


def longest_wait_ms(bench, qtbot):
    bench.frames.first()
    qtbot.wait(500)
    waits, clock, timer = [], QElapsedTimer(), QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: waits.append(clock.restart()))
    clock.start()
    timer.start()
    with qtbot.waitSignal(bench.registered, timeout=30_000):
        press(bench, Qt.Key.Key_T)
    timer.stop()
    bench.binder.run("proposal.reject_all")
    assert len(waits) > 5
    return max(waits)


@pytest.mark.timing
def test_the_events_of_the_window_wait_less_than_100_ms_while_tracking(bench, qtbot):
    with qtbot.waitSignal(bench.registered, timeout=20_000):
        press(bench, Qt.Key.Key_R)  # kernels are compiled now
    bench.automatic.reject()
    waits = []
    for _ in range(4):  # other programs may take the processors for a moment
        waits.append(longest_wait_ms(bench, qtbot))
        if waits[-1] < 100:
            break
    assert min(waits) < 100, waits


def drag(picture, start, end, button, modifiers=Qt.KeyboardModifier.NoModifier, *, release=True):
    points = [start + (end - start) * share for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    kinds = [QEvent.Type.MouseButtonPress, *[QEvent.Type.MouseMove] * 4]
    if release:
        points, kinds = [*points, end], [*kinds, QEvent.Type.MouseButtonRelease]
    for point, kind in zip(points, kinds, strict=True):
        cause = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else button
        held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else button
        where = picture.mapToGlobal(point.toPoint()).toPointF()
        QApplication.sendEvent(picture, QMouseEvent(kind, point, where, cause, held, modifiers))


def on_the_body(bench, index):
    centre = START.apply(MESHES["implant"].centre_mm[None])
    return bench.parts.pictures[index].widget_from_picture(bench.session.trial.views[index].view.project(centre)[0])


@pytest.mark.parametrize("index", [0, 1])
def test_a_drag_moves_the_body_under_the_cursor_exactly_and_is_one_step_of_undo(bench, place, index):
    picture, view = bench.parts.pictures[index], bench.session.trial.views[index].view
    start = on_the_body(bench, index)
    end = start + QPointF(40.0, -25.0)
    drag(picture, start, end, Qt.MouseButton.LeftButton)
    moved = stored(bench).world_from_body
    centre = MESHES["implant"].centre_mm[None]
    seen = view.project(moved.apply(centre))[0] - view.project(START.apply(centre))[0]
    wanted = np.subtract(picture.picture_from_widget(end), picture.picture_from_widget(start))
    np.testing.assert_allclose(seen, wanted, atol=1e-6)
    depths = [view.depth_mm(pose.apply(centre)[0]) for pose in (START, moved)]
    assert depths[0] == pytest.approx(depths[1])
    assert on_disk(place).method == "drag"
    assert last_action(place) == "Move implant"
    bench.binder.run("edit.undo")
    assert stored(bench).world_from_body.close_to(START)
    assert not bench.session.history.stack.canUndo()


@pytest.mark.parametrize(
    ("button", "modifier", "action"),
    [
        (Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier, "Move along the ray implant"),
        (Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier, "Turn implant"),
        (Qt.MouseButton.RightButton, Qt.KeyboardModifier.ShiftModifier, "Roll implant"),
    ],
)
def test_depth_turn_and_roll_leave_the_pivot_where_it_is_seen(bench, place, button, modifier, action):
    start = on_the_body(bench, 0) + QPointF(12.0, 4.0)
    drag(bench.parts.pictures[0], start, start + QPointF(20.0, 30.0), button, modifier)
    moved, view = stored(bench).world_from_body, bench.session.trial.views[0].view
    centre = MESHES["implant"].centre_mm[None]
    assert not moved.close_to(START, mm=0.5, deg=0.5)
    np.testing.assert_allclose(view.project(moved.apply(centre)), view.project(START.apply(centre)), atol=1e-5)
    assert last_action(place) == action


def test_escape_in_the_middle_of_a_drag_puts_the_body_back(bench, place):
    picture, start = bench.parts.pictures[0], on_the_body(bench, 0)
    picture.setFocus()
    drag(picture, start, start + QPointF(30.0, 30.0), Qt.MouseButton.LeftButton, release=False)
    assert bench.session.live.moving(Origin.BY_HAND)
    QTest.keyClick(picture, Qt.Key.Key_Escape)
    assert bench.session.shown("implant").pose.close_to(START)
    drag(picture, start, start, Qt.MouseButton.LeftButton)
    assert stored(bench).world_from_body.close_to(START)
    assert last_action(place) == "import"


_CRASHING = """
import os, signal, sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
from tests.app.shell.window_scene import Answers, make_window
application = QApplication([])
built = make_window(application, Path(sys.argv[1]), Answers())
bench = built.workbench
assert bench.files.open_path(Path(sys.argv[2]))
while not bench.settled:
    application.processEvents()
for _ in range(3):
    bench.binder.run("pose.right")
bench.editor.begin("implant")
bench.editor.move(bench.session.shown("implant").pose.shifted([50.0, 0.0, 0.0]))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_kill_everything_up_to_the_last_step_is_there_and_told(built, place, tmp_path, qtbot):
    (tmp_path / "crash").mkdir()
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "QT_QPA_PLATFORM": "offscreen"}
    ended = subprocess.run(
        [sys.executable, "-c", _CRASHING, str(tmp_path / "crash"), str(place)],
        cwd=root,
        env=environment,
        timeout=120,
        check=False,
        capture_output=True,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    bench = built.workbench
    assert bench.files.open_path(place)
    assert any("ended without closing" in message.text for message in bench.parts.messages.messages)
    shift = stored(bench).world_from_body.translation_mm - START.translation_mm
    assert np.linalg.norm(shift) == pytest.approx(3.0)
    qtbot.waitUntil(lambda: bench.settled, timeout=20_000)


def test_every_action_has_its_own_keys():
    from app.commands.actions import ACTIONS

    keys = [key for action in ACTIONS for key in action.keys]
    assert len(keys) == len(set(keys))
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
