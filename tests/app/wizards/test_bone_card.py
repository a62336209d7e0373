"""Bones from CT through the pages of the wizards, with real files and real events."""

import threading
import time

import nibabel
import numpy as np
import pytest
import tifffile
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QToolButton, QWizard

from app.wizards.bone_card import BoneCard
from app.wizards.files import DiskSources
from app.wizards.new_study import AddBodyWizard, NewStudyWizard
from app.wizards.parts import Weight
from app.wizards.sources import Meaning
from core.errors import VolumeError
from core.io.study import StudyFile
from core.io.study.add_bone import bone_of
from core.study.values import VoxelValues

PATIENCE_MS = 20000
SHAPE = (30, 28, 26)


def ball(radius, value, outside):
    i, j, k = np.indices(SHAPE)
    distance = np.sqrt((i - 14) ** 2 + (j - 13) ** 2 + (k - 12) ** 2)
    noise = np.random.default_rng(0).integers(0, 100, SHAPE)
    return (np.where(distance < radius, value, outside) + noise).astype(np.int16)


@pytest.fixture
def ct(tmp_path):
    path = tmp_path / "thigh.nii.gz"
    nibabel.save(nibabel.Nifti1Image(ball(8, 900, 30), np.diag([0.8, 0.8, 1.2, 1])), path)
    return path


@pytest.fixture
def label_map(tmp_path):
    labels = np.zeros(SHAPE, np.int16)
    labels[4:14, 5:20, 5:20] = 1
    labels[17:27, 5:20, 5:20] = 2
    path = tmp_path / "labels.nii.gz"
    nibabel.save(nibabel.Nifti1Image(labels, np.diag([0.8, 0.8, 1.2, 1])), path)
    return path


@pytest.fixture
def stack(tmp_path):
    path = tmp_path / "radius_stack.tif"
    tifffile.imwrite(path, ball(8, 900, 0).astype(np.uint16).transpose(2, 1, 0))
    return path


@pytest.fixture
def adding(opened):
    return opened(AddBodyWizard([]))


def settled(card):
    return card.verdict.weight is not Weight.BUSY


def add(qtbot, page, path):
    card = page.add_file(path)
    assert isinstance(card, BoneCard)
    qtbot.waitUntil(lambda: settled(card), timeout=PATIENCE_MS)
    return card


def type_into(edit, text):
    edit.setFocus()
    edit.clear()
    QTest.keyClicks(edit, text)
    QTest.keyClick(edit, Qt.Key.Key_Tab)


def choose(combo, text):
    combo.setCurrentIndex(combo.findText(text))
    combo.activated.emit(combo.currentIndex())


def finish(qtbot, wizard):
    qtbot.waitUntil(wizard.bodies_page.isComplete, timeout=PATIENCE_MS)
    with qtbot.waitSignal(wizard.accepted, timeout=PATIENCE_MS):
        qtbot.mouseClick(wizard.button(QWizard.WizardButton.FinishButton), Qt.MouseButton.LeftButton)
    return wizard.result_value


def test_a_ct_becomes_a_body_that_opens_again(adding, qtbot, ct, tmp_path):
    card = add(qtbot, adding.bodies_page, ct)
    assert "30 × 28 × 26 voxels, 0.8 × 0.8 × 1.2 mm apart, values 30 to 999" in card.facts_label.text()
    assert card.name.text() == "thigh"
    assert not card.form.isRowVisible(2)  # the file says its spacing
    record = finish(qtbot, adding)
    assert record.name == "thigh"
    assert record.volume.values is VoxelValues.HOUNSFIELD
    assert record.volume.file.sha256
    with StudyFile.create(tmp_path / "s.study", "s") as study:
        study.add_body(record)
    with StudyFile.open(tmp_path / "s.study", read_only=True) as study:
        body = bone_of(study.study.body("thigh"))
    assert body.volumes
    assert np.ptp(body.mesh.vertices_mm, axis=0) == pytest.approx([12.8, 12.8, 19.2], abs=2.0)


def test_a_tiff_cannot_be_taken_before_its_spacing_is_typed(adding, qtbot, stack):
    card = add(qtbot, adding.bodies_page, stack)
    assert "does not say how far its voxels are apart" in card.verdict.text
    assert card.meaning.currentData() is Meaning.BRIGHTNESS
    assert not adding.bodies_page.isComplete()
    type_into(card.spacing, "0.4, 0.4")
    assert not adding.bodies_page.isComplete()
    type_into(card.spacing, "0.4, 0.4, 0.6")
    record = finish(qtbot, adding)
    assert record.volume.spacing_mm == (0.4, 0.4, 0.6)
    assert record.volume.slope_per_mm > 0
    assert "no unit" in card.verdict.text


def test_a_threshold_that_leaves_nothing_is_told_and_another_helps(adding, qtbot, ct):
    card = add(qtbot, adding.bodies_page, ct)
    type_into(card.threshold, "5000")
    qtbot.waitUntil(lambda: card.verdict.weight is Weight.PROBLEM, timeout=PATIENCE_MS)
    assert "lower" in card.verdict.text
    assert not adding.bodies_page.isComplete()
    type_into(card.threshold, "many")
    assert "must be a number" in card.verdict.text
    type_into(card.threshold, "400")
    assert finish(qtbot, adding).volume.threshold == 400.0


