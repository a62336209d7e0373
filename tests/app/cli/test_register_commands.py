"""Registering and tracking from the command line: results, what is kept, what fails, what is said."""

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from core.io.poses_csv import read_poses, write_poses
from core.io.study import StudyFile
from core.io.study.journal import Kind
from core.registration import batch
from core.rendering import warp_device
from core.study.values import PoseKey, PoseStatus
from tests.app.cli.conftest import BODIES, FRAMES, starts, truth

BOTH = ("--trial", "stairs", "--body", "femur", "--body", "tibia")
FEMUR = ("--trial", "stairs", "--body", "femur")
JOINT_MM, JOINT_DEG, ALONE_MM = 0.3, 0.7, 1.0
"""A pixel is 0.9 mm; a body that overlaps another one is less sure when the other is not fitted with it."""


def poses_of(study, body="femur"):
    with StudyFile.open(study, read_only=True) as file:
        return file.study.poses.of("stairs", body)


def matrices(study, body="femur"):
    return {frame: record.world_from_body.as_matrix() for frame, record in poses_of(study, body).items()}


def off(record, body, frame):
    """Distance of the body's centre from the truth in mm, and angle in degrees."""
    real = truth(body, frame)
    centre = BODIES[body].centre_mm[None]
    apart = record.world_from_body.apply(centre) - real.apply(centre)
    return float(np.linalg.norm(apart)), float(record.world_from_body.angle_deg_to(real))


def change(study, changes, action="by hand"):
    with StudyFile.open(study) as file:
        file.record(
            {PoseKey("stairs", body, frame): record for (body, frame), record in changes.items()}, action=action
        )


def test_both_bodies_are_found_jointly_and_stored_as_auto(study, call):
    told = call("register", study, *BOTH)
    assert told.code == 0, told.out + told.err
    assert "5 of 5 frames registered" in told.out
    for body in BODIES:
        records = poses_of(study, body)
        assert {record.status for record in records.values()} == {PoseStatus.AUTO}
        for frame in FRAMES:
            mm, deg = off(records[frame], body, frame)
            assert mm < JOINT_MM, f"{body} {frame}: {mm:.2f} mm"
            assert deg < JOINT_DEG, f"{body} {frame}: {deg:.2f} deg"
        assert all(record.covariance.shape == (6, 6) for record in records.values())
        assert all(record.details["bodies"] == "femur tibia" for record in records.values())


def test_each_frame_is_one_step_of_the_journal(study, call):
    call("register", study, *BOTH, "--frames", "2:4")
    with StudyFile.open(study, read_only=True) as file:
        rows = [entry for entry in file.journal() if entry.kind is Kind.POSE and entry.action.startswith("register")]
    assert sorted({entry.action for entry in rows}) == [f"register frame {frame}" for frame in (2, 3, 4)]
    assert sorted((entry.frame, entry.body) for entry in rows) == [(f, b) for f in (2, 3, 4) for b in BODIES]
    assert len({entry.step for entry in rows}) == 3
    assert all(entry.before["status"] == "imported" and entry.after["status"] == "auto" for entry in rows)
    assert all(len(entry.calibration) == 64 for entry in rows)


@pytest.mark.parametrize(
    ("text", "chosen"), [("0:3", (0, 2, 3)), ("3:", (3, 4, 6)), (":2", (0, 2)), ("6,2", (2, 6)), ("0,3:4", (0, 3, 4))]
)
def test_frames_are_numbers_with_both_ends_included(study, call, text, chosen):
    call("register", study, *FEMUR, "--frames", text)
    auto = [frame for frame, record in poses_of(study).items() if record.status is PoseStatus.AUTO]
    assert tuple(auto) == chosen


@pytest.mark.parametrize("text", ["1", "7:9", "a:b", "0;3", "2:0"])
def test_frames_that_are_none_are_refused(study, call, text):
    told = call("register", study, *FEMUR, "--frames", text)
    assert told.code == 2
    assert told.err.startswith("error: ")
    assert {record.status for record in poses_of(study).values()} == {PoseStatus.IMPORTED}


def test_many_workers_give_the_same_numbers_to_the_bit_as_one(study, call, knee):
    call("register", study, *BOTH, "--jobs", "1")
    alone = {body: matrices(study, body) for body in BODIES}
    for body in BODIES:
        call("poses", "import", study, "--trial", "stairs", "--body", body, knee / f"{body}.csv")
    call("register", study, *BOTH, "--jobs", "4")
    together = {body: matrices(study, body) for body in BODIES}
    for body in BODIES:
        for frame in FRAMES:
            assert np.array_equal(alone[body][frame], together[body][frame]), f"{body} {frame}"


