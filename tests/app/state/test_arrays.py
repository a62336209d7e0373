"""The cache of arrays: read once, bounded, safe from several threads, and never stale."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile

from app.state import arrays as arrays_module
from app.state.arrays import Arrays
from core.errors import ImageError, MeshError, StudyError
from core.registration.values import Body
from core.study.values import BodyRecord, FileLink, Study, Trial, TrialView
from tests.scenes import implant, rig

SIZE = 64
FRAMES = (4, 6, 9)
BYTES = 2 * SIZE * SIZE


def circle_picture(radius: float, level: int) -> np.ndarray:
    v, u = np.mgrid[:SIZE, :SIZE]
    inside = np.hypot(u - SIZE / 2, v - SIZE / 2) < radius
    return np.where(inside, 40_000 + level, 100).astype(np.uint16)


def write(path: Path, image: np.ndarray) -> FileLink:
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, image)
    return FileLink(path=path, sha256=str(image.sum()))


def make_study(folder: Path, radius: float = 25.0) -> Study:
    planes = tuple(
        TrialView(
            view=view,
            images=tuple(
                write(folder / view.name / f"f_{frame:04d}.tif", circle_picture(radius, frame)) for frame in FRAMES
            ),
            calibration=FileLink(path=folder / f"{view.name}.txt"),
        )
        for view in rig(SIZE)
    )
    implant(3.0).as_trimesh().export(folder / "femur.stl")
    femur = BodyRecord(name="femur", mesh=FileLink(path=folder / "femur.stl", sha256="1"), units="mm")
    return Study(name="s", trials=(Trial(name="t", frames=FRAMES, views=planes),), bodies=(femur,))


class Held:
    """The open study, which may be replaced; counts what is read and prepared."""

    def __init__(self, study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
        self.study = study
        self.read: list[str] = []
        self.prepared: list[str] = []
        real_read, real_prepare = arrays_module.read_image, arrays_module.prepare_body

        def read(path: Path) -> np.ndarray:
            self.read.append(path.name)
            return real_read(path)

        def prepare(name: str, mesh: object) -> Body:
            self.prepared.append(name)
            time.sleep(0.05)
            return real_prepare(name, mesh)

        monkeypatch.setattr(arrays_module, "read_image", read)
        monkeypatch.setattr(arrays_module, "prepare_body", prepare)

    def change_view(self, index: int, change: Callable[[TrialView], TrialView]) -> None:
        trial = self.study.trials[0]
        views = tuple(change(plane) if k == index else plane for k, plane in enumerate(trial.views))
        self.study = replace(self.study, trials=(replace(trial, views=views),))


@pytest.fixture
def held(tmp_path, monkeypatch) -> Held:
    return Held(make_study(tmp_path), monkeypatch)


@pytest.fixture
def arrays(held) -> Arrays:
    return Arrays(lambda: held.study)


def test_a_picture_is_the_one_of_its_frame_read_once_and_protected(arrays, held):
    first = arrays.picture("t", 1, 6)
    assert np.array_equal(first, circle_picture(25.0, 6))
    assert arrays.picture("t", 1, 6) is first
    assert held.read == ["f_0006.tif"]
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 1


def test_the_least_recently_used_pictures_go_first(held):
    arrays = Arrays(lambda: held.study, limit_bytes=2 * BYTES)
    arrays.picture("t", 0, 4)
    arrays.picture("t", 0, 6)
    arrays.picture("t", 0, 4)
    arrays.picture("t", 0, 9)
    held.read.clear()
    arrays.picture("t", 0, 4)
    arrays.picture("t", 0, 9)
    assert held.read == []
    arrays.picture("t", 0, 6)
    assert held.read == ["f_0006.tif"]


def test_the_memory_stays_bounded_and_a_picture_above_the_bound_is_still_given(held):
    arrays = Arrays(lambda: held.study, limit_bytes=BYTES // 2)
    for frame in FRAMES * 3:
        for view in (0, 1):
            assert arrays.picture("t", view, frame).shape == (SIZE, SIZE)
    assert len(held.read) == 18
    assert arrays._held_bytes == BYTES


@pytest.mark.parametrize("damage", ["missing", "damaged", "other size"])
def test_a_bad_picture_is_refused_and_the_circle_found_without_it(arrays, held, damage):
    path = held.study.trials[0].views[0].images[1].path
    if damage == "missing":
        path.unlink()
    elif damage == "damaged":
        path.write_bytes(path.read_bytes()[:300])
    else:
        tifffile.imwrite(path, np.full((SIZE, SIZE + 2), 60_000, dtype=np.uint16))
    with pytest.raises(ImageError, match=r"f_0006\.tif"):
        arrays.picture("t", 0, 6)
    with pytest.raises(ImageError, match=r"f_0006\.tif"):
        arrays.shots("t", 6)
    usable = arrays.usable("t", 0)
    v, u = np.mgrid[:SIZE, :SIZE]
    assert abs(int(usable.sum()) - np.pi * 25**2) < 0.1 * np.pi * 25**2
    assert not usable[np.hypot(u - SIZE / 2, v - SIZE / 2) > 28].any()
    assert len(arrays.shots("t", 9)) == 2
    write(path, circle_picture(25.0, 6))
    assert arrays.picture("t", 0, 6).shape == (SIZE, SIZE)


def test_without_any_readable_picture_every_pixel_counts(arrays, held):
    for link in held.study.trials[0].views[0].images:
        link.path.unlink()
    assert arrays.usable("t", 0).all()


def test_a_picture_of_another_size_says_both_sizes(arrays, held):
    path = held.study.trials[0].views[1].images[0].path
    tifffile.imwrite(path, np.zeros((SIZE // 2, SIZE), dtype=np.uint8))
    with pytest.raises(ImageError, match=rf"is {SIZE} x {SIZE // 2} px, but view B is calibrated for {SIZE} x {SIZE}"):
        arrays.picture("t", 1, 4)


def test_exclusions_change_what_is_usable_without_another_look_for_the_circle(arrays, held):
    before = arrays.usable("t", 0)
    assert arrays.usable("t", 0) is before
    read = len(held.read)
    square = ((20.0, 20.0), (30.0, 20.0), (30.0, 30.0), (20.0, 30.0))
    held.change_view(0, lambda plane: replace(plane, exclusions=(square,)))
    after = arrays.usable("t", 0)
    assert before[25, 25]
    assert not after[20:31, 20:31].any()
    assert (before & ~after).sum() == 11 * 11
    assert len(held.read) == read
    assert arrays.usable("t", 1)[25, 25]
    held.change_view(0, lambda plane: replace(plane, exclusions=()))
    assert np.array_equal(arrays.usable("t", 0), before)
    with pytest.raises(ValueError, match="read-only"):
        after[0, 0] = True


def test_another_trial_of_the_same_name_gets_its_own_circle(arrays, held, tmp_path):
    large = int(arrays.usable("t", 0).sum())
    held.study = make_study(tmp_path / "other", radius=12.0)
    assert int(arrays.usable("t", 0).sum()) < large / 3


def test_a_body_replaced_under_its_name_is_prepared_anew(arrays, held, tmp_path):
    first = arrays.body("femur")
    assert arrays.body("femur") is first
    mesh = implant(3.0).as_trimesh()
    mesh.apply_scale(0.5)
    mesh.export(tmp_path / "femur.stl")
    link = FileLink(path=tmp_path / "femur.stl", sha256="2")
    held.study = replace(held.study, bodies=(replace(held.study.bodies[0], mesh=link),))
    second = arrays.body("femur")
    assert np.ptp(second.mesh.vertices_mm) == pytest.approx(0.5 * np.ptp(first.mesh.vertices_mm), rel=1e-3)
    assert held.prepared == ["femur", "femur"]


def test_several_threads_share_one_preparation(arrays, held):
    barrier = threading.Barrier(4)

    def ask(_: int) -> Body:
        barrier.wait()
        return arrays.body("femur")

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert held.prepared == ["femur"]
    assert all(body is found[0] for body in found)


def test_threads_and_a_small_memory_give_the_right_pictures(held):
    arrays = Arrays(lambda: held.study, limit_bytes=2 * BYTES)

    def ask(number: int) -> bool:
        frame = FRAMES[number % 3]
        shots = arrays.shots("t", frame)
        return all(np.array_equal(shot.image, circle_picture(25.0, frame)) for shot in shots)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(90)))
    assert arrays._held_bytes == sum(image.nbytes for image in arrays._pictures.values()) <= 2 * BYTES


def test_a_failed_preparation_is_tried_again(arrays, held, tmp_path):
    whole = (tmp_path / "femur.stl").read_bytes()
    (tmp_path / "femur.stl").unlink()
    for _ in range(2):
        with pytest.raises(MeshError):
            arrays.body("femur")
    (tmp_path / "femur.stl").write_bytes(whole)
    assert arrays.body("femur").name == "femur"


def test_what_was_in_the_making_when_all_was_forgotten_is_not_kept(arrays, held):
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(arrays.body, "femur")
        while not held.prepared:
            time.sleep(0.001)
        arrays.forget()
        asked.result()
    arrays.body("femur")
    assert held.prepared == ["femur", "femur"]


def test_forgetting_reads_again(arrays, held):
    arrays.shots("t", 4)
    arrays.forget()
    held.read.clear()
    assert arrays.picture("t", 0, 4)[32, 32] == 40_004
    assert held.read == ["f_0004.tif"]


def test_names_that_do_not_exist_are_told(arrays):
    for ask in (
        lambda: arrays.picture("none", 0, 4),
        lambda: arrays.picture("t", 0, 5),
        lambda: arrays.usable("none", 0),
        lambda: arrays.body("hip"),
    ):
        with pytest.raises(StudyError, match="has no"):
            ask()
