"""A real person's knee from its files to registered poses, through the commands a person types."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from app.cli import run
from core.geometry.rigid import Rigid
from core.io.images import read_image
from core.io.jointtrack import read_jts
from core.io.mesh_files import read_mesh
from core.io.poses_csv import read_poses, write_poses
from core.io.study import StudyFile
from core.study.values import PoseKey, PoseRecord, PoseStatus
from tests.real_data import REAL, needs_real_data

BIPLANE = REAL / "biplane_tka"
KNEELING = REAL / "monoplane_tka" / "kneel_right"
REFERENCE = {
    "femur": BIPLANE / "poses" / "reference_femur_world.csv",
    "tibia": BIPLANE / "poses" / "tibia_from_masks_world.csv",
}
WITHIN_MM, WITHIN_DEG = 1.2, 1.5


def error_of(found: Rigid, true: Rigid, centre_mm: np.ndarray) -> tuple[float, float]:
    """Distance at the body's centre in mm, and turn in degrees."""
    apart = found.apply(centre_mm[None])[0] - true.apply(centre_mm[None])[0]
    turn = found.rotation @ true.rotation.T
    return float(np.linalg.norm(apart)), float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


def centre_of(mesh: Path) -> np.ndarray:
    vertices = read_mesh(mesh, "mm").vertices_mm
    return (vertices.min(axis=0) + vertices.max(axis=0)) / 2


def done(*words: object) -> None:
    assert run([str(word) for word in words]) == 0, words


@pytest.fixture(scope="module")
def knee(tmp_path_factory) -> Path:
    """The study as its commands make it, with the reference poses of both bodies."""
    study = tmp_path_factory.mktemp("real") / "knee.study"
    done("study", "create", study)
    done(
        *("study", "add-trial", study, "lunge"),
        *("--images-a", BIPLANE / "cam1", "--images-b", f"{BIPLANE / 'cam2'}/frame_*.tif"),
        *("--calibration-a", BIPLANE / "calibration" / "Camcal1.txt"),
        *("--calibration-b", BIPLANE / "calibration" / "Camcal2.txt"),
    )
    for body, poses in REFERENCE.items():
        done("study", "add-body", study, body, BIPLANE / "models" / f"{body}0.stl", "--units", "mm")
        done("poses", "import", study, "--trial", "lunge", "--body", body, poses)
    return study


def check_close(study: Path, frames: range) -> None:
    with StudyFile.open(study, read_only=True) as file:
        for body, reference in REFERENCE.items():
            centre, true = centre_of(BIPLANE / "models" / f"{body}0.stl"), read_poses(reference)
            for frame in frames:
                stored = file.study.poses.by_key[PoseKey("lunge", body, frame)]
                assert stored.status is PoseStatus.AUTO
                mm, deg = error_of(stored.world_from_body, true[frame].world_from_body, centre)
                assert mm < WITHIN_MM, f"{body} frame {frame}: {mm:.2f} mm"
                assert deg < WITHIN_DEG, f"{body} frame {frame}: {deg:.2f} deg"


@needs_real_data
def test_the_open_femur_is_repaired_and_says_so(knee):
    with StudyFile.open(knee, read_only=True) as file:
        assert any("hole" in note for note in file.study.body("femur").notes)
        assert file.study.trial("lunge").frames == tuple(range(0, 221, 2))


