"""The demo study: made once, given out fresh, with a first frame that is visibly off."""

import numpy as np
import pytest

import core.io.demo_study as demo
from core.errors import StudyLockedError
from core.imaging.field_of_view import find_field_of_view
from core.io.images import read_image
from core.io.mesh_files import read_mesh
from core.io.poses_csv import read_poses
from core.io.simulated_study import FEMUR, TIBIA, TRIAL
from core.io.study import StudyFile
from core.registration.body import prepare_body
from core.registration.frame import register_frame
from core.registration.values import Problem, Shot, finish
from core.study.values import PoseKey, PoseStatus


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A small demo, so that the tests stay quick."""
    monkeypatch.setattr(demo, "FRAMES", 3)
    monkeypatch.setattr(demo, "SIZE_PX", 128)
    return tmp_path / "demo"


def test_first_frame_is_visibly_off_and_the_others_are_open(home):
    path = finish(demo.ensure_demo_study(home))
    with StudyFile.open(path, read_only=True) as file:
        study = file.study
    view = study.trial(TRIAL).views[0].view
    for body in (FEMUR, TIBIA):
        records = study.poses.of(TRIAL, body)
        assert list(records) == [0]
        start, truth = records[0], read_poses(path / "truth" / f"{body}.csv")[0]
        assert start.status is PoseStatus.MANUAL
        assert start.author == "demo"
        away = np.linalg.norm(start.world_from_body.translation_mm - truth.world_from_body.translation_mm)
        assert 5 < away < 15
        assert 5 < start.world_from_body.angle_deg_to(truth.world_from_body) < 12
        shift = view.project(start.world_from_body.translation_mm[None]) - view.project(
            truth.world_from_body.translation_mm[None]
        )
        assert np.linalg.norm(shift) > 0.01 * view.width_px, "one sees it without measuring"


def test_made_once_and_copied_after(home):
    first = list(demo.ensure_demo_study(home))
    second = list(demo.ensure_demo_study(home))
    assert len(first) > 3
    assert second == []


def test_a_fresh_copy_forgets_what_was_done_to_the_last_and_keeping_keeps_it(home):
    path = finish(demo.ensure_demo_study(home))
    with StudyFile.open(path) as file:
        file.record({PoseKey(TRIAL, FEMUR, 0): None}, action="try out")
    kept = finish(demo.ensure_demo_study(home, reset=False))
    with StudyFile.open(kept, read_only=True) as file:
        assert len(file.study.poses) == 1
    fresh = finish(demo.ensure_demo_study(home))
    assert fresh == path
    with StudyFile.open(fresh, read_only=True) as file:
        assert len(file.study.poses) == 2
        assert file.study.name == "Demo knee"
    (aside,) = home.glob("demo before *.study")
    with StudyFile.open(aside, read_only=True) as file:
        assert len(file.study.poses) == 1, "nothing that somebody made is lost"


def test_an_untouched_copy_leaves_nothing_behind(home):
    for _ in range(3):
        finish(demo.ensure_demo_study(home))
    assert not list(home.glob("demo before *"))


def test_a_demo_that_is_open_elsewhere_is_not_pulled_away(home):
    path = finish(demo.ensure_demo_study(home))
    with StudyFile.open(path), pytest.raises(StudyLockedError, match="open elsewhere"):
        finish(demo.ensure_demo_study(home))
    assert (path / "images").is_dir()


def test_an_interrupted_making_is_made_again(home):
    steps = demo.ensure_demo_study(home)
    for _ in range(3):
        next(steps)
    steps.close()
    (home / "being-made.study").mkdir(exist_ok=True)
    path = finish(demo.ensure_demo_study(home))
    with StudyFile.open(path, read_only=True) as file:
        assert len(file.study.trial(TRIAL).frames) == 3


def test_a_broken_copy_is_replaced(home):
    path = finish(demo.ensure_demo_study(home))
    (path / "study.sqlite").unlink()
    again = finish(demo.ensure_demo_study(home))
    with StudyFile.open(again, read_only=True) as file:
        assert len(file.study.poses) == 2


def test_the_demo_is_registered_from_its_start(home, monkeypatch):
    """What the first click in the window does, through files, at full size."""
    monkeypatch.setattr(demo, "FRAMES", 2)
    monkeypatch.setattr(demo, "SIZE_PX", 768)
    path = finish(demo.ensure_demo_study(home))
    with StudyFile.open(path, read_only=True) as file:
        study = file.study
    trial = study.trial(TRIAL)
    pictures = [[read_image(link.path) for link in plane.images] for plane in trial.views]
    shots = tuple(
        Shot(view=plane.view, image=seen[0], usable=find_field_of_view(seen))
        for plane, seen in zip(trial.views, pictures, strict=True)
    )
    bodies = tuple(prepare_body(b.name, read_mesh(b.mesh.path, b.units)) for b in study.bodies)
    starts = [study.poses.of(TRIAL, body.name)[0].world_from_body for body in bodies]
    solution = finish(register_frame(Problem(bodies=bodies, shots=shots), starts))
    assert solution.outcome.succeeded
    for body, pose in zip(bodies, solution.poses, strict=True):
        truth = read_poses(path / "truth" / f"{body.name}.csv")[0].world_from_body
        away = pose.apply(body.pivot_mm[None]) - truth.apply(body.pivot_mm[None])
        assert np.linalg.norm(away) < 0.3
        assert pose.angle_deg_to(truth) < 0.4
