"""Finding, regions, candidates, uncertainty and comparisons in the window, with real mouse and key events."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.presenters.uncertainty import WITHIN, factor_for, within_reach
from app.workers import jobs
from core.imaging.metal import mask_of_polygon
from core.io.study.file import StudyFile
from core.registration.values import Outcome, Solution, Step
from core.rendering.coverage import coverage
from core.study.values import PoseKey, PoseRecord, PoseStatus
from tests.app.shell.window_scene import KEY, START, TRUTH, Answers, make_study, make_window

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    return make_study(tmp_path_factory.mktemp("scene"))


@pytest.fixture
def place(pristine, tmp_path):
    return Path(shutil.copytree(pristine.parent, tmp_path / "scene")) / pristine.name


@pytest.fixture
def bench(qapp, qtbot, tmp_path, place):
    made = make_window(qapp, tmp_path, Answers())
    with qtbot.waitExposed(made.window):
        made.window.show()
    assert made.workbench.files.open_path(place)
    qtbot.waitUntil(lambda: made.workbench.settled, timeout=20_000)
    qtbot.wait(50)
    yield made.workbench
    made.workbench.shut()
    made.window.allow_close()
    made.window.close()
    made.window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def press(bench, key, modifiers=Qt.KeyboardModifier.NoModifier, view=0):
    picture = bench.parts.pictures[view]
    picture.setFocus()
    QTest.keyClick(picture, key, modifiers)


def mouse(widget, kind, at, *, held=True):
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind is QEvent.Type.MouseMove else left
    now = left if held else none
    point = QPointF(at)
    event = QMouseEvent(kind, point, widget.mapToGlobal(point), button, now, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(widget, event)


def click_corners(picture, corners):
    for corner in corners:
        at = picture.widget_from_picture(corner)
        mouse(picture, QEvent.Type.MouseButtonPress, at)
        mouse(picture, QEvent.Type.MouseButtonRelease, at, held=False)
    QTest.keyClick(picture, Qt.Key.Key_Return)


def on_disk(place):
    with StudyFile.open(place, read_only=True) as file:
        return file.study.regions


CORNERS = ((20.0, 30.0), (120.0, 32.0), (70.0, 110.0))


def test_a_polygon_around_the_shadow_is_kept_shown_and_undone(bench, place):
    press(bench, Qt.Key.Key_G)
    click_corners(bench.parts.pictures[0], CORNERS)
    region = bench.session.document.study.region("walk", 0, 10, "implant")
    np.testing.assert_allclose(region.corners_px, CORNERS, atol=1e-9)
    assert [mark.corners_px for mark in bench.parts.pictures[0]._marks.regions] == [region.corners_px]
    assert bench.parts.pictures[1]._marks.regions == ()
    assert on_disk(place) == (region,)
    assert bench.session.trial.views[0].exclusions == ()
    press(bench, Qt.Key.Key_Z, CTRL)
    assert bench.session.document.study.regions == ()
    assert on_disk(place) == ()
    assert bench.parts.pictures[0]._marks.regions == ()


def test_holding_and_drawing_makes_a_lasso(bench):
    picture = bench.parts.pictures[1]
    bench.session.selector.select_view(1)
    press(bench, Qt.Key.Key_G, view=1)
    angles = np.linspace(0.0, 2 * np.pi, 50, endpoint=False)
    points = [picture.widget_from_picture((90 + 50 * np.cos(a), 90 + 40 * np.sin(a))) for a in angles]
    mouse(picture, QEvent.Type.MouseButtonPress, points[0])
    for point in points[1:]:
        mouse(picture, QEvent.Type.MouseMove, point)
    mouse(picture, QEvent.Type.MouseButtonRelease, points[-1], held=False)
    region = bench.session.document.study.region("walk", 1, 10, "implant")
    assert len(region.corners_px) > 15
    mask = bench.regions.masks_of(["implant"])[0]
    assert mask[0] is None
    assert mask[1].sum() == pytest.approx(np.pi * 50 * 40, rel=0.05)
    assert not bench.editor.dragging


def test_the_dark_shadow_is_proposed_and_removed_by_key(bench, qtbot):
    press(bench, Qt.Key.Key_G, SHIFT)
    qtbot.waitUntil(lambda: bool(bench.session.document.study.regions), timeout=20_000)
    (region,) = bench.session.document.study.regions
    view = bench.session.trial.views[0].view
    seen = coverage(bench.session.bodies["implant"].mesh, view, TRUTH[10])
    drawn = mask_of_polygon(region.corners_px, seen.shape)
    # this alloy is translucent where it is thin: the dark part is proposed, and nothing beside the body
    assert (seen & drawn).sum() > 0.95 * drawn.sum()
    assert drawn.sum() > 0.25 * seen.sum()
    press(bench, Qt.Key.Key_G, CTRL)
    assert bench.session.document.study.regions == ()


def solution_at(pose, *, rivals=()):
    return Solution(
        poses=(pose,),
        covariance=np.eye(6) * 0.01,
        outcome=Outcome.AMBIGUOUS if rivals else Outcome.CONVERGED,
        cost=0.1,
        view_scores=(0.9, 0.8),
        trace=(),
        evaluations=1,
        seconds=0.0,
        rivals=tuple((rival,) for rival in rivals),
    )


class Found:
    """A search that remembers what it was asked and finds the truth."""

    def __init__(self, solution):
        self.solution, self.asked = solution, None

    def __call__(self, problem, masks=None, *, prior=None, prior_deg=None, recipe=None):
        self.asked = (masks, prior, prior_deg)
        yield Step(stage="rotations", fraction=0.5, poses=self.solution.poses, cost=0.5)
        return self.solution


def test_finding_needs_no_pose_and_begins_from_the_drawn_region(bench, qtbot, monkeypatch):
    found = Found(solution_at(TRUTH[10]))
    monkeypatch.setattr(jobs, "find_poses", found)
    bench.pose.remove()
    assert not bench.session.document.study.poses.of("walk", "implant")
    press(bench, Qt.Key.Key_G)
    click_corners(bench.parts.pictures[0], CORNERS)
    bench.choice._put("find_prior_deg", 30.0)
    with qtbot.waitSignal(bench.registered, timeout=20_000):
        press(bench, Qt.Key.Key_F)
    ((mask, nothing),), prior, prior_deg = found.asked
    assert mask.sum() == pytest.approx(0.5 * 100 * 80, rel=0.05)
    assert nothing is None
    assert prior is None
    assert prior_deg is None, "a body put into the middle of the views is no prior"
    assert bench.session.document.proposals[KEY].record.world_from_body.close_to(TRUTH[10])


def test_finding_near_a_known_pose_and_from_dark_metal_only(bench, qtbot, monkeypatch):
    found = Found(solution_at(TRUTH[10]))
    monkeypatch.setattr(jobs, "find_poses", found)
    press(bench, Qt.Key.Key_G)
    click_corners(bench.parts.pictures[0], CORNERS)
    bench.choice._put("find_prior_deg", 60.0)
    bench.choice._put("find_masks", "dark")
    with qtbot.waitSignal(bench.registered, timeout=20_000):
        press(bench, Qt.Key.Key_F)
    masks, prior, prior_deg = found.asked
    assert masks == (None,)
    assert prior[0].close_to(START)
    assert prior_deg == 60.0


def test_an_ambiguous_result_lets_one_choose_and_undo_the_choice(bench, qtbot, monkeypatch):
    rival = TRUTH[10].turned(np.radians([0.0, 0.0, 40.0]), np.zeros(3))
    monkeypatch.setattr(jobs, "find_poses", Found(solution_at(TRUTH[10], rivals=[rival])))
    with qtbot.waitSignal(bench.registered, timeout=20_000):
        press(bench, Qt.Key.Key_F)
    proposal = bench.session.document.proposals[KEY]
    assert len(proposal.candidates) == 2
    assert len(proposal.candidates[1].view_scores) == 2
    buttons = bench.parts.proposal._choices._group.buttons()
    qtbot.waitUntil(lambda: [button.isVisible() for button in buttons] == [True, True])
    assert buttons[0].text().startswith("1 of 2   0.90 / 0.80")
    press(bench, Qt.Key.Key_BracketRight)
    shown = bench.session.shown("implant")
    assert shown.pose.close_to(rival)
    assert shown.others[0].close_to(TRUTH[10])
    assert buttons[1].isChecked()
    qtbot.waitUntil(lambda: "implant (rival 1)" in bench.parts.scene._content.poses)
    press(bench, Qt.Key.Key_Z, CTRL)
    assert bench.session.shown("implant").pose.close_to(TRUTH[10])
    QTest.mouseClick(buttons[1], Qt.MouseButton.LeftButton)
    press(bench, Qt.Key.Key_Return)
    assert bench.session.document.study.poses.get(KEY).world_from_body.close_to(rival)
    assert not bench.session.document.proposals


def store(bench, frame, *, covariance=None, risk=None, status=PoseStatus.AUTO):
    details = {} if risk is None else {"risk": risk}
    record = PoseRecord(
        world_from_body=TRUTH[frame],
        status=status,
        score=0.9,
        outcome="converged",
        covariance=covariance,
        details=details,
        method="gauss-newton",
    )
    key = PoseKey("walk", "implant", frame)
    bench.session.history.do("Store", bench.session.document.with_poses({key: record}))


def test_the_panel_says_the_interval_and_what_is_not_seen(bench, qtbot):
    view = bench.session.trial.views[0].view
    ray = view.camera_from_world.rotation[2]
    covariance = np.diag([0.01, 0.01, 0.01, *[np.radians(0.2) ** 2] * 3])
    covariance[:3, :3] += 1e4 * np.outer(ray, ray)
    store(bench, 10, covariance=covariance, risk=0.25)
    qtbot.waitUntil(lambda: "In plane" in bench.parts.pose._certainty.text())
    text = bench.parts.pose._certainty.text()
    assert "± 0.16 mm" in text, "1.645 standard deviations of 0.1 mm"
    assert "not seen" in text
    assert "0.33 / 0.33 / 0.33 deg" in text
    assert "25 %" in text


def test_the_ellipsoid_follows_stored_poses_and_goes_when_switched_off(bench, qtbot):
    store(bench, 10, covariance=np.diag([0.04, 0.04, 0.04, 1e-6, 1e-6, 1e-6]))
    press(bench, Qt.Key.Key_U)
    (drawn,) = bench.parts.scene._content._ellipsoids
    middle = TRUTH[10].apply(bench.session.bodies["implant"].pivot_mm[None])[0]
    np.testing.assert_allclose(drawn.centre_world_mm, middle)
    np.testing.assert_allclose(drawn.covariance_mm2, 0.04 * np.eye(3))
    assert "× 100" in bench.parts.scene._canvas._note
    press(bench, Qt.Key.Key_U)
    assert bench.parts.scene._content._ellipsoids == ()
    assert bench.parts.scene._canvas._note == ""


def test_a_needle_is_drawn_as_it_is_and_cut_to_the_room():
    needle = np.diag([0.01, 0.01, 900.0])
    assert factor_for([needle]) == 1.0
    half = WITHIN * np.sqrt(np.diag(within_reach(needle, WITHIN)))
    np.testing.assert_allclose(half, [0.25, 0.25, WITHIN * 30.0], rtol=1e-3)
    half = WITHIN * np.sqrt(np.diag(within_reach(np.diag([0.01, 0.01, 1e9]), WITHIN)))
    assert half[2] == pytest.approx(400.0)


def test_risk_marks_frames_and_the_key_goes_to_the_next_one_above_the_limit(bench, qtbot):
    for frame, risk in ((10, 0.02), (11, 0.04), (12, 0.4)):
        store(bench, frame, risk=risk)
    (lane, _) = bench.parts.timeline.strip._lanes
    assert [state.value for state in lane.states] == ["auto", "auto", "unsure"]
    press(bench, Qt.Key.Key_N, SHIFT)
    assert bench.session.selection.frame == 12
    bench.session.selector.select_frame(10)
    press(bench, Qt.Key.Key_N)
    assert bench.session.selection.frame == 12
    bench.parts.timeline._risk.setValue(3)
    bench.session.selector.select_frame(10)
    press(bench, Qt.Key.Key_N, SHIFT)
    assert bench.session.selection.frame == 11
    assert "risk 40 %" in bench.parts.timeline.strip.describe(2)


def test_the_method_is_remembered_and_used(bench, qtbot, monkeypatch):
    used = []

    def by(name, problem, starts, recipe=None):
        used.append(name)
        yield Step(stage="fit", fraction=0.5, poses=tuple(starts), cost=0.5)
        return replace(solution_at(TRUTH[10]), poses=tuple(starts))

    monkeypatch.setattr(jobs, "register_by", by)
    box = bench.parts.pose.register._method
    assert box.currentData() == "gauss-newton"
    assert box.currentData(Qt.ItemDataRole.ToolTipRole)
    with qtbot.waitSignal(bench.registered, timeout=20_000):
        press(bench, Qt.Key.Key_R)
    assert used == [bench.choice.method] == ["gauss-newton"]
    bench.session.preferences.put("method", "no longer there")
    assert bench.choice.method == "gauss-newton"


def test_what_is_left_is_shown_in_both_views_and_follows_a_move(bench, qtbot):
    press(bench, Qt.Key.Key_S)
    qtbot.waitUntil(lambda: all(p._comparison.difference is not None for p in bench.parts.pictures), timeout=20_000)
    before = bench.parts.pictures[0]._comparison.difference
    press(bench, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: bench.parts.pictures[0]._comparison.difference is not before, timeout=20_000)
    assert bench.binder.action("view.residual").isChecked()
    press(bench, Qt.Key.Key_S)
    assert all(picture._comparison.difference is None for picture in bench.parts.pictures)


def test_edges_beside_the_outline_are_near_at_the_truth(bench, qtbot):
    store(bench, 10)
    press(bench, Qt.Key.Key_C)
    qtbot.waitUntil(lambda: all(picture._comparison.lines for picture in bench.parts.pictures), timeout=20_000)
    (line, *_) = bench.parts.pictures[0]._comparison.lines
    assert np.nanmedian(np.abs(line.distance_mm)) * line.px_per_mm < 1.0
    assert line.px_per_mm == pytest.approx(
        1.0
        / bench.session.trial.views[0].view.millimetres_per_pixel(
            bench.session.trial.views[0].view.depth_mm(TRUTH[10].translation_mm)
        ),
        rel=0.1,
    )
    press(bench, Qt.Key.Key_C)
    assert all(picture._comparison.lines == () for picture in bench.parts.pictures)
