"""A simulated session: all pictures, a truth that belongs to them, and the same bytes from the same seed."""

import json

import numpy as np
import pytest

from core.geometry.rigid import Rigid
from core.io.phantom_files import read_phantom
from core.simulation.phantoms.disc import rim_mm
from core.simulation.phantoms.plate import Seating
from core.simulation.phantoms.rig import RigSettings
from core.simulation.phantoms.session import SessionSettings, make_session, simulate_phantoms

SETTINGS = SessionSettings(
    grid=read_phantom("grid-45"),
    disc=read_phantom("disc-200"),
    beads=read_phantom("cube-8"),
    rig=RigSettings(height_px=256),
    seating=Seating(missing_share=0.1),
    poses=2,
)


def finished(seed):
    running = simulate_phantoms(make_session(seed, SETTINGS))
    pictures = []
    while True:
        try:
            pictures.append(next(running))
        except StopIteration as end:
            return pictures, end.value


@pytest.fixture(scope="module")
def session():
    return make_session(4, SETTINGS)


@pytest.fixture(scope="module")
def done():
    return finished(4)


def test_every_picture_is_there_once(done):
    pictures, _ = done
    names = [(made.folder, made.name) for made in pictures]
    assert len(set(names)) == len(names) == 16
    folders = [folder for folder, _ in names]
    for plane in "ab":
        assert [folders.count(f"{kind}_{plane}") for kind in ("white", "grid", "disc", "beads")] == [1, 1, 4, 2]
    assert [made.done for made in pictures] == list(range(1, 17))
    assert {made.count for made in pictures} == {16}
    assert {made.picture.shape for made in pictures} == {(256, 266)}
    assert len({made.picture.tobytes() for made in pictures}) == 16


def test_turns_sort_as_they_were_taken(done):
    pictures, _ = done
    names = [made.name for made in pictures if made.folder == "disc_a"]
    assert names == sorted(names) == ["turn_1_000_deg", "turn_2_090_deg", "turn_3_180_deg", "turn_4_270_deg"]


def test_the_truth_is_plain_json_and_says_where_things_are(done, session):
    truth = json.loads(json.dumps(done[1]))
    relation = np.array(truth["detector_a_from_detector_b"])
    assert np.degrees(np.arccos(relation[2, 2])) == pytest.approx(truth["angle_deg"])
    for name, plane in session.rig.planes.items():
        told = truth["planes"][name]
        np.testing.assert_allclose(told["source_mm"], plane.source_mm)
        points, pixels = np.array(told["distortion"]["points_mm"]), np.array(told["distortion"]["pixels"])
        np.testing.assert_allclose(plane.map.px_from_mm(points), pixels)
        assert len(told["grid_pixels"]) == len(told["grid_indices"])
        rows = {
            tuple(index): row for index, row in zip(truth["grid"]["indices"], truth["grid"]["places_mm"], strict=True)
        }
        places = np.array([rows[tuple(index)] for index in told["grid_indices"]])
        np.testing.assert_allclose(plane.map.px_from_mm(places), told["grid_pixels"], atol=1e-6)


def test_bead_pixels_follow_from_pose_relation_and_source(done, session):
    truth = done[1]
    beads = np.array(truth["beads"]["places_mm"])
    relation = np.array(truth["detector_a_from_detector_b"])
    a_from_b = Rigid(rotation=relation[:3, :3], translation_mm=relation[:3, 3])
    for pose, seen in zip(truth["beads"]["detector_a_from_phantom"], truth["planes"]["B"]["bead_pixels"], strict=True):
        in_a = beads @ np.array(pose)[:3, :3].T + np.array(pose)[:3, 3]
        in_b = a_from_b.inverse().apply(in_a)
        source = np.array(truth["planes"]["B"]["source_mm"])
        shadow = source[:2] + (in_b[:, :2] - source[:2]) * (source[2] / (source[2] - in_b[:, 2:]))
        np.testing.assert_allclose(session.rig.planes["B"].map.px_from_mm(shadow), seen, atol=1e-6)


def test_beads_are_seen_where_the_truth_says(done):
    pictures, truth = done
    picture = next(made.picture for made in pictures if (made.folder, made.name) == ("beads_b", "pose_02"))
    middle = float(np.median(picture[100:150, 100:150]))
    for u, v in np.round(truth["planes"]["B"]["bead_pixels"][1]).astype(int):
        assert picture[v, u] < 0.7 * middle


def test_the_disc_is_seen_where_the_truth_says(done, session):
    pictures, truth = done
    for number, made in enumerate(made for made in pictures if made.folder == "disc_a"):
        plane = session.rig.planes["A"]
        seat = tuple(truth["planes"]["A"]["disc_seats_mm"][number])
        edge = rim_mm(plane, session.disc, truth["disc"]["turns_deg"][number], seat)
        centre = edge.mean(axis=0)
        inside, outside = (
            np.round(plane.map.px_from_mm(centre + factor * (edge - centre))).astype(int) for factor in (0.97, 1.03)
        )
        light = made.picture.astype(float)
        assert light[inside[:, 1], inside[:, 0]].max() < 0.5 * light[outside[:, 1], outside[:, 0]].min()


def test_the_same_seed_gives_the_same_bytes(done):
    pictures, truth = done
    again, truth_again = finished(4)
    assert truth == truth_again
    assert all(one.picture.tobytes() == other.picture.tobytes() for one, other in zip(pictures, again, strict=True))
    other, _ = finished(5)
    assert not any(
        one.picture.tobytes() == another.picture.tobytes() for one, another in zip(pictures, other, strict=True)
    )
