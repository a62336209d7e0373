"""The pose panel shows what it is given without asking for it back, and asks for what a person does."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton

from app.views.panels import PosePanel, Uncertainty
from app.views.panels.number_field import NumberField
from app.views.panels.pose_panel import STEPS
from app.views.panels.uncertainty_table import InView

VALUES = (-12.3456, 103.2, -0.001, 179.994, -0.4, 12.0)


@pytest.fixture
def panel(shown, hints):
    panel = shown(PosePanel())
    panel.set_hints(hints)
    panel.set_possible(hints)
    panel.set_bodies([("femur", "#009e73"), ("tibia", "#cc79a7")], "femur")
    panel.set_pose(VALUES)
    return panel


def retype(field, text):
    field.setFocus()
    field.selectAll()
    QTest.keyClicks(field, text)


def test_numbers_show_two_decimals_with_units_and_no_minus_zero(panel):
    assert [panel.rows.field(index).text() for index in range(6)] == [
        "-12.35 mm",
        "103.20 mm",
        "0.00 mm",
        "179.99 deg",
        "-0.40 deg",
        "12.00 deg",
    ]


def test_showing_asks_for_nothing(panel, qtbot):
    signals = [panel.value_edited, panel.lock_changed, panel.step_changed, panel.body_chosen, panel.frame_changed]
    asked = []
    for signal in signals:
        signal.connect(lambda *_: asked.append(1))
    panel.set_pose((1, 2, 3, 4, 5, 6))
    panel.set_locks([True] * 6)
    panel.set_step(0.1)
    panel.set_frame("body")
    panel.set_euler("XYZ")
    panel.set_bodies([("tibia", "#cc79a7")], "tibia")
    assert asked == []


@pytest.mark.parametrize(("typed", "meant"), [("5.25", 5.25), ("-7,5", -7.5), ("0", 0.0)])
def test_a_typed_number_is_asked_for_once(panel, qtbot, typed, meant):
    asked = []
    panel.value_edited.connect(lambda *value: asked.append(value))
    retype(panel.rows.field(1), typed)
    assert asked == []
    QTest.keyClick(panel.rows.field(1), Qt.Key.Key_Return)
    panel.rows.field(2).setFocus()
    assert asked == [(1, pytest.approx(meant))]


def test_the_same_number_again_is_no_edit(panel, qtbot):
    with qtbot.assertNotEmitted(panel.value_edited):
        retype(panel.rows.field(1), "103.20")
        QTest.keyClick(panel.rows.field(1), Qt.Key.Key_Return)


def test_a_running_registration_does_not_wipe_what_is_being_typed(panel):
    retype(panel.rows.field(0), "55")
    panel.set_pose((9, 9, 9, 9, 9, 9))
    assert panel.rows.field(0).text().startswith("55")
    assert panel.rows.field(1).text() == "9.00 mm"


@pytest.mark.parametrize("sign", [-1, 1])
def test_step_buttons_ask_for_steps(panel, qtbot, sign):
    with qtbot.waitSignal(panel.stepped) as asked:
        qtbot.mouseClick(panel.rows.stepper(4, sign), Qt.MouseButton.LeftButton)
    assert asked.args == [4, sign]


def test_the_up_key_in_a_field_asks_for_a_step_and_changes_nothing_itself(panel, qtbot):
    field = panel.rows.field(3)
    field.setFocus()
    with qtbot.waitSignal(panel.stepped) as asked:
        QTest.keyClick(field, Qt.Key.Key_Up)
    assert asked.args == [3, 1]
    assert field.text() == "179.99 deg"


def test_the_wheel_over_a_field_without_focus_does_nothing(panel, qtbot):
    panel.rows.field(0).clearFocus()
    field = panel.rows.field(3)
    with qtbot.assertNotEmitted(panel.stepped):
        wheel = QWheelEvent(
            field.rect().center().toPointF(),
            field.mapToGlobal(field.rect().center()).toPointF(),
            QPoint(),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(field, wheel)


def test_a_lock_stops_its_row(panel, qtbot):
    with qtbot.waitSignal(panel.lock_changed) as asked:
        qtbot.mouseClick(panel.rows.lock(2), Qt.MouseButton.LeftButton)
    assert asked.args == [2, True]
    assert not panel.rows.stepper(2, 1).isEnabled()
    with qtbot.assertNotEmitted(panel.value_edited):
        retype(panel.rows.field(2), "4")
        QTest.keyClick(panel.rows.field(2), Qt.Key.Key_Return)


def test_steps_are_shown_and_can_be_changed(panel, qtbot):
    panel.set_step(0.5)
    buttons = {button.text(): button for button in panel.findChildren(QPushButton)}
    assert [buttons[f"{step:g}"].isChecked() for step in STEPS] == [False, True, False, False]
    with qtbot.waitSignal(panel.step_changed) as asked:
        qtbot.mouseClick(buttons["5"], Qt.MouseButton.LeftButton)
    assert asked.args == [5.0]
    assert "5 mm" in panel.rows.stepper(0, 1).toolTip()
    assert "5 deg" in panel.rows.stepper(3, -1).toolTip()


def test_without_a_pose_numbers_are_dashes_and_cannot_be_edited(panel, qtbot):
    panel.set_pose(None)
    assert {panel.rows.field(index).text() for index in range(6)} == {"–"}
    with qtbot.assertNotEmitted(panel.stepped):
        qtbot.mouseClick(panel.rows.stepper(0, 1), Qt.MouseButton.LeftButton)
    panel.set_pose(VALUES)
    assert panel.rows.field(0).text() == "-12.35 mm"


def test_nan_is_a_dash_not_a_number(panel):
    panel.set_pose((float("nan"), 1, 2, 3, 4, 5))
    assert panel.rows.field(0).text() == "–"


def test_uncertainty_is_shown_per_row_and_in_directions(panel):
    doubt = Uncertainty(
        rows=(0.03, 0.04, 0.21, 0.1, 0.2, 0.3),
        views=(InView(name="A", in_plane_mm=0.04, depth_mm=0.21),),
        turns_deg=(0.1, 0.2, 0.3),
    )
    panel.set_uncertainty(doubt)
    assert panel.rows.doubt(2).text() == "± 0.21"
    assert "0.210 mm" in panel.rows.doubt(2).toolTip()
    panel.set_uncertainty(None)
    assert panel.rows.doubt(2).text() == ""


def test_buttons_ask_for_the_table_s_actions(panel, qtbot):
    button = panel.register.buttons.button("register.frame")
    with qtbot.waitSignal(panel.action_requested) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == ["register.frame"]


def test_impossible_actions_are_greyed(panel, qtbot):
    panel.set_possible({"register.cancel"})
    assert not panel.register.buttons.button("register.track").isEnabled()
    assert panel.register.buttons.button("register.cancel").isEnabled()


def test_every_button_s_tooltip_tells_its_key(panel, hints):
    button = panel.register.buttons.button("register.frame")
    assert "(R)" in button.toolTip()
    for every in [*panel.findChildren(QToolButton), *panel.findChildren(QPushButton)]:
        assert every.toolTip(), every.accessibleName()
    for field in panel.findChildren(NumberField):
        assert "(mm)" in field.toolTip() or "(deg)" in field.toolTip()


def test_progress_appears_with_time_left_and_goes(panel, qtbot):
    cancel = panel.register.buttons.button("register.cancel")
    assert not cancel.isVisible()
    panel.register.set_progress(0.4, "coarse", "about 3 s left")
    assert cancel.isVisible()
    with qtbot.waitSignal(panel.action_requested) as asked:
        qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert asked.args == ["register.cancel"]
    panel.register.set_progress(None)
    assert not cancel.isVisible()


def test_one_view_has_no_view_b(panel):
    panel.set_frame("view A")
    panel.set_frames([("world", "World"), ("view A", "View A"), ("body", "Body")])
    assert panel._frame.currentData() == "view A"
    assert panel._frame.findData("view B") == -1


def test_no_number_is_clipped(panel, theme):
    panel.set_pose((-1234.56, 1234.56, -999.99, -179.99, 179.99, -90.0))
    panel.resize(panel.minimumWidth(), 700)
    QApplication.processEvents()
    for index in range(6):
        edit = panel.rows.field(index).lineEdit()
        assert edit.fontMetrics().horizontalAdvance(edit.text()) <= edit.width()
        assert edit.height() >= edit.fontMetrics().height()
