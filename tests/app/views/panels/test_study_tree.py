"""The study panel shows trials and bodies, asks for choices and looks, and says what to do when empty."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.views.panels import BodyRow, StudyTree, TrialRow, ViewRow

TRIALS = (TrialRow(name="walk", frames=111, views=(ViewRow(name="A"), ViewRow(name="B"))),)
BODIES = (
    BodyRow(name="femur", colour="#009e73", notes=("3 holes closed",)),
    BodyRow(name="tibia", colour="#cc79a7", visible=False, style="fill", opacity=0.6),
)


@pytest.fixture
def tree(shown):
    tree = shown(StudyTree(), 240, 500)
    tree.set_study("Knee", TRIALS, BODIES)
    tree.set_chosen("walk", ["femur"])
    return tree


def click(qtbot, tree, kind, name, column=0, modifier=Qt.KeyboardModifier.NoModifier):
    view = tree.tree
    index = view.indexFromItem(tree._items[kind, name], column)
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, modifier, view.visualRect(index).center())


def test_a_click_asks_for_a_trial_a_view_or_a_body(tree, qtbot):
    with qtbot.waitSignal(tree.trial_chosen) as asked:
        click(qtbot, tree, "trial", "walk")
    assert asked.args == ["walk"]
    with qtbot.waitSignal(tree.view_chosen) as asked:
        click(qtbot, tree, "view", "walk\n1")
    assert asked.args == ["walk", 1]
    with qtbot.waitSignal(tree.body_chosen) as asked:
        click(qtbot, tree, "body", "tibia")
    assert asked.args == ["tibia", False]


def test_the_eye_hides_and_shows(tree, qtbot):
    with qtbot.waitSignal(tree.visibility_changed) as asked:
        click(qtbot, tree, "body", "femur", column=1)
    assert asked.args == ["femur", False]
    with qtbot.waitSignal(tree.visibility_changed) as asked:
        click(qtbot, tree, "body", "tibia", column=1)
    assert asked.args == ["tibia", True]


def test_a_click_on_the_eye_survives_the_tree_being_filled_anew(tree, qtbot):
    tree.visibility_changed.connect(lambda *_: tree.set_study("Knee", (), BODIES))
    click(qtbot, tree, "body", "femur", column=1)
    assert ("body", "femur") in tree._items


def test_another_look_keeps_the_rows(tree):
    before = tree._items["body", "femur"]
    tree.set_body_look(BodyRow(name="femur", colour="#d55e00", visible=False, notes=("3 holes closed",)))
    assert tree._items["body", "femur"] is before
    assert "Show femur" in before.toolTip(1)


def test_what_is_chosen_is_selected_and_the_active_one_bold(tree):
    tree.set_chosen("walk", ["tibia", "femur"])
    femur, tibia = tree._items["body", "femur"], tree._items["body", "tibia"]
    assert femur.isSelected()
    assert tibia.isSelected()
    assert tibia.font(0).bold()
    assert not femur.font(0).bold()


def test_the_look_is_that_of_the_active_body_and_asks_for_it(tree, qtbot):
    tree.set_chosen("walk", ["tibia"])
    assert tree.look.style_button("fill").isChecked()
    assert tree.look.opacity_slider.value() == 60
    with qtbot.waitSignal(tree.style_changed) as asked:
        qtbot.mouseClick(tree.look.style_button("xray"), Qt.MouseButton.LeftButton)
    assert asked.args == ["tibia", "xray"]
    with qtbot.waitSignal(tree.opacity_changed) as asked:
        tree.look.opacity_slider.setFocus()
        qtbot.keyClick(tree.look.opacity_slider, Qt.Key.Key_Right)
    assert asked.args[0] == "tibia"
    assert asked.args[1] == pytest.approx(0.61)


def test_showing_asks_for_nothing(tree, qtbot):
    with qtbot.assertNotEmitted(tree.opacity_changed), qtbot.assertNotEmitted(tree.style_changed):
        tree.set_chosen("walk", ["tibia"])
        tree.set_study("Knee", TRIALS, BODIES)


def test_repair_notes_are_visible_rows(tree):
    item = tree._items["body", "femur"]
    assert item.child(0).text(0) == "3 holes closed"
    assert "3 holes closed" in item.toolTip(0)


def test_without_a_study_it_offers_one(tree, qtbot, hints):
    tree.set_study(None)
    tree.set_hints(hints)
    button = next(b for b in tree.findChildren(QPushButton) if b.text() == "New study…")
    assert button.isVisible()
    assert "Ctrl+N" in button.toolTip()
    with qtbot.waitSignal(tree.action_requested) as asked:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked.args == ["file.new"]


@pytest.mark.parametrize("action", ["file.add_trial", "file.add_body"])
def test_an_empty_study_offers_what_is_missing(tree, qtbot, action):
    tree.set_study("Knee")
    with qtbot.waitSignal(tree.action_requested) as asked:
        click(qtbot, tree, "action", action)
    assert asked.args == [action]
    assert not tree.look.isVisible() or not tree._chosen[1]
