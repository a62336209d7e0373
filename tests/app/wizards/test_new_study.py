"""From nothing to a study through the pages, with real files and real events."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton, QWizard

from app.wizards.files import DiskSources
from app.wizards.new_study import AddBodyWizard, AddTrialWizard, NewStudyWizard
from app.wizards.parts import Weight
from core.errors import StorageError
from core.io.study import StudyFile
from tests.app.wizards.conftest import write_pictures

PATIENCE_MS = 20000


@pytest.fixture
def wizard(opened, tmp_path):
    return opened(NewStudyWizard(tmp_path))


def click(qtbot, wizard, which):
    qtbot.mouseClick(wizard.button(which), Qt.MouseButton.LeftButton)


def next_enabled(wizard):
    return wizard.button(QWizard.WizardButton.NextButton).isEnabled()


def go_to_trial(qtbot, wizard, name="Knee 7"):
    QTest.keyClicks(wizard.place_page._name, name)
    click(qtbot, wizard, QWizard.WizardButton.NextButton)
    assert wizard.currentPage() is wizard.trial_page


def fill_trial(qtbot, page, disk):
    page.boxes[0].images.set_text(str(disk.pictures_a))
    page.boxes[0].calibration.set_text(str(disk.calibration_a))
    page.boxes[1].images.set_text(str(disk.pictures_b))
    page.boxes[1].calibration.set_text(str(disk.calibration_b))
    qtbot.waitUntil(page.isComplete, timeout=PATIENCE_MS)


def add_body(qtbot, page, path, unit=0):
    card = page.add_file(path)
    qtbot.waitUntil(lambda: card.units.button(0).isEnabled(), timeout=PATIENCE_MS)
    assert not page.isComplete()
    card.units.button(unit).click()
    return card


def go_to_preview(qtbot, wizard, disk):
    go_to_trial(qtbot, wizard)
    fill_trial(qtbot, wizard.trial_page, disk)
    click(qtbot, wizard, QWizard.WizardButton.NextButton)
    add_body(qtbot, wizard.bodies_page, disk.block)
    qtbot.waitUntil(wizard.bodies_page.isComplete, timeout=PATIENCE_MS)
    click(qtbot, wizard, QWizard.WizardButton.NextButton)
    assert wizard.currentPage() is wizard.preview_page


def test_the_whole_way_makes_the_study(wizard, qtbot, disk, tmp_path):
    go_to_preview(qtbot, wizard, disk)
    assert not (tmp_path / "Knee 7.study").exists()
    with qtbot.waitSignal(wizard.accepted, timeout=PATIENCE_MS):
        click(qtbot, wizard, QWizard.WizardButton.FinishButton)
    assert wizard.result_value == tmp_path / "Knee 7.study"
    with StudyFile.open(wizard.result_value) as study:
        assert study.study.name == "Knee 7"
        assert study.study.trials[0].frames == (0, 2, 4, 6, 8)
        assert [body.name for body in study.study.bodies] == ["femur"]
        assert study.study.bodies[0].units == "mm"


@pytest.mark.parametrize(
    ("name", "said"), [("a/b", "“/”"), ("taken", "is there already")], ids=["a forbidden sign", "a taken name"]
)
def test_a_bad_name_is_told_at_once(wizard, qtbot, tmp_path, name, said):
    (tmp_path / "taken.study").mkdir()
    QTest.keyClicks(wizard.place_page._name, name)
    assert said in wizard.place_page._verdict.text
    assert not next_enabled(wizard)


def test_a_missing_folder_is_told(wizard, tmp_path):
    wizard.place_page.set_name("Knee")
    wizard.place_page.set_folder(tmp_path / "nowhere")
    assert "There is no folder" in wizard.place_page._verdict.text
    assert not next_enabled(wizard)


def test_next_waits_for_the_check_of_what_stands_there_now(wizard, qtbot, disk):
    go_to_trial(qtbot, wizard)
    page = wizard.trial_page
    fill_trial(qtbot, page, disk)
    assert next_enabled(wizard)
    page.boxes[1].images.edit.setFocus()
    QTest.keyClicks(page.boxes[1].images.edit, "x")
    assert not next_enabled(wizard)
    qtbot.waitUntil(lambda: page.report is not None, timeout=PATIENCE_MS)
    assert page.boxes[1].verdict.weight is Weight.PROBLEM
    assert not next_enabled(wizard)


def test_pairing_by_order_is_offered_and_helps(wizard, qtbot, disk, tmp_path):
    shifted = write_pictures(tmp_path / "shifted", range(1, 11, 2))
    go_to_trial(qtbot, wizard)
    page = wizard.trial_page
    page.boxes[0].images.set_text(str(disk.pictures_a))
    page.boxes[0].calibration.set_text(str(disk.calibration_a))
    page.boxes[1].images.set_text(str(shifted))
    page.boxes[1].calibration.set_text(str(disk.calibration_b))
    qtbot.waitUntil(page.order.isVisible, timeout=PATIENCE_MS)
    assert not next_enabled(wizard)
    page.order.click()
    qtbot.waitUntil(page.isComplete, timeout=PATIENCE_MS)
    assert page.files.pair_by == "order"
    assert page.order.isVisible()


def test_one_view_hides_the_second(wizard, qtbot, disk):
    go_to_trial(qtbot, wizard)
    page = wizard.trial_page
    page.boxes[0].images.set_text(str(disk.pictures_a))
    page.boxes[0].calibration.set_text(str(disk.calibration_a))
    page._count.button(1).click()
    qtbot.waitUntil(page.isComplete, timeout=PATIENCE_MS)
    assert not page.boxes[1].isVisible()
    assert len(page.files.planes) == 1


def test_units_must_be_confirmed_and_wrong_ones_are_refused(wizard, qtbot, disk):
    go_to_trial(qtbot, wizard)
    fill_trial(qtbot, wizard.trial_page, disk)
    click(qtbot, wizard, QWizard.WizardButton.NextButton)
    assert next_enabled(wizard)
    card = add_body(qtbot, wizard.bodies_page, disk.block, unit=2)
    assert "60 mm long  (likely)" in card.units.button(0).text()
    qtbot.waitUntil(lambda: card.verdict.weight is Weight.PROBLEM, timeout=PATIENCE_MS)
    assert not next_enabled(wizard)
    card.units.button(0).click()
    qtbot.waitUntil(lambda: next_enabled(wizard), timeout=PATIENCE_MS)
    assert card.name.text() == "femur"


def test_repairs_are_told_on_the_card(wizard, qtbot, disk):
    card = add_body(qtbot, wizard.bodies_page, disk.open_block)
    qtbot.waitUntil(lambda: card.is_ready, timeout=PATIENCE_MS)
    assert "hole" in card.verdict.text
    assert card.verdict.weight is Weight.WARNING


def test_two_bodies_of_one_name_are_refused_and_one_can_be_removed(wizard, qtbot, disk):
    page = wizard.bodies_page
    add_body(qtbot, page, disk.block)
    second = add_body(qtbot, page, disk.open_block)
    second.name.setText("femur")
    qtbot.waitUntil(lambda: all(card.is_ready for card in page.cards), timeout=PATIENCE_MS)
    assert "more than one body called femur" in page.verdict.text
    assert not page.isComplete()
    remove = next(b for b in second.findChildren(QToolButton) if b.accessibleName() == "remove")
    remove.click()
    assert page.isComplete()


def test_a_file_that_is_no_surface_is_told(wizard, qtbot, tmp_path):
    path = tmp_path / "broken.stl"
    path.write_text("no surface")
    card = wizard.bodies_page.add_file(path)
    qtbot.waitUntil(lambda: card.verdict.weight is Weight.PROBLEM, timeout=PATIENCE_MS)
    assert "broken.stl" in card.verdict.text
    assert not wizard.bodies_page.isComplete()


def test_the_preview_shows_pictures_and_outlines_of_any_frame(wizard, qtbot, disk, monkeypatch):
    go_to_preview(qtbot, wizard, disk)
    page = wizard.preview_page
    for view in page.views:
        assert [overlay.name for overlay in view._overlays.overlays] == ["femur"]
        middle = view._overlays.overlays[0].segments_px.mean(axis=(0, 1))
        assert np.abs(middle - 47.5).max() < 8.0
    shown = []
    monkeypatch.setattr(type(page.views[0]), "set_picture", lambda _view, picture, *_text: shown.append(picture))
    page.slider.setValue(3)
    qtbot.waitUntil(lambda: [picture.min() for picture in shown[-2:]] == [6, 6], timeout=PATIENCE_MS)
    assert "Frame 6  (4 of 5)" in page._place.text()


def test_a_full_disk_is_told_and_leaves_nothing_behind(wizard, qtbot, disk, tmp_path, monkeypatch):
    go_to_preview(qtbot, wizard, disk)

    def refuse(*_args, **_kwargs):
        raise StorageError("the disk is full; free some space")

    monkeypatch.setattr(StudyFile, "add_body", refuse)
    click(qtbot, wizard, QWizard.WizardButton.FinishButton)
    qtbot.waitUntil(lambda: wizard.preview_page.verdict.weight is Weight.PROBLEM, timeout=PATIENCE_MS)
    assert "disk is full" in wizard.preview_page.verdict.text
    assert "Nothing was written" in wizard.preview_page.verdict.text
    assert wizard.isVisible()
    assert wizard.result_value is None
    assert not (tmp_path / "Knee 7.study").exists()
    assert wizard.button(QWizard.WizardButton.FinishButton).isEnabled()


def test_adding_a_trial_gives_one_that_is_not_stored_yet(opened, qtbot, disk):
    wizard = opened(AddTrialWizard(["trial 1"]))
    assert wizard.trial_page.files.name == "trial 2"
    fill_trial(qtbot, wizard.trial_page, disk)
    click(qtbot, wizard, QWizard.WizardButton.NextButton)
    with qtbot.waitSignal(wizard.accepted, timeout=PATIENCE_MS):
        click(qtbot, wizard, QWizard.WizardButton.FinishButton)
    assert wizard.result_value.name == "trial 2"
    assert wizard.result_value.views[0].images[0].sha256


def test_adding_a_body_takes_exactly_one(opened, qtbot, disk):
    wizard = opened(AddBodyWizard(["tibia"]))
    finish = wizard.button(QWizard.WizardButton.FinishButton)
    assert not finish.isEnabled()
    card = add_body(qtbot, wizard.bodies_page, disk.block)
    assert not wizard.bodies_page.add.isVisible()
    qtbot.waitUntil(finish.isEnabled, timeout=PATIENCE_MS)
    card.name.setText("tibia")
    assert not finish.isEnabled()
    card.name.setText("femur")
    qtbot.mouseClick(finish, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: wizard.result_value is not None, timeout=PATIENCE_MS)
    assert wizard.result_value.name == "femur"


def test_cancelling_while_it_is_written_leaves_nothing(tmp_path):
    place = tmp_path / "Knee.study"
    work = DiskSources().write_study(place, "Knee", None, ())
    assert next(work) == "Writing the study"
    assert next(work) == "Written"
    assert place.exists()
    work.close()
    assert not place.exists()


def test_cancelling_makes_nothing(wizard, qtbot, disk, tmp_path):
    go_to_preview(qtbot, wizard, disk)
    with qtbot.waitSignal(wizard.rejected):
        click(qtbot, wizard, QWizard.WizardButton.CancelButton)
    assert wizard.result_value is None
    assert list(tmp_path.glob("*.study")) == []
