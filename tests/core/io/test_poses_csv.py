"""Poses as CSV: to the bit and back, foreign files, files that lie, disks that refuse."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import PoseError, StorageError
from core.geometry.rigid import Rigid
from core.io.poses_csv import MORE_COLUMNS, POSE_COLUMNS, read_pose_file, read_poses, write_poses
from core.study.values import PoseRecord, PoseStatus
from tests.laws.test_rigid_laws import rigid_motions

HEADER = ",".join(POSE_COLUMNS)
IDENTITY = "1,0,0,0,1,0,0,0,1"
GOOD = f"{HEADER}\n1,{IDENTITY},4,5,6\n"

one_line_texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20).map(
    lambda text: " ".join(text.split())
)


@st.composite
def records(draw):
    return PoseRecord(
        world_from_body=draw(rigid_motions()),
        status=draw(st.sampled_from(PoseStatus)),
        author=draw(one_line_texts),
        method=draw(one_line_texts.filter(bool)),
        score=draw(st.none() | st.floats(allow_nan=False, allow_infinity=False)),
        outcome=draw(one_line_texts),
    )


@settings(max_examples=40)
@given(st.dictionaries(st.integers(0, 10**6), records(), min_size=1, max_size=4))
def test_what_is_written_comes_back_to_the_bit(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("poses") / "p.csv"
    write_poses(path, written, {"calibration": "abc, def"})
    back = read_pose_file(path)
    assert list(back.records) == sorted(written)
    assert back.notes == ()
    assert back.header["calibration"] == "abc, def"
    for frame, record in written.items():
        again = back.records[frame]
        assert np.array_equal(again.world_from_body.as_matrix(), record.world_from_body.as_matrix())
        told, said = ((r.status, r.author, r.method, r.score, r.outcome) for r in (again, record))
        assert told == said
    write_poses(path.with_name("again.csv"), back.records, {"calibration": "abc, def"})
    assert path.with_name("again.csv").read_bytes() == path.read_bytes()


def test_the_file_says_what_it_is(tmp_path):
    path = tmp_path / "p.csv"
    record = PoseRecord(world_from_body=Rigid.identity(), status=PoseStatus.AUTO, author="A, B", score=0.1 + 0.2)
    write_poses(path, {7: record}, {"trial": "stairs\nup", "calibration": "abc"})
    lines = path.read_text().splitlines()
    said = dict(line[2:].split(": ", 1) for line in lines if line.startswith("#"))
    assert said["frame"] == "world_from_body"
    assert said["units"] == "mm"
    assert "r00..r22" in said["order"]
    assert said["software"].startswith("Duoscope ")
    assert said["trial"] == "stairs up"
    assert lines[len(said)] == ",".join([*POSE_COLUMNS, *MORE_COLUMNS])
    assert lines[-1] == '7,1.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,1.0,0.0,0.0,0.0,auto,"A, B",,0.30000000000000004,'
    assert not list(tmp_path.glob("*.part"))


def test_line_breaks_and_scores_that_are_no_numbers_do_not_break_the_table(tmp_path):
    path = tmp_path / "p.csv"
    record = PoseRecord(
        world_from_body=Rigid.identity(), status=PoseStatus.MANUAL, author="a\nb\u2028c", method='"', score=math.nan
    )
    write_poses(path, {7: record, 8: record})
    back = read_poses(path)
    assert (back[8].author, back[8].method, back[8].score) == ("a b c", '"', None)


def test_thirteen_columns_are_enough_and_others_are_left_aside(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text(f"{HEADER},mask_dice\n4,{IDENTITY},1,2,3,0.9\n2,{IDENTITY},1,2,3,\n")
    back = read_poses(path)
    assert list(back) == [2, 4]
    assert back[4].world_from_body.translation_mm.tolist() == [1, 2, 3]
    assert (back[4].status, back[4].score, back[4].method) == (PoseStatus.IMPORTED, None, "import p.csv")
    assert "does not say its frame" in read_pose_file(path).notes[0]


def test_columns_are_found_by_name(tmp_path):
    path = tmp_path / "p.csv"
    names = [*reversed(POSE_COLUMNS), "status"]
    values = dict(zip(POSE_COLUMNS, ["9", *IDENTITY.split(","), "1", "2", "3"], strict=True)) | {"status": "Accepted"}
    path.write_text(",".join(names) + "\n" + ",".join(values[name] for name in names) + "\n")
    back = read_poses(path)[9]
    assert back.world_from_body.translation_mm.tolist() == [1, 2, 3]
    assert back.status is PoseStatus.ACCEPTED


@given(rigid_motions(), st.integers(3, 9))
def test_rounded_rotations_are_made_exact(tmp_path_factory, pose, digits):
    path = tmp_path_factory.mktemp("poses") / "p.csv"
    rounded = ",".join(f"{number:.{digits}f}" for number in pose.rotation.ravel())
    path.write_text(f"{HEADER}\n4,{rounded},1,2,3\n")
    back = read_pose_file(path)
    rotation = back.records[4].world_from_body.rotation
    np.testing.assert_allclose(rotation.T @ rotation, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(rotation, pose.rotation, atol=2 * 10.0**-digits)
    exact = np.array_equal(np.array(rounded.split(","), dtype=float), rotation.ravel())
    assert any("have been made exact" in note for note in back.notes) == (not exact)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD.replace(",", ", "),
        "\n" + GOOD + "\n\n",
        "# made by hand\n#\n" + GOOD,
        GOOD.replace("\n1,", "\n1.0,"),
        GOOD.replace("\n1,", "\n 1 ,"),
        GOOD.rstrip("\n"),
        GOOD.replace("tz_mm", "tz_mm,").replace("5,6", "5,6,"),
    ],
)
def test_the_same_in_other_dress(tmp_path, text):
    path = tmp_path / "p.csv"
    path.write_bytes(text.encode())
    assert read_poses(path)[1].world_from_body.translation_mm.tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("1,1,0,0,0,1,0,0,0,-1,0,0,0", r"line 2 \(frame 1\): .*mirrored"),
        ("1,0,0,0,0,0,0,0,0,0,0,0,0", r"line 2 \(frame 1\): .*no rotation"),
        ("1,1,0,0,1,0,0,0,0,1,0,0,0", r"line 2 \(frame 1\): .*no rotation"),
        ("1,1,0,0,0,1,0,0,0,1.2,0,0,0", r"line 2 \(frame 1\): .*no rotation"),
        (f"1,{IDENTITY},nan,0,0", r"line 2 \(frame 1\): tx_mm is no finite number \('nan'\); leave out frames"),
        (f"1,{IDENTITY},0,,0", r"ty_mm is no finite number \(''\)"),
        ("1," + IDENTITY.replace("1,0,0,0", "1,0,0,inf") + ",0,0,0", "r10 is no finite number"),
        (f"1,{IDENTITY},0,0,zero", r"tz_mm is no finite number \('zero'\)"),
        (f"1.5,{IDENTITY},0,0,0", "line 2: the frame must be a whole number, found '1.5'"),
        (f"one,{IDENTITY},0,0,0", "line 2: the frame must be a whole number, found 'one'"),
        (f",{IDENTITY},0,0,0", "line 2: the frame must be a whole number, found ''"),
        (f"1_0,{IDENTITY},0,0,0", "line 2: the frame must be a whole number, found '1_0'"),
        (f"-1,{IDENTITY},0,0,0", "line 2: the frame must be between 0 and"),
        (f"1e30,{IDENTITY},0,0,0", "line 2: the frame must be between 0 and"),
        (f"1,{IDENTITY},0,0", "line 2: it has 12 columns, the table has 13; the file is cut short"),
        (f"1,{IDENTITY},0,0,0\n\n1,{IDENTITY},0,0,0", "line 4: frame 1 stands twice"),
        (f'1,{IDENTITY},0,0,"0', "line 2: "),
    ],
)
def test_rows_that_are_no_poses_are_refused_with_their_line(tmp_path, rows, words):
    path = tmp_path / "p.csv"
    path.write_text(f"{HEADER}\n{rows}\n")
    with pytest.raises(PoseError, match=words) as caught:
        read_poses(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("# only: comments\n", "holds no table; it needs the columns frame, r00"),
        (HEADER + "\n", "holds no poses, only column names"),
        ("frame,x,y\n1,2,3\n", r"line 1: column r00 is missing \(and 11 more\)"),
        (GOOD.replace("tx_mm", "tx_cm"), "line 1: column tx_mm is missing; the columns are"),
        (GOOD.replace("tx_mm", "ty_mm"), "column tx_mm is missing"),
        (GOOD.replace("tz_mm", "tz_mm,frame").replace("5,6", "5,6,7"), "column frame stands twice"),
        (GOOD.replace(",", ";"), "columns are separated by commas, and numbers have decimal points"),
        (IDENTITY, "line 1: column frame is missing"),
        ("# frame: body_from_world\n" + GOOD, "says frame: 'body_from_world', only world_from_body is read"),
        ("# units: m\n" + GOOD, "says units: 'm', only mm is read"),
        (f"{HEADER},status\n1,{IDENTITY},0,0,0,fine\n", "line 2: status 'fine' is unknown; it is one of manual"),
        (f"{HEADER},score\n1,{IDENTITY},0,0,0,high\n", "line 2: the score must be a number or empty, found 'high'"),
        ("#a\n#b\n" + GOOD + "7,8\n", "line 5: it has 2 columns"),
    ],
)
def test_tables_that_are_no_pose_tables_are_refused(tmp_path, text, words):
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(PoseError, match=words) as caught:
        read_poses(path)
    assert str(path) in str(caught.value)


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(PoseError, match=r"none\.csv is missing"):
        read_poses(tmp_path / "none.csv")
    path = tmp_path / "p.csv"
    path.write_bytes(b"PK\3\4\0\0 a workbook under another name")
    with pytest.raises(PoseError, match="not a text file"):
        read_poses(path)
    path.write_bytes(GOOD.encode() + "M\xfcller".encode("latin-1"))
    with pytest.raises(PoseError, match="line 3: a letter is not in UTF-8"):
        read_poses(path)


@given(st.text(max_size=60), st.integers(0, len(GOOD)))
def test_no_text_brings_it_down(tmp_path_factory, noise, at):
    path = tmp_path_factory.mktemp("noise") / "p.csv"
    path.write_bytes((GOOD[:at] + noise + GOOD[at:]).encode("utf-8", "surrogatepass"))
    try:
        back = read_poses(path)
    except PoseError as error:
        assert str(path) in str(error)  # noqa: PT017
    else:
        assert all(np.isfinite(record.world_from_body.as_matrix()).all() for record in back.values())


def test_nothing_and_negative_frames_are_not_written(tmp_path):
    record = PoseRecord(world_from_body=Rigid.identity(), status=PoseStatus.MANUAL)
    with pytest.raises(PoseError, match="no poses to write"):
        write_poses(tmp_path / "p.csv", {})
    with pytest.raises(PoseError, match="frame -1 cannot be written"):
        write_poses(tmp_path / "p.csv", {-1: record})
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_the_old_file(tmp_path, full_disk_for):
    path = tmp_path / "p.csv"
    record = PoseRecord(world_from_body=Rigid.identity(), status=PoseStatus.MANUAL)
    write_poses(path, {1: record})
    before = path.read_bytes()
    full_disk_for(path)
    with pytest.raises(StorageError, match=r"the disk is full: .*p\.csv was not written; .*old file"):
        write_poses(path, {1: record, 2: record})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