def test_json_says_what_the_table_says(study, call):
    told = call("register", study, *BOTH, "--frames", "0:2", "--json")
    assert told.code == 0
    frames = told.json["frames"]
    assert [row["frame"] for row in frames] == [0, 2]
    assert [row["outcome"] for row in frames] == ["CONVERGED", "CONVERGED"]
    for row in frames:
        for body in BODIES:
            assert np.array_equal(row["world_from_body"][body], matrices(study, body)[row["frame"]])
        assert row["seconds"] > 0
        assert len(row["view_scores"]) == 2


def test_poses_placed_by_hand_are_starts_and_become_results(study, call):
    change(study, {("femur", 3): replace(poses_of(study)[3], status=PoseStatus.MANUAL)})
    told = call("register", study, *FEMUR, "--frames", "3")
    assert told.code == 0
    assert "kept" not in told.err
    assert poses_of(study)[3].status is PoseStatus.AUTO


def test_what_a_person_accepted_is_kept_unless_asked(study, call):
    judged = replace(poses_of(study)[3], status=PoseStatus.ACCEPTED)
    change(study, {("femur", 3): judged})
    told = call("register", study, *BOTH)
    assert told.code == 0
    assert "1 frame" in told.err
    assert "--replace-accepted" in told.err
    assert np.array_equal(matrices(study)[3], judged.world_from_body.as_matrix())
    assert poses_of(study)[3].status is PoseStatus.ACCEPTED
    assert poses_of(study, "tibia")[3].status is PoseStatus.AUTO
    told = call("register", study, *BOTH, "--replace-accepted")
    assert "kept" not in told.err
    assert poses_of(study)[3].status is PoseStatus.AUTO


def test_what_a_person_placed_is_a_start(study, call):
    change(study, {("femur", 3): replace(poses_of(study)[3], status=PoseStatus.MANUAL)})
    told = call("register", study, *BOTH, "--frames", "3")
    assert told.code == 0
    assert "kept" not in told.err
    assert poses_of(study)[3].status is PoseStatus.AUTO


def test_a_picture_that_cannot_be_read_stops_no_other_frame(study, call, knee):
    (knee / "B" / "frame_0003.tif").write_bytes(b"not a picture")
    (knee / "A" / "frame_0004.tif").unlink()
    told = call("register", study, *FEMUR)
    assert told.code == 1
    assert "frame_0003.tif" in told.out
    assert "frame_0004.tif" in told.out
    assert "3 of 5 frames registered" in told.out
    status = {frame: record.status.value for frame, record in poses_of(study).items()}
    assert status == {0: "auto", 2: "auto", 3: "imported", 4: "imported", 6: "auto"}
    rows = call("register", study, *FEMUR, "--frames", "2:3", "--json").json["frames"]
    assert [row["succeeded"] for row in rows] == [True, False]
    assert "frame_0003.tif" in rows[1]["error"]


def test_an_all_black_picture_fails_its_frame_only(study, call, knee):
    tifffile.imwrite(knee / "A" / "frame_0002.tif", np.zeros((256, 256), np.uint16))
    told = call("register", study, *FEMUR, "--json")
    assert told.code == 1
    rows = {row["frame"]: row for row in told.json["frames"]}
    assert [frame for frame in FRAMES if not rows[frame]["succeeded"]] == [2]
    assert poses_of(study)[2].status is PoseStatus.IMPORTED


def test_a_body_outside_of_both_pictures_keeps_its_pose(study, call):
    lost = starts("femur")[4]
    far = replace(lost, world_from_body=lost.world_from_body.shifted([0.0, 900.0, 0.0]))
    change(study, {("femur", 4): far})
    told = call("register", study, *FEMUR, "--frames", "3:4", "--json")
    assert told.code == 1
    assert [row["outcome"] for row in told.json["frames"]] == ["CONVERGED", "OUT_OF_VIEW"]
    assert np.array_equal(matrices(study)[4], far.world_from_body.as_matrix())
    assert poses_of(study)[4].status is PoseStatus.IMPORTED


def test_frames_without_a_start_are_named(study, call):
    change(study, {("femur", 3): None})
    told = call("register", study, *BOTH)
    assert told.code == 1
    assert "no stored pose of femur" in told.out
    assert "4 of 5 frames registered" in told.out
    change(study, {("femur", frame): None for frame in FRAMES})
    told = call("register", study, *BOTH)
    assert told.code == 2
    assert told.err.count("error: ") == 1
    assert "poses import" in told.err


