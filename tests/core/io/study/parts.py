"""A small study's parts for tests: a trial whose pictures lie on the disk, a body, and poses."""

from pathlib import Path

import numpy as np

from core.geometry.rigid import Rigid
from core.io.study import StudyFile
from core.study.values import (
    BodyRecord,
    FileLink,
    PoseKey,
    PoseRecord,
    PoseStatus,
    Region,
    Trial,
    TrialView,
    VolumeLink,
    VoxelValues,
)
from tests.scenes import rig

FRAMES = (0, 2, 4, 7)
TRIAL, BODY = "stairs", "femur"


def linked(path: Path, content: bytes = b"") -> FileLink:
    """A file that exists, and a link to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content or path.name.encode())
    return FileLink(path=path, sha256=f"sha of {path.name}")


def a_trial(folder: Path, name: str = TRIAL, views: int = 2) -> Trial:
    """A trial with uneven frame numbers, an odd calibration and one exclusion."""
    planes = tuple(
        TrialView(
            view=view,
            images=tuple(linked(folder / f"cam{view.name}" / f"{name}_{frame:04d}.tif") for frame in FRAMES),
            calibration=linked(folder / f"cam{view.name}.txt"),
            exclusions=(((0.5, 1.25), (90.0, 2.0), (3.0, 70.0)),) if view.name == "A" else (),
        )
        for view in rig()[:views]
    )
    return Trial(name=name, frames=FRAMES, views=planes, world_frame="cage")


def a_body(folder: Path, name: str = BODY) -> BodyRecord:
    return BodyRecord(name=name, mesh=linked(folder / f"{name}.stl"), units="cm", notes=("3 holes were closed",))


def a_bone(folder: Path, name: str = "radius") -> BodyRecord:
    """A body without a surface, with every field of its volume set."""
    volume = VolumeLink(
        file=linked(folder / f"{name}.tif"),
        values=VoxelValues.LINEAR,
        series="1.2.3",
        spacing_mm=(0.1 + 0.2, 0.39625, 0.625),
        flips="yz",
        mask=linked(folder / f"{name}-mask.tif"),
        labels=(3, 5),
        threshold=1 / 3,
        slope_per_mm=2e-5,
        offset_per_mm=-0.1,
    )
    return BodyRecord(name=name, volume=volume, notes=("0 is air",))


def a_region(frame: int = 0, body: str = BODY, plane: int = 0, **changes) -> Region:
    corners = ((0.5, 1 / 3), (90.0, 2.0), (3.0, 70.0 + frame))
    return Region(**{"trial": TRIAL, "plane": plane, "frame": frame, "body": body, "corners_px": corners, **changes})


def a_pose(seed: int = 0, **changes) -> PoseRecord:
    """A pose with every field set to something that must survive to the last bit."""
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(6, 6))
    values = {
        "world_from_body": Rigid.exp(rng.normal(size=6)),
        "status": PoseStatus.AUTO,
        "author": "A. Nurse",
        "method": "gauss-newton",
        "score": float(rng.uniform()),
        "outcome": "converged",
        "covariance": half @ half.T,
        "details": {"seed": seed, "gate": 0.1 + 0.2, "bodies": "femur tibia"},
        "created_at": "2026-01-02T03:04:05.678Z",
    }
    return PoseRecord(**{**values, **changes})


def key(frame: int = 0, body: str = BODY, trial: str = TRIAL) -> PoseKey:
    return PoseKey(trial, body, frame)


def filled(folder: Path) -> StudyFile:
    """An open study with one trial, one body and a pose at its first two frames."""
    file = StudyFile.create(folder / "knee.study", author="tester")
    file.add_trial(a_trial(folder / "data"))
    file.add_body(a_body(folder / "data"))
    file.record({key(0): a_pose(0), key(2): a_pose(2)}, action="first poses")
    return file


def same_pose(a: PoseRecord, b: PoseRecord) -> bool:
    """Whether two records agree to the last bit in everything."""
    plain = ("status", "author", "method", "score", "outcome", "created_at")
    return (
        all(getattr(a, name) == getattr(b, name) for name in plain)
        and dict(a.details) == dict(b.details)
        and np.array_equal(a.world_from_body.as_matrix(), b.world_from_body.as_matrix())
        and (a.covariance is None) == (b.covariance is None)
        and (a.covariance is None or np.array_equal(a.covariance, b.covariance, equal_nan=True))
    )
