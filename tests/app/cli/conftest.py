"""A small knee on the disk, and a way to call commands as a person does."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile

from app.cli import run
from core.geometry.rigid import Rigid
from core.io.mayacam import write_mayacam2
from core.io.poses_csv import write_poses
from core.study.values import PoseRecord, PoseStatus
from tests.scenes import implant, lopsided, picture, rig

FRAMES = (0, 2, 3, 4, 6)
BODIES = {"femur": implant(3.0), "tibia": lopsided(3)}
METAL_PER_MM = 0.5
_AT = {"femur": [0.0, 0.0, 22.0], "tibia": [0.0, 0.0, -38.0]}


def truth(body: str, frame: int) -> Rigid:
    """Where a body really is: it walks slowly, along a curve."""
    turned = Rigid.from_euler([2.0 * frame, 10.0 - 1.5 * frame, 0.2 * frame**2], [0.0, 0.0, 0.0], "ZXY")
    return turned.shifted(_AT[body]).shifted([1.2 * frame, 0.05 * frame**2, -0.8 * frame])


def starts(body: str, by: float = 2.0) -> dict[int, PoseRecord]:
    """Poses that are off by some millimetres and degrees."""
    twist = np.array([by, -by, by, *np.radians([by, by, -by])]) * (1 if body == "femur" else -1)
    return {
        frame: PoseRecord(world_from_body=truth(body, frame).perturbed(twist, np.zeros(3)), status=PoseStatus.IMPORTED)
        for frame in FRAMES
    }


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture(scope="session")
def pristine(tmp_path_factory) -> Path:
    """Pictures, calibrations, surfaces and start poses."""
    folder = tmp_path_factory.mktemp("knee")
    for view in rig(256):
        (folder / view.name).mkdir()
        write_mayacam2(view, folder / f"{view.name}.txt")
        for frame in FRAMES:
            scene = [(mesh, truth(name, frame), METAL_PER_MM) for name, mesh in BODIES.items()]
            tifffile.imwrite(folder / view.name / f"frame_{frame:04d}.tif", picture(view, scene, supersample=2))
    for name, mesh in BODIES.items():
        mesh.as_trimesh().export(folder / f"{name}.stl")
        write_poses(folder / f"{name}.csv", starts(name))
    return folder


@pytest.fixture
def knee(pristine, tmp_path) -> Path:
    """A copy of them that a test may spoil."""
    return shutil.copytree(pristine, tmp_path / "knee")


@pytest.fixture
def call(capsys):
    """Run a command; the window is never to be opened."""

    def window(*_, **__):
        raise AssertionError("a headless command opened the window")

    def called(*words) -> Told:
        capsys.readouterr()
        code = run([str(word) for word in words], window)
        told = capsys.readouterr()
        return Told(code, told.out, told.err)

    return called


@pytest.fixture
def add_trial(call, knee):
    """Add the trial, with some of its options replaced (None leaves one out)."""

    def added(study, name="stairs", **changed) -> Told:
        options = {
            "--images-a": knee / "A",
            "--images-b": knee / "B",
            "--calibration-a": knee / "A.txt",
            "--calibration-b": knee / "B.txt",
        } | {"--" + key.replace("_", "-"): value for key, value in changed.items()}
        words = [word for pair in options.items() if pair[1] is not None for word in pair]
        return call("study", "add-trial", study, name, *words)

    return added


@pytest.fixture
def study(call, add_trial, knee) -> Path:
    """A study of the small knee with both bodies and start poses at each frame."""
    path = knee.parent / "small.study"
    steps = [call("study", "create", path), add_trial(path)]
    for body in BODIES:
        steps.append(call("study", "add-body", path, body, knee / f"{body}.stl", "--units", "mm"))
        steps.append(call("poses", "import", path, "--trial", "stairs", "--body", body, knee / f"{body}.csv"))
    assert [step.code for step in steps] == [0] * 6, [step.err for step in steps]
    return path