def test_from_the_previous_only_the_first_frame_needs_a_pose(study, call):
    change(study, {("femur", frame): None for frame in FRAMES[1:]})
    told = call("register", study, *FEMUR, "--start", "previous")
    assert told.code == 0, told.out + told.err
    records = poses_of(study)
    assert tuple(records) == FRAMES
    assert all(off(records[frame], "femur", frame)[0] < ALONE_MM for frame in FRAMES)


def test_tracking_goes_both_ways_from_a_frame(study, call):
    change(study, {(body, frame): None for body in BODIES for frame in FRAMES if frame != 3})
    told = call("track", study, *BOTH, "--from-frame", "3")
    assert told.code == 0, told.out + told.err
    for body in BODIES:
        records = poses_of(study, body)
        assert tuple(records) == FRAMES
        assert all(off(records[frame], body, frame)[0] < JOINT_MM for frame in FRAMES)
        assert {record.status for record in records.values()} == {PoseStatus.AUTO}


@pytest.mark.parametrize(("text", "reached"), [("4:", (4, 6)), (":2", (0, 2)), ("2:4", (2, 3, 4))])
def test_tracking_keeps_to_its_range(study, call, text, reached):
    change(study, {("femur", frame): None for frame in FRAMES if frame != 3})
    told = call("track", study, *FEMUR, "--from-frame", "3", "--frames", text)
    assert told.code == 0, told.out + told.err
    assert tuple(frame for frame, r in poses_of(study).items() if r.status is PoseStatus.AUTO) == reached


def test_tracking_goes_on_over_a_picture_that_cannot_be_read(study, call, knee):
    change(study, {("femur", frame): None for frame in FRAMES[1:]})
    (knee / "A" / "frame_0003.tif").unlink()
    told = call("track", study, *FEMUR, "--from-frame", "0")
    assert told.code == 1
    assert "frame_0003.tif" in told.out
    assert tuple(poses_of(study)) == (0, 2, 4, 6)
    assert off(poses_of(study)[6], "femur", 6)[0] < ALONE_MM


def test_tracking_needs_a_pose_where_it_begins(study, call):
    change(study, {("tibia", 3): None})
    told = call("track", study, *BOTH, "--from-frame", "3")
    assert told.code == 2
    assert "frame 3" in told.err
    assert "tibia" in told.err
    assert call("track", study, *BOTH, "--from-frame", "5").code == 2


def test_a_trial_of_one_view_is_registered_too(study, call, add_trial, knee):
    assert add_trial(study, "alone", images_b=None, calibration_b=None).code == 0
    imported = call("poses", "import", study, "--trial", "alone", "--body", "femur", knee / "femur.csv")
    assert imported.code == 0
    told = call("register", study, "--trial", "alone", "--body", "femur", "--frames", "0", "--json")
    assert told.code in {0, 1}
    assert len(told.json["frames"][0]["view_scores"]) == 1
    with StudyFile.open(study, read_only=True) as file:
        assert file.study.poses.get(PoseKey("alone", "femur", 0)).status is PoseStatus.AUTO


def test_a_device_that_is_not_there_is_refused(study, call, monkeypatch):
    monkeypatch.setattr(warp_device, "has_cuda", lambda: False)
    told = call("register", study, *FEMUR, "--device", "cuda")
    assert told.code == 2
    assert "no CUDA device" in told.err
    assert call("register", study, *FEMUR, "--device", "tpu").code == 2
    assert call("register", study, *FEMUR, "--frames", "0", "--device", "cpu").code == 0


def test_a_graphics_card_registers_many_frames_at_once(study, call, monkeypatch, knee):
    monkeypatch.setattr(warp_device, "has_cuda", lambda: True)
    monkeypatch.setattr(batch, "check_device", lambda _: "cpu")
    (knee / "A" / "frame_0003.tif").write_bytes(b"torn")
    told = call("register", study, *FEMUR, "--frames", "0,2,3", "--device", "cuda", "--json")
    assert told.code == 1
    assert [row["outcome"] != "ERROR" for row in told.json["frames"]] == [True, True, False]
    on_card = matrices(study)
    assert call("poses", "import", study, "--trial", "stairs", "--body", "femur", knee / "femur.csv").code == 0
    assert call("register", study, *FEMUR, "--frames", "0,2", "--device", "cpu").code in {0, 1}
    on_cpu = matrices(study)
    for frame in (0, 2):
        np.testing.assert_allclose(on_card[frame], on_cpu[frame], atol=0.02)