@needs_real_data
def test_both_bodies_are_registered_jointly_tracked_exported_and_drawn(knee, tmp_path, capsys):
    both = ("--trial", "lunge", "--body", "femur", "--body", "tibia")
    perturbed = {}
    with StudyFile.open(knee) as file:
        rng = np.random.default_rng(0)
        for body in REFERENCE:
            for frame in (0, 2, 4):
                key = PoseKey("lunge", body, frame)
                twist = np.concatenate([rng.uniform(-3, 3, 3), np.radians(rng.uniform(-3, 3, 3))])
                centre = centre_of(BIPLANE / "models" / f"{body}0.stl")
                start = file.study.poses.by_key[key].world_from_body.perturbed(twist, centre)
                perturbed[key] = PoseRecord(world_from_body=start, status=PoseStatus.IMPORTED)
        file.record(perturbed, action="move away")
    capsys.readouterr()
    assert run(["register", str(knee), *both, "--frames", "0:4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["frame"] for row in told["frames"]] == [0, 2, 4]
    assert all(row["succeeded"] and row["score"] > 0.7 for row in told["frames"])
    check_close(knee, range(0, 5, 2))

    assert run(["track", str(knee), *both, "--from-frame", "0", "--frames", "0:6"]) == 0
    check_close(knee, range(0, 7, 2))

    done("poses", "export", knee, "--trial", "lunge", "--body", "femur", tmp_path / "femur.csv")
    exported = read_poses(tmp_path / "femur.csv")
    with StudyFile.open(knee, read_only=True) as file:
        stored = file.study.poses.of("lunge", "femur")
        assert exported.keys() == stored.keys()
        for frame, record in stored.items():
            there = exported[frame]
            assert np.array_equal(there.world_from_body.as_matrix(), record.world_from_body.as_matrix())
            assert there.status is record.status

    picture = tmp_path / "frame4.png"
    done("render", knee, "--trial", "lunge", "--frame", 4, picture, "--height", 400)
    check_drawn(picture, panes=3)


def check_drawn(path: Path, panes: int) -> None:
    """Panes of 400 px beside each other, each showing something, with coloured outlines in the views."""
    from PySide6.QtGui import QImage

    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB888)
    assert (image.width(), image.height()) == (400 * panes, 428)
    rows = np.frombuffer(image.constBits(), dtype=np.uint8).reshape(428, image.bytesPerLine())
    pixels = rows[:, : 3 * image.width()].reshape(428, -1, 3).astype(int)
    for pane in range(panes):
        inner = pixels[40:-10, 400 * pane + 10 : 400 * pane + 390]
        assert inner.std() > 5, f"pane {pane} is empty"
        if pane < panes - 1:
            assert (np.ptp(inner, axis=2) > 60).sum() > 100, f"pane {pane} has no outlines"


@needs_real_data
def test_the_registered_study_opens_read_only_beside_its_writer(knee):
    with StudyFile.open(knee) as writer, StudyFile.open(knee, read_only=True) as reader:
        assert len(reader.study.poses) == 222
        assert len(writer.study.poses) == 222


@needs_real_data
def test_a_knee_seen_by_one_camera(tmp_path, capsys):
    study = tmp_path / "kneel.study"
    done("study", "create", study)
    done(
        *("study", "add-trial", study, "kneel", "--images-a", KNEELING),
        *("--calibration-a", KNEELING / "calibration.txt"),
    )
    done("study", "add-body", study, "femur", KNEELING / "KR_right_7_fem.stl", "--units", "mm")
    with StudyFile.open(study, read_only=True) as file:
        trial = file.study.trial("kneel")
    assert len(trial.views) == 1
    true = dict(zip(trial.frames, read_jts(KNEELING / "fem.jts", trial.views[0].view), strict=True))
    records = {f: PoseRecord(world_from_body=p, status=PoseStatus.IMPORTED) for f, p in true.items() if p is not None}
    write_poses(tmp_path / "start.csv", records)
    done("poses", "import", study, "--trial", "kneel", "--body", "femur", tmp_path / "start.csv")
    capsys.readouterr()
    code = run(["register", str(study), "--trial", "kneel", "--body", "femur", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert [row["frame"] for row in told["frames"]] == list(trial.frames)
    assert code == (0 if all(row["succeeded"] for row in told["frames"]) else 1)
    assert sum(row["succeeded"] for row in told["frames"]) >= 2
    centre = centre_of(KNEELING / "KR_right_7_fem.stl")
    view = trial.views[0].view
    with StudyFile.open(study, read_only=True) as file:
        for row in told["frames"]:
            found = file.study.poses.by_key[PoseKey("kneel", "femur", row["frame"])].world_from_body
            seen = [view.camera_from_world.apply(pose.apply(centre[None]))[0] for pose in (found, true[row["frame"]])]
            in_plane = float(np.linalg.norm((seen[0] - seen[1])[:2]))
            _, deg = error_of(found, true[row["frame"]], centre)
            assert in_plane < WITHIN_MM, f"frame {row['frame']}: {in_plane:.2f} mm in the picture's plane"
            assert deg < 3.0, f"frame {row['frame']}: {deg:.2f} deg"
    done("render", study, "--trial", "kneel", "--frame", trial.frames[0], tmp_path / "k.png", "--height", 400)


@needs_real_data
def test_a_picture_damaged_in_the_middle_costs_one_frame(tmp_path, capsys):
    for camera in ("cam1", "cam2"):
        (tmp_path / camera).mkdir()
        for frame in (0, 2, 4):
            raw = (BIPLANE / camera / f"frame_{frame:04d}.tif").read_bytes()
            (tmp_path / camera / f"frame_{frame:04d}.tif").write_bytes(raw)
    study = tmp_path / "d.study"
    done("study", "create", study)
    done(
        *("study", "add-trial", study, "t", "--images-a", tmp_path / "cam1", "--images-b", tmp_path / "cam2"),
        *("--calibration-a", BIPLANE / "calibration" / "Camcal1.txt"),
        *("--calibration-b", BIPLANE / "calibration" / "Camcal2.txt"),
    )
    done("study", "add-body", study, "femur", BIPLANE / "models" / "femur0.stl", "--units", "mm")
    start = {frame: record for frame, record in read_poses(REFERENCE["femur"]).items() if frame <= 4}
    write_poses(tmp_path / "start.csv", start)
    done("poses", "import", study, "--trial", "t", "--body", "femur", tmp_path / "start.csv")
    damaged = tmp_path / "cam2" / "frame_0002.tif"
    damaged.write_bytes(damaged.read_bytes()[:5000])
    black = read_image(tmp_path / "cam1" / "frame_0004.tif") * 0
    tifffile.imwrite(tmp_path / "cam1" / "frame_0004.tif", black)
    capsys.readouterr()
    assert run(["register", str(study), "--trial", "t", "--body", "femur", "--json"]) == 1
    good, cut, dark = json.loads(capsys.readouterr().out)["frames"]
    assert good["succeeded"]
    assert not cut["succeeded"]
    assert "frame_0002.tif" in cut["error"]
    assert dark["outcome"] == "NO_CONTRAST"
    with StudyFile.open(study, read_only=True) as file:
        statuses = [file.study.poses.by_key[PoseKey("t", "femur", frame)].status for frame in (0, 2, 4)]
    assert statuses == [PoseStatus.AUTO, PoseStatus.IMPORTED, PoseStatus.IMPORTED]
