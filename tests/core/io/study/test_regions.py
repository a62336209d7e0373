"""Polygons around shadows are kept with their journal, one a picture and body, and go with what they belong to."""

import math

import pytest

from core.errors import StudyError
from core.io.study import StudyFile
from core.io.study.journal import Kind
from core.io.study.linked_files import FaultKind, faults_of, links_of
from core.study.values import BodyRecord, FileLink, RegionKey, VolumeLink, VoxelValues
from tests.core.io.study.parts import BODY, TRIAL, a_bone, a_region, filled


@pytest.fixture
def file(tmp_path):
    with filled(tmp_path) as opened:
        opened.add_body(a_bone(tmp_path / "data"))
        yield opened


def reopened(file):
    with StudyFile.open(file.path, read_only=True) as read:
        return read.study


def test_regions_are_stored_replaced_found_and_removed(file):
    file.set_regions([a_region(2), a_region(0), a_region(0, "radius", 1)])
    assert reopened(file).regions == file.study.regions == (a_region(0), a_region(2), a_region(0, "radius", 1))
    other = a_region(0, corners_px=((1.0, 2.0), (3.0, 4.0), (5.0, 7.0), (2.0, 2.0)))
    file.set_regions([other])
    found = reopened(file)
    assert found.regions == file.study.regions
    assert found.region(TRIAL, 0, 0, BODY) == other
    assert found.region(TRIAL, 1, 0, BODY) is None
    file.remove_regions([other.key, RegionKey(TRIAL, 1, 7, BODY)])
    assert reopened(file).regions == file.study.regions == (a_region(2), a_region(0, "radius", 1))


def test_the_journal_keeps_what_was_drawn(file):
    file.set_regions([a_region(2)], author="Dr. B")
    file.remove_regions([a_region(2).key])
    drawn, gone = file.journal(last=2)
    assert (drawn.kind, drawn.author, drawn.trial, drawn.body, drawn.frame) == (Kind.REGION, "Dr. B", TRIAL, BODY, 2)
    assert drawn.before is None
    assert drawn.after == gone.before == {"plane": 0, "corners_px": [list(c) for c in a_region(2).corners_px]}
    assert gone.after is None
    before = file.journal()
    file.remove_regions([a_region(2).key])
    assert file.journal() == before


@pytest.mark.parametrize("kind", ["body", "trial"])
def test_regions_go_with_their_body_or_trial(file, kind):
    file.set_regions([a_region(0), a_region(0, "radius")])
    file.remove_body(BODY) if kind == "body" else file.remove_trial(TRIAL)
    left = (a_region(0, "radius"),) if kind == "body" else ()
    assert reopened(file).regions == file.study.regions == left
    assert any(entry.kind is Kind.REGION and entry.after is None for entry in file.journal(last=6))


@pytest.mark.parametrize(
    ("stranger", "named"),
    [
        (a_region(1), "no frame 1"),
        (a_region(0, "patella"), "'patella'"),
        (a_region(0, trial="walk"), "'walk'"),
        (a_region(0, plane=2), "no view 2"),
    ],
)
def test_regions_of_strangers_are_refused_and_nothing_is_stored(file, stranger, named):
    with pytest.raises(StudyError, match=named):
        file.set_regions([a_region(2), stranger])
    assert reopened(file).regions == file.study.regions == ()


def test_a_region_encloses_something():
    with pytest.raises(StudyError, match="three corners"):
        a_region(corners_px=((0.0, 0.0), (1.0, 1.0)))
    with pytest.raises(StudyError, match="finite"):
        a_region(corners_px=((0.0, 0.0), (1.0, 1.0), (2.0, math.nan)))


def test_bones_come_back_as_they_were_added_and_copies_too(file, tmp_path):
    file.set_regions([a_region(0, "radius")])
    assert reopened(file).body("radius") == a_bone(tmp_path / "data")
    with StudyFile.open(file.copy_to(tmp_path / "copy.study"), read_only=True) as copy:
        assert copy.study.body("radius") == a_bone(tmp_path / "data")
        assert copy.study.regions == file.study.regions


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"spacing_mm": (1.0, 0.0, 1.0)}, "positive lengths"),
        ({"flips": "xx"}, "each once"),
        ({"flips": "w"}, "along x, y and z"),
        ({"values": VoxelValues.LINEAR}, "positive attenuation"),
    ],
)
def test_volumes_that_contradict_themselves_are_refused(tmp_path, change, said):
    with pytest.raises(StudyError, match=said):
        VolumeLink(**{"file": FileLink(path=tmp_path), "values": VoxelValues.HOUNSFIELD, **change})
    with pytest.raises(StudyError, match="surface or a volume"):
        BodyRecord(name="nothing")


def test_a_folder_of_slices_is_one_link_that_is_checked_and_found_again(file, tmp_path):
    slices = tmp_path / "data" / "ct"
    slices.mkdir()
    for number in range(3):
        (slices / f"{number}.dcm").write_bytes(bytes([number]))
    from core.io.checksums import link_to

    volume = VolumeLink(file=link_to(slices), values=VoxelValues.HOUNSFIELD)
    file.add_body(BodyRecord(name="tibia", volume=volume))
    link = file.study.body("tibia").volume.file
    assert link in links_of(file.study)
    assert [fault for fault in faults_of(file.study) if fault.path == slices] == []
    (slices / ".DS_Store").write_bytes(b"of a system")
    assert [fault for fault in faults_of(file.study) if fault.path == slices] == []
    moved = slices.rename(tmp_path / "data" / "scan")
    assert [fault.kind for fault in faults_of(file.study) if fault.path == slices] == [FaultKind.MISSING]
    assert file.relink(slices, moved) == 1
    assert reopened(file).body("tibia").volume.file.path == moved
    (moved / "1.dcm").rename(moved / "9.dcm")
    assert [fault.kind for fault in faults_of(file.study) if fault.path == moved] == [FaultKind.CHANGED]