def test_names_that_are_not_there_are_refused_with_those_that_are(study, call):
    for words, named in (
        (("--trial", "walk", "--body", "femur"), "'stairs'"),
        (("--trial", "stairs", "--body", "patella"), "'tibia'"),
        (("--trial", "stairs", "--body", "femur", "--body", "femur"), "twice"),
    ):
        told = call("register", study, *words)
        assert told.code == 2
        assert named in told.err


def test_exported_poses_come_back_to_the_bit(study, call, tmp_path):
    call("register", study, *FEMUR, "--frames", "0:3")
    told = call("poses", "export", study, *FEMUR, tmp_path / "out.csv")
    assert told.code == 0
    assert (tmp_path / "out.csv").read_text().startswith("# software: Duoscope")
    before = matrices(study)
    read = read_poses(tmp_path / "out.csv")
    assert all(np.array_equal(read[frame].world_from_body.as_matrix(), before[frame]) for frame in FRAMES)
    assert [read[frame].status.value for frame in FRAMES] == ["auto", "auto", "auto", "imported", "imported"]
    assert call("poses", "import", study, *FEMUR, tmp_path / "out.csv").code == 0
    assert all(np.array_equal(matrices(study)[frame], before[frame]) for frame in FRAMES)


@pytest.mark.parametrize(
    ("column", "value", "part"),
    [("r00", "nan", "frame 2"), ("tx_mm", "inf", "frame 2"), ("r00", "0.2", "rotation"), ("tx_mm", "here", "here")],
)
def test_poses_that_are_none_are_refused_and_nothing_changes(study, call, knee, column, value, part):
    lines = (knee / "femur.csv").read_text().splitlines()
    titles = next(line for line in lines if line.startswith("frame,"))
    row = next(index for index, line in enumerate(lines) if line.startswith("2,"))
    cells = lines[row].split(",")
    cells[titles.split(",").index(column)] = value
    lines[row] = ",".join(cells)
    (knee / "bad.csv").write_text("\n".join(lines))
    before = matrices(study)
    told = call("poses", "import", study, *FEMUR, knee / "bad.csv")
    assert told.code == 2
    assert told.err.count("\n") == 1
    assert part in told.err
    assert all(np.array_equal(matrices(study)[frame], before[frame]) for frame in FRAMES)


def test_a_mirrored_rotation_is_refused(study, call, knee):
    lines = (knee / "femur.csv").read_text().splitlines()
    head = [line for line in lines if not line[0].isdigit()]
    cells = next(line for line in lines if line.startswith("0,")).split(",")
    cells[1], cells[4], cells[7] = (str(-float(cell)) for cell in (cells[1], cells[4], cells[7]))
    (knee / "bad.csv").write_text("\n".join([*head, ",".join(cells)]))
    told = call("poses", "import", study, *FEMUR, knee / "bad.csv")
    assert told.code == 2
    assert "mirrored" in told.err


def test_poses_of_frames_that_the_trial_does_not_have_are_refused(study, call, knee):
    records = dict(zip((0, 1, 5), starts("femur").values(), strict=False))
    write_poses(knee / "bad.csv", records)
    told = call("poses", "import", study, *FEMUR, knee / "bad.csv")
    assert told.code == 2
    assert "(1, 5)" in told.err


def test_an_import_that_replaces_what_a_person_judged_says_so(study, call, knee):
    change(study, {("femur", 2): replace(poses_of(study)[2], status=PoseStatus.ACCEPTED)})
    told = call("poses", "import", study, *FEMUR, knee / "femur.csv")
    assert told.code == 0
    assert "1 pose" in told.err
    with StudyFile.open(study, read_only=True) as file:
        row = next(entry for entry in reversed(file.journal()) if entry.frame == 2)
    assert row.before["status"] == "accepted"


def test_bodies_are_found_without_any_stored_pose(study, call):
    told = call("register", study, *FEMUR, "--frames", "0", "--start", "search", "--json")
    (row,) = json.loads(told.out)["frames"]
    assert row["outcome"] in {"CONVERGED", "AMBIGUOUS", "DOUBTFUL"}
    assert row["score"] > 0.5


def test_a_published_method_is_stored_with_its_settings(study, call):
    call("register", study, *FEMUR, "--frames", "0", "--method", "xvr", "--parameters", "euler")
    with StudyFile.open(study, read_only=True) as file:
        record = file.study.poses.get(PoseKey("stairs", "femur", 0))
    assert record.method == "xvr"
    assert record.details["parameters"] == "euler"
