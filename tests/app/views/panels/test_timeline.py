"""The timeline: any number of frames, by wheel, click, drag and typing."""

import time

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QSpinBox

from app.views.panels import FrameState, Lane, Timeline
from app.views.panels.strip_painting import score_range, worst_states


def lane(count, state=FrameState.ACCEPTED, name="femur"):
    return Lane(name=name, colour="#009e73", states=[state] * count, scores=np.full(count, 0.8))


@pytest.fixture
def timeline(shown):
    timeline = shown(Timeline(), 900, 110)
    timeline.set_frames(range(10, 50, 2))
    timeline.set_lanes([lane(20)])
    timeline.set_current(10)
    return timeline


@pytest.fixture
def asked(timeline):
    """What is asked for; the answer is shown, as the presenter does."""
    frames = []
    timeline.frame_requested.connect(frames.append)
    timeline.frame_requested.connect(timeline.set_current)
    return frames


def at(timeline, place):
    strip = timeline.strip
    return QPoint(round(strip.layout_now().x_of(place)), strip.height() // 2)


def wheel(widget, delta):
    where = QPointF(widget.width() / 2, widget.height() / 2)
    event = QWheelEvent(
        where,
        widget.mapToGlobal(where),
        QPoint(),
        QPoint(0, delta),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def move(widget, where):
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        QPointF(where),
        widget.mapToGlobal(QPointF(where)),
        Qt.MouseButton.NoButton,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(widget, event)


def test_a_click_asks_for_the_frame_s_number_not_its_place(timeline, asked, qtbot):
    qtbot.mouseClick(timeline.strip, Qt.MouseButton.LeftButton, pos=at(timeline, 7))
    assert asked == [24]


def test_dragging_scrubs_once_a_frame(timeline, asked, qtbot):
    qtbot.mousePress(timeline.strip, Qt.MouseButton.LeftButton, pos=at(timeline, 3))
    for place in (3, 3, 4, 5, 5, 6):
        move(timeline.strip, at(timeline, place))
    qtbot.mouseRelease(timeline.strip, Qt.MouseButton.LeftButton, pos=at(timeline, 6))
    assert asked == [16, 18, 20, 22]


def test_dragging_past_the_end_stays_at_the_end(timeline, asked, qtbot):
    qtbot.mousePress(timeline.strip, Qt.MouseButton.LeftButton, pos=at(timeline, 18))
    move(timeline.strip, QPoint(5000, 20))
    assert asked == [46, 48]


def test_the_wheel_steps_and_stops_at_both_ends(timeline, asked):
    wheel(timeline.strip, 120)
    assert asked == []
    wheel(timeline.strip, -120)
    wheel(timeline.strip, -60)
    wheel(timeline.strip, -60)
    assert asked == [12, 14]
    wheel(timeline.strip, 120)
    assert asked == [12, 14, 12]


def test_quick_notches_add_up_before_the_answer_comes(timeline):
    frames = []
    timeline.frame_requested.connect(frames.append)
    for _ in range(3):
        wheel(timeline.strip, -120)
    assert frames == [12, 14, 16]


def test_a_typed_number_goes_to_the_nearest_frame(timeline, asked):
    box = timeline.findChild(QSpinBox)
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, "31")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert asked in ([30], [32])
    assert box.value() == asked[0]


def test_showing_asks_for_nothing(timeline, qtbot):
    with qtbot.assertNotEmitted(timeline.frame_requested):
        timeline.set_current(30)
        timeline.set_frames(range(5))
        timeline.set_current(3)


def test_buttons_ask_for_actions(timeline, qtbot, hints):
    timeline.set_hints(hints)
    button = timeline._actions.button("frame.doubtful")
    assert "(N)" in button.toolTip()
    with qtbot.waitSignal(timeline.action_requested) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == ["frame.doubtful"]


def test_the_tooltip_tells_state_and_score(timeline):
    states = [FrameState.AUTO] * 20
    scores = np.full(20, np.nan)
    scores[2] = 0.734
    timeline.set_lanes([Lane(name="femur", colour="#009e73", states=states, scores=scores)])
    assert timeline.strip.describe(2) == "frame 14 (3 of 20)\nfemur: automatic, not looked at, score 0.73"
    assert timeline.strip.describe(3).endswith("not looked at")


def test_a_lane_of_another_length_is_refused(timeline):
    with pytest.raises(ValueError, match="19 states for 20 frames"):
        timeline.set_lanes([lane(19)])


def test_one_bad_frame_among_thousands_stays_visible():
    states = [FrameState.ACCEPTED] * 5000
    states[3333] = FrameState.FAILED
    worst = worst_states(states, 700)
    assert worst.count(FrameState.FAILED) == 1
    assert worst[3333 * 700 // 5000] is FrameState.FAILED


def test_a_dip_among_thousands_stays_visible():
    scores = np.full(5000, 0.9)
    scores[1234] = 0.1
    scores[2000:2100] = np.nan
    low, high = score_range(scores, 500)
    assert low[123] == pytest.approx(0.1)
    assert high[123] == pytest.approx(0.9)
    assert np.isnan(low[205])


@pytest.mark.timing
def test_scrubbing_five_thousand_frames_is_fast(timeline, theme):
    timeline.set_frames(range(5000))
    timeline.set_lanes([lane(5000), lane(5000, FrameState.AUTO, "tibia")])
    timeline.set_current(0)
    timeline.strip.grab()
    began = time.perf_counter()
    for frame in range(0, 5000, 100):
        timeline.set_current(frame)
        timeline.strip.repaint()
    each = (time.perf_counter() - began) / 50
    assert each < 0.016


def test_the_strip_shows_the_current_frame_where_it_is(timeline, theme):
    timeline.set_current(48)
    image = timeline.strip.grab().toImage()
    ratio = image.devicePixelRatio()
    x = round(timeline.strip.layout_now().x_of(19) * ratio)
    columns = [image.pixelColor(x + dx, round(50 * ratio)).name() for dx in (-1, 0, 1)]
    assert theme.text in columns


def test_without_frames_it_says_what_to_do(timeline):
    timeline.set_frames(())
    timeline.set_current(None)
    assert not timeline.findChild(QSpinBox).isEnabled()
    assert timeline.strip.place_at(100) is None
    empty = timeline.strip.grab().toImage()
    inks = {empty.pixelColor(x, y).name() for x in range(0, empty.width(), 2) for y in range(empty.height())}
    assert len(inks) > 1


@pytest.mark.timing
@pytest.mark.parametrize("count", [111, 1000, 5000])
def test_new_states_of_many_frames_are_painted_at_once(timeline, count, theme):
    """Noise is the worst case for a curve; a tracking run repaints it at every frame."""
    timeline.set_frames(range(count))
    noise = np.random.default_rng(0).uniform(0.0, 1.0, count)
    lanes = [Lane(name=name, colour="#009e73", states=[FrameState.AUTO] * count, scores=noise) for name in "ab"]
    timeline.set_lanes(lanes)
    timeline.strip.repaint()
    spent = []
    for _ in range(5):
        began = time.perf_counter()
        timeline.set_lanes(lanes)
        timeline.strip.repaint()
        spent.append(time.perf_counter() - began)
    assert np.median(spent) < 0.1
