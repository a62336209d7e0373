"""Simulated rigs: truth that holds together, distortions of the stated size, maps that are inverted exactly."""

import ast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CalibrationError
from core.simulation.phantoms.maps import GivenMap, points_on_disc, solved
from core.simulation.phantoms.rig import RigSettings, distortion_size_mm, make_rig
from tests.real_data import ROOT

SMALL = RigSettings(height_px=320)


@pytest.fixture(scope="module")
def rig():
    return make_rig(3, SMALL)


def test_the_simulator_shares_only_the_phantoms_data_with_the_calibration():
    """Estimators that are tested by their own code would agree with themselves."""
    sources = sorted((ROOT / "core" / "simulation" / "phantoms").glob("*.py"))
    assert len(sources) >= 8
    taken = set()
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            taken |= {name for name in names if name.startswith(("core.calibration", "core.geometry.distortion"))}
    assert taken == {"core.calibration.phantoms"}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["A", "B"])
def test_the_usual_distortion_is_as_large_as_a_real_one(seed, name):
    """Ten real calibrations of an intensifier: 1.21 to 1.28 mm RMS after the best similarity, at most 3.8 to 4.3 mm."""
    plane = make_rig(seed, RigSettings(height_px=400, level=0.0)).planes[name]
    size = distortion_size_mm(plane, points_on_disc(plane.field_mm))
    assert 1.15 < np.sqrt((size**2).mean()) < 1.35
    assert 2.8 < size.max() < 4.8


@pytest.mark.parametrize("level", [0.3, 1.0, 3.0])
def test_a_level_adds_its_share_of_other_shapes(level):
    """What level L adds has 0.32 L mm RMS after the best similarity."""
    usual, bent = (make_rig(1, RigSettings(height_px=400, level=amount)).planes["A"] for amount in (0.0, level))
    points = points_on_disc(usual.field_mm)
    added = (bent.map.px_from_mm(points) - usual.map.px_from_mm(points)) @ [1, -1j] * usual.map.pixel_mm
    design = np.column_stack([np.ones(len(points)), points @ [1, 1j]])
    left = added - design @ np.linalg.lstsq(design, added, rcond=None)[0]
    assert np.sqrt((np.abs(left) ** 2).mean()) == pytest.approx(0.32 * level, rel=0.02)


def test_the_whole_field_is_about_as_wide_as_the_picture():
    plane = make_rig(2).planes["A"]
    angle = np.linspace(0, 2 * np.pi, 90)
    edge = plane.field_centre_mm + plane.field_mm * np.column_stack([np.cos(angle), np.sin(angle)])
    pixels = plane.map.px_from_mm(edge)
    assert (plane.width_px, plane.height_px) == (1664, 1600)
    assert 1480 < np.ptp(pixels[:, 0]) < 1620
    assert 1480 < np.ptp(pixels[:, 1]) < 1620


@given(st.integers(0, 50), st.floats(-165, 165), st.floats(-165, 165))
def test_the_map_and_its_inverse_cancel(seed, x, y):
    plane = make_rig(seed, SMALL).planes["B"]
    point = np.array([[x, y]])
    np.testing.assert_allclose(plane.map.mm_from_px(plane.map.px_from_mm(point)), point, atol=1e-6)


def test_y_goes_up_and_x_to_the_right(rig):
    for plane in rig.planes.values():
        origin, right, up = plane.map.px_from_mm(np.array([[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]]))
        assert right[0] > origin[0] + 30
        assert up[1] < origin[1] - 30


def test_the_table_of_pixels_is_the_map(rig):
    plane = rig.planes["A"]
    rows, columns = np.mgrid[0 : plane.height_px : 37, 0 : plane.width_px : 29]
    exact = plane.map.mm_from_px(np.column_stack([columns.ravel(), rows.ravel()]).astype(float))
    np.testing.assert_allclose(plane.mm_of_pixels[rows.ravel(), columns.ravel()], exact, atol=1e-5)


