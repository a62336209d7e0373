"""Study values with awkward numbers and names, made without any file."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.io.study.as_json import body_as_json, pose_as_json, region_as_json, trial_as_json
from core.study.values import BodyRecord, FileLink, PoseKey, PoseRecord, PoseStatus, Study, Trial, TrialView

FRAMES = (3, 5, 7, 11, 2)
"""Not in order and with gaps, as pictures may be."""
TRIAL, BODY, OTHER = "Treppe ä/1 'x'", "fémur", "tibia; DROP TABLE poses"


def pose(number: int) -> Rigid:
    """A pose whose numbers use all their bits."""
    rng = np.random.default_rng(number)
    return Rigid.from_euler(rng.uniform(-170, 170, 3) / 3.0, rng.normal(0, 1000, 3) / 7.0)


def record(number: int, status: PoseStatus = PoseStatus.AUTO, **more: object) -> PoseRecord:
    spread = np.random.default_rng(1000 + number).normal(size=(6, 6))
    values = {
        "author": "anna",
        "method": "gauss-newton",
        "score": 1.0 / (3 + number),
        "outcome": "converged",
        "covariance": spread @ spread.T,
        "details": {"seed": 3, "gate": 0.1 + 0.2, "bodies": "fémur tibia"},
        "created_at": "2024-02-29T23:59:59.999Z",
    }
    return PoseRecord(world_from_body=pose(number), status=status, **{**values, **more})


def view(name: str, seed: int) -> View:
    rng = np.random.default_rng(seed)
    return View(
        name=name,
        camera_from_world=pose(seed),
        focal_px=(1300.0 + rng.uniform(), 1301.0 + rng.uniform()),
        principal_px=(rng.uniform(100, 200), rng.uniform(100, 200)),
        width_px=321,
        height_px=234,
        pixel_spacing_mm=0.1 + 0.2 if seed % 2 else None,
    )


def plane(folder: Path, name: str, seed: int, frames: tuple[int, ...] = FRAMES) -> TrialView:
    return TrialView(
        view=view(name, seed),
        images=tuple(FileLink(path=folder / name / f"f_{n:04d}.tif", sha256=f"{n:064x}") for n in frames),
        calibration=FileLink(path=folder / f"{name}.txt", sha256="c" * 64),
        exclusions=(((0.1, 0.2), (10.5, 0.7), (5.0, 9.0)),),
    )


def trial(folder: Path, name: str = TRIAL, frames: tuple[int, ...] = FRAMES, views: int = 2) -> Trial:
    planes = (plane(folder, "A", 1, frames), plane(folder, "B", 2, frames))[:views]
    return Trial(name=name, frames=frames, views=planes, world_frame="calibration")


def body(folder: Path, name: str = BODY) -> BodyRecord:
    link = FileLink(path=folder / "models" / "f.stl", sha256="d" * 64)
    return BodyRecord(name=name, mesh=link, units="cm", notes=("repaired: 3 holes", "ünits"))


def replace_notes(record: BodyRecord, notes: tuple[str, ...]) -> BodyRecord:
    return replace(record, notes=notes)


def key(frame: int, name: str = BODY) -> PoseKey:
    return PoseKey(TRIAL, name, frame)


def told(study: Study) -> str:
    """Everything a study says, to the last bit, for comparison."""
    return json.dumps(
        {
            "name": study.name,
            "trials": [trial_as_json(one) for one in study.trials],
            "bodies": [body_as_json(one) for one in study.bodies],
            "regions": [[*one.key, region_as_json(one)] for one in study.regions],
            "poses": [[*at, pose_as_json(study.poses.by_key[at])] for at in sorted(study.poses)],
        }
    )