def test_a_mask_offers_its_labels(adding, qtbot, ct, label_map):
    card = add(qtbot, adding.bodies_page, ct)
    type_into(card.mask_file.edit, str(label_map))
    qtbot.waitUntil(lambda: card.label.count() == 3 and settled(card), timeout=PATIENCE_MS)
    assert not card.form.isRowVisible(6)  # a mask needs no threshold
    assert not card.each.isVisible()  # this wizard takes one body
    choose(card.label, "2")
    record = finish(qtbot, adding)
    assert record.volume.labels == (2,)
    assert record.volume.mask.path == label_map


def test_a_mask_of_another_grid_is_told(adding, qtbot, ct, tmp_path):
    other = tmp_path / "other.nii.gz"
    nibabel.save(nibabel.Nifti1Image(np.ones((10, 10, 10), np.int16), np.eye(4)), other)
    card = add(qtbot, adding.bodies_page, ct)
    type_into(card.mask_file.edit, str(other))
    qtbot.waitUntil(lambda: "another grid" in card.verdict.text, timeout=PATIENCE_MS)
    assert not adding.bodies_page.isComplete()


def test_a_damaged_volume_is_told(adding, qtbot, tmp_path):
    path = tmp_path / "broken.nii.gz"
    path.write_bytes(b"nothing of the kind")
    card = adding.bodies_page.add_file(path)
    qtbot.waitUntil(lambda: card.verdict.weight is Weight.PROBLEM, timeout=PATIENCE_MS)
    assert "broken.nii.gz" in card.verdict.text


def test_each_label_becomes_a_body_of_its_own(opened, qtbot, label_map, tmp_path):
    wizard = opened(NewStudyWizard(tmp_path, DiskSources()))
    page = wizard.bodies_page
    card = add(qtbot, page, label_map)
    assert card.meaning.currentData() is Meaning.LABELS
    card.each.click()
    assert [one.path for one in page.cards] == [label_map, label_map]
    qtbot.waitUntil(lambda: all(one.is_ready for one in page.cards), timeout=PATIENCE_MS)
    assert [(file.name, file.labels) for file in page.files] == [("labels 1", (1,)), ("labels 2", (2,))]
    widths = [np.ptp(report.body.mesh.vertices_mm[:, 0]) for report in page.reports]
    assert widths == pytest.approx([8.0, 8.0], abs=1.5)


def test_a_card_that_is_removed_takes_its_work_with_it(opened, qtbot, ct, tmp_path):
    page = opened(NewStudyWizard(tmp_path)).bodies_page
    card = page.add_file(ct)
    remove = next(button for button in card.findChildren(QToolButton) if button.accessibleName() == "remove")
    remove.click()
    assert page.cards == []
    assert page.isComplete()


def test_a_folder_of_slices_is_a_volume(adding, qtbot, tmp_path):
    folder = tmp_path / "slices"
    folder.mkdir()
    for number, plane in enumerate(ball(8, 900, 0).astype(np.uint16).transpose(2, 1, 0)):
        tifffile.imwrite(folder / f"{number:03d}.tif", plane)
    card = add(qtbot, adding.bodies_page, folder)
    assert card.form.isRowVisible(2)
    assert card.form.isRowVisible(3)
    type_into(card.spacing, "1 1 1")
    qtbot.waitUntil(lambda: card.is_ready, timeout=PATIENCE_MS)
    card.flips["z"].click()
    qtbot.waitUntil(lambda: card.is_ready, timeout=PATIENCE_MS)
    assert finish(qtbot, adding).volume.flips == "z"


def test_a_wizard_that_is_cancelled_does_not_wait_for_a_ct(adding, qtbot, ct, monkeypatch):
    going, ended = threading.Event(), threading.Event()

    def slow(_sources, _path, _series=""):
        going.set()
        ended.wait(10)
        raise VolumeError("too late")

    monkeypatch.setattr(DiskSources, "volume", slow)
    adding.bodies_page.add_file(ct)
    assert going.wait(5)
    before = time.perf_counter()
    qtbot.mouseClick(adding.button(QWizard.WizardButton.CancelButton), Qt.MouseButton.LeftButton)
    assert time.perf_counter() - before < 3
    ended.set()


def test_a_body_that_cannot_be_made_at_the_end_is_told(adding, qtbot, ct, monkeypatch):
    def refuse(*_args):
        raise VolumeError("the disk went away")

    card = add(qtbot, adding.bodies_page, ct)
    qtbot.waitUntil(adding.bodies_page.isComplete, timeout=PATIENCE_MS)
    monkeypatch.setattr(DiskSources, "body", refuse)
    qtbot.mouseClick(adding.button(QWizard.WizardButton.FinishButton), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "the disk went away" in adding.bodies_page.verdict.text, timeout=PATIENCE_MS)
    assert "Nothing was written" in adding.bodies_page.verdict.text
    assert adding.bodies_page.isEnabled()
    assert card.is_ready
