"""Window and level, the proposal bar, messages and the status line."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QDoubleSpinBox, QLabel, QPushButton, QToolButton

from app.views.panels import MessageBar, ProposalBar, ProposalSummary, Severity, StatusLine, WindowLevelPanel
from app.views.panels import apply_theme as dress


@pytest.fixture
def levels(shown):
    panel = shown(WindowLevelPanel(), 300, 280)
    for view in range(2):
        panel.set_histogram(view, np.arange(100), 0.0, 1000.0)
        panel.set_window(view, 200.0, 600.0)
    return panel


def drag(widget, start, end, button=Qt.MouseButton.LeftButton):
    for kind, where in (
        (QEvent.Type.MouseButtonPress, start),
        (QEvent.Type.MouseMove, end),
        (QEvent.Type.MouseButtonRelease, end),
    ):
        held = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseButtonRelease else button
        which = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else button
        point = QPointF(where)
        QApplication.sendEvent(
            widget,
            QMouseEvent(kind, point, widget.mapToGlobal(point), which, held, Qt.KeyboardModifier.NoModifier),
        )


def test_showing_a_window_asks_for_nothing(levels, qtbot):
    with qtbot.assertNotEmitted(levels.window_changed), qtbot.assertNotEmitted(levels.inverted_changed):
        levels.set_histogram(0, np.ones(10), 0, 4095)
        levels.set_window(0, 10, 3000)
        levels.set_inverted(0, True)
        levels.set_edges(1, True)
    assert levels.rows[0].slider.value() == pytest.approx((10, 3000))


def test_dragging_the_histogram_moves_the_window(levels, qtbot):
    histogram = levels.rows[1].histogram
    with qtbot.waitSignal(levels.window_changed) as asked:
        drag(histogram, QPoint(50, 20), QPoint(50 + histogram.width() // 10, 20))
    view, low, high = asked.args
    assert view == 1
    assert high - low == pytest.approx(400)
    assert low == pytest.approx(200 + 1000 * (histogram.width() // 10) / histogram.width())


def test_dragging_far_keeps_the_window_inside_and_its_width(levels, qtbot):
    with qtbot.waitSignal(levels.window_changed) as asked:
        drag(levels.rows[0].histogram, QPoint(50, 20), QPoint(5000, 20))
    assert asked.args == [0, pytest.approx(600), pytest.approx(1000)]


def test_right_drag_narrows_but_never_turns_the_window_over(levels, qtbot):
    with qtbot.waitSignal(levels.window_changed) as asked:
        drag(levels.rows[0].histogram, QPoint(200, 20), QPoint(-900, 20), Qt.MouseButton.RightButton)
    assert asked.args[1] < asked.args[2]


def test_the_slider_asks(levels, qtbot):
    with qtbot.waitSignal(levels.window_changed) as asked:
        levels.rows[0].slider.setValue((100, 900))
    assert asked.args == [0, 100.0, 900.0]


@pytest.mark.parametrize(
    ("button", "signal", "answer"),
    [("auto", "auto_requested", [1]), ("invert", "inverted_changed", [1, True]), ("edges", "edges_changed", [1, True])],
)
def test_buttons_ask_for_their_view(levels, qtbot, button, signal, answer):
    with qtbot.waitSignal(getattr(levels, signal)) as asked:
        qtbot.mouseClick(getattr(levels.rows[1], button), Qt.MouseButton.LeftButton)
    assert asked.args == answer


def test_without_a_picture_the_row_is_off(levels):
    levels.set_histogram(1, (), 0, 1)
    assert not levels.rows[1].isEnabled()
    levels.set_view_count(1)
    assert not levels.rows[1].isVisible()


def summary(**changes):
    fields = {
        "title": "femur, frame 12",
        "new_scores": (0.81, 0.79),
        "old_scores": (0.42, 0.80),
        "moved_mm": 2.345,
        "turned_deg": 1.2,
    }
    return ProposalSummary(**(fields | changes))


@pytest.fixture
def bar(shown, hints):
    bar = shown(ProposalBar(), 1000, 60)
    bar.set_hints(hints)
    bar.set_gate(0.7)
    bar.show_proposal(summary(), waiting=12, above=9)
    return bar


def text_of(widget):
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def test_a_proposal_shows_old_and_new_scores_and_the_difference(bar):
    told = text_of(bar)
    for part in ("femur, frame 12", "0.42", "0.81", "0.80", "0.79", "2.35 mm", "1.20 deg"):
        assert part in told


def test_a_proposal_without_old_scores_and_with_one_view(bar):
    bar.show_proposal(summary(new_scores=(0.5,), old_scores=(), moved_mm=None, turned_deg=None))
    assert "0.50" in text_of(bar)


def test_doubt_and_replacement_are_said(bar):
    bar.show_proposal(summary(trusted=False, outcome="a mirrored pose fits equally well", replaces_judged=True))
    assert "In doubt: a mirrored pose fits equally well." in text_of(bar)
    assert "person placed or accepted" in text_of(bar)


@pytest.mark.parametrize(
    ("label", "action"),
    [
        ("Accept", "proposal.accept"),
        ("Reject", "proposal.reject"),
        ("Accept 9 above", "proposal.accept_good"),
        ("Reject all", "proposal.reject_all"),
    ],
)
def test_the_bar_asks(bar, qtbot, label, action):
    button = next(b for b in bar.findChildren(QPushButton) if b.text() == label)
    with qtbot.waitSignal(bar.action_requested) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == [action]


def test_the_gate_can_be_set_and_asks(bar, qtbot):
    box = bar.findChild(QDoubleSpinBox)
    assert box.value() == pytest.approx(0.7)
    with qtbot.waitSignal(bar.gate_changed) as asked:
        box.setFocus()
        qtbot.keyClick(box, Qt.Key.Key_Up)
    assert asked.args == [pytest.approx(0.75)]


def test_the_bar_goes_when_nothing_waits(bar):
    bar.show_proposal(None, waiting=3, above=1)
    assert bar.isVisible()
    assert "3 proposals wait in other frames" in text_of(bar)
    bar.show_proposal(None)
    assert not bar.isVisible()


def test_colours_follow_the_theme(bar, qapp, theme):
    dress(qapp, dark=True)
    dark = bar._scores.text()
    dress(qapp, dark=False)
    assert bar._scores.text() != dark


@pytest.fixture
def messages(shown):
    return shown(MessageBar(), 600, 10)


def test_messages_appear_newest_first_and_at_most_three(messages):
    for number in range(5):
        messages.show_message(f"message {number}", Severity.WARNING)
    assert [message.text for message in messages.messages] == ["message 4", "message 3", "message 2"]
    assert messages.isVisible()


def test_the_same_message_is_not_repeated(messages):
    messages.show_message("the disk is full", Severity.ERROR)
    messages.show_message("other", Severity.ERROR)
    messages.show_message("the disk is full", Severity.ERROR)
    assert [message.text for message in messages.messages] == ["the disk is full", "other"]


def test_a_message_is_closed_by_its_button(messages, qtbot):
    message = messages.show_message("careful", Severity.WARNING)
    close = next(b for b in message.findChildren(QToolButton) if b.accessibleName() == "close")
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    assert messages.messages == ()
    assert not messages.isVisible()


def test_information_goes_by_itself_and_errors_stay(messages, qtbot, monkeypatch):
    monkeypatch.setattr("app.views.panels.message_bar._INFO_MS", 30)
    messages.show_message("stays", Severity.ERROR)
    messages.show_message("goes", Severity.INFO)
    qtbot.waitUntil(lambda: len(messages.messages) == 1, timeout=2000)
    assert messages.messages[0].text == "stays"


def test_details_open_and_an_offer_asks(messages, qtbot):
    message = messages.show_message("failed", Severity.ERROR, details="line 1", offer=("file.save_as", "Save a copy"))
    details = next(b for b in message.findChildren(QPushButton) if b.text() == "Details")
    assert "line 1" not in text_of(message)
    qtbot.mouseClick(details, Qt.MouseButton.LeftButton)
    assert details.isChecked()
    offer = next(b for b in message.findChildren(QPushButton) if b.text() == "Save a copy")
    with qtbot.waitSignal(messages.action_requested) as asked:
        qtbot.mouseClick(offer, Qt.MouseButton.LeftButton)
    assert asked.args == ["file.save_as"]


def test_the_status_line_shows_work_and_scores(shown, qtbot):
    line = shown(StatusLine(), 900, 32)
    line.set_activity("Tracking, frame 3 of 9", 0.3, "about 40 s left")
    line.set_scores((0.812, None))
    told = text_of(line)
    for part in ("Tracking, frame 3 of 9", "about 40 s left", "0.81", "–"):
        assert part in told
    cancel = next(b for b in line.findChildren(QToolButton) if b.accessibleName() == "Cancel")
    with qtbot.waitSignal(line.action_requested) as asked:
        qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert asked.args == ["register.cancel"]
    line.set_activity("Ready")
    assert not cancel.isVisible()