def test_a_given_map_is_inverted_and_scaled():
    """Pixel edges, not centres, stay where they are when a picture is made smaller."""

    def mm_from_px(pixels):
        x, y = (pixels[:, 0] - 831.5) * 0.225, (799.5 - pixels[:, 1]) * 0.225
        return np.column_stack([x * (1 - 1e-6 * (x * x + y * y)) + 3.0, y + 2e-4 * x * x])

    full = make_rig(0, given={"A": mm_from_px, "B": mm_from_px}).planes["A"]
    half = make_rig(0, RigSettings(height_px=800), given={"A": mm_from_px}).planes["A"]
    points = points_on_disc(150.0, across=9)
    np.testing.assert_allclose(mm_from_px(full.map.px_from_mm(points)), points, atol=1e-7)
    np.testing.assert_allclose((half.map.px_from_mm(points) + 0.5) * 2 - 0.5, full.map.px_from_mm(points), atol=1e-6)


def test_a_map_that_folds_is_refused():
    with pytest.raises(CalibrationError, match="folds the picture"):
        solved(lambda points: points**2, np.array([[-1.0, -1.0]]), np.array([[0.3, 0.4]]), step=0.01)
    folding = GivenMap(function=lambda points: points * 0.0, width_px=10, height_px=10)
    with pytest.raises(CalibrationError, match="folds the picture"):
        folding.px_from_mm(np.array([[1.0, 1.0]]))


@pytest.mark.parametrize("seed", range(6))
def test_the_rig_is_one_that_could_stand_there(seed):
    rig = make_rig(seed, SMALL)
    assert rig.angle_deg == pytest.approx(110.0, abs=0.45)
    for plane in rig.planes.values():
        assert np.abs(plane.source_mm[:2]).max() <= 10.0
        assert 1847 <= plane.source_mm[2] <= 1863
    relation = rig.detector_a_from_detector_b
    sources = [rig.planes["A"].source_mm, relation.apply(rig.planes["B"].source_mm[None])[0]]
    axes = np.stack([[0.0, 0.0, -1.0], -relation.rotation[:, 2]])
    across = np.cross(*axes)
    across /= np.linalg.norm(across)
    principal = rig.planes["A"].source_mm.copy(), relation.apply(rig.planes["B"].source_mm[None])[0]
    assert abs((principal[1] - principal[0]) @ across) < 45.0, "the axes nearly cross"
    crossing = np.linalg.lstsq(np.column_stack([axes[0], -axes[1], across]), sources[1] - sources[0], rcond=None)[0]
    assert sources[0][2] - crossing[0] == pytest.approx(381.0, abs=25.0)


def test_the_pinhole_shows_what_the_source_casts(rig):
    """A straight picture's view and the shadow on the detector are the same thing said twice."""
    points_world = np.array([[20.0, -35.0, 381.0], [-60.0, 10.0, 300.0], [0.0, 0.0, 420.0]])
    for plane in rig.planes.values():
        view = plane.pinhole(0.5, 800, 700)
        shadow = plane.shadow_mm(plane.detector_from_world.apply(points_world))
        expected = shadow / 0.5 * [1.0, -1.0] + [399.5, 349.5]
        np.testing.assert_allclose(view.project(points_world), expected, atol=1e-9)
        assert view.detector_distance_mm == pytest.approx(plane.source_mm[2])
        np.testing.assert_allclose(
            plane.detector_from_world.apply(view.source_world_mm[None])[0], plane.source_mm, atol=1e-9
        )


def test_the_same_seed_gives_the_same_rig():
    one, same, other = (make_rig(seed, SMALL) for seed in (5, 5, 6))
    points = points_on_disc(100.0, across=5)
    for name in ("A", "B"):
        assert (one.planes[name].map.px_from_mm(points) == same.planes[name].map.px_from_mm(points)).all()
        assert (one.planes[name].source_mm != other.planes[name].source_mm).any()
    assert (one.planes["A"].source_mm != one.planes["B"].source_mm).any()


@pytest.mark.parametrize(
    "wrong", [{"height_px": 100}, {"level": -1.0}, {"angle_deg": 5.0}, {"distance_mm": 700.0}, {"field_mm": 10.0}]
)
def test_what_no_rig_is_gets_refused(wrong):
    with pytest.raises(CalibrationError):
        RigSettings(**wrong)
