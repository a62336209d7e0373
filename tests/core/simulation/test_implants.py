"""The parametric components: closed, of human size, and nowhere near symmetric."""

import numpy as np
import pytest
from scipy.spatial import KDTree

from core.errors import MeshError
from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_crossing import crossing_share
from core.geometry.symmetry import find_symmetry
from core.simulation.implants import Side, femoral_component, tibial_component

COMPONENTS = pytest.mark.parametrize("make", [femoral_component, tibial_component])


def edge_lengths(mesh: TriangleMesh) -> np.ndarray:
    a, b, c = np.moveaxis(mesh.vertices_mm[mesh.faces], 1, 0)
    return np.concatenate([np.linalg.norm(p - q, axis=1) for p, q in ((a, b), (b, c), (c, a))])


@COMPONENTS
@pytest.mark.parametrize("edge_mm", [0.9, 1.5, 2.5])
def test_closed_in_one_piece_and_simple_at_every_density(make, edge_mm):
    mesh = make(edge_mm)
    assert mesh.is_closed
    assert mesh.volume_mm3 > 0
    assert len(mesh.as_trimesh().split(only_watertight=False)) == 1
    assert crossing_share(mesh) < 0.01
    lengths = edge_lengths(mesh)
    assert 0.3 * edge_mm < np.median(lengths) < 1.1 * edge_mm
    assert lengths.max() < 2.5 * edge_mm


def test_sizes_are_those_of_medium_components():
    femoral, tibial = femoral_component(1.5), tibial_component(1.5)
    np.testing.assert_allclose(femoral.extent_mm, [66.0, 58.0, 64.5], atol=1.5)
    np.testing.assert_allclose(tibial.extent_mm, [74.0, 50.0, 50.0], atol=1.5)
    assert 35e3 < femoral.volume_mm3 < 55e3
    assert 15e3 < tibial.volume_mm3 < 25e3


@COMPONENTS
def test_densities_describe_the_same_shape(make):
    fine, coarse = make(0.9), make(1.8)
    assert len(fine.faces) > 2 * len(coarse.faces)
    assert coarse.volume_mm3 == pytest.approx(fine.volume_mm3, rel=0.006)
    np.testing.assert_allclose(coarse.corners_mm, fine.corners_mm, atol=0.1)
    gap, _ = KDTree(fine.vertices_mm).query(coarse.vertices_mm)
    assert gap.max() < 0.9, "no vertex lies further from the other surface than its edges are long"


@COMPONENTS
def test_left_is_the_mirror_image_of_right(make):
    right, left = make(1.5), make(1.5, Side.LEFT)
    assert left.is_closed
    assert left.volume_mm3 == pytest.approx(right.volume_mm3, rel=1e-9)
    low, high = right.corners_mm
    mirrored_low, mirrored_high = left.corners_mm
    np.testing.assert_allclose([mirrored_low[0], mirrored_high[0]], [-high[0], -low[0]], atol=1e-9)


@COMPONENTS
def test_no_mirror_plane_to_be_trapped_by(make):
    assert find_symmetry(make(1.5)) is None


def test_medial_and_lateral_condyles_differ():
    points = femoral_component(0.9).vertices_mm
    medial, lateral = points[points[:, 0] > 12], points[points[:, 0] < -12]
    assert lateral[:, 1].min() - medial[:, 1].min() > 0.3, "the medial condyle reaches further down"
    assert lateral[:, 2].min() - medial[:, 2].min() > 0.5, "and further back"
    front = points[points[:, 2] > 15]
    assert front[front[:, 0] < -8][:, 1].max() - front[front[:, 0] > 8][:, 1].max() > 3.0, "flange"


@COMPONENTS
@pytest.mark.parametrize("edge_mm", [0.0, -1.0, 0.01, 30.0])
def test_senseless_edge_lengths_are_refused(make, edge_mm):
    with pytest.raises(MeshError, match="edge length"):
        make(edge_mm)


@COMPONENTS
def test_made_the_same_every_time(make):
    first, second = make(1.5), make(1.5)
    assert first.vertices_mm.tobytes() == second.vertices_mm.tobytes()
    assert first.faces.tobytes() == second.faces.tobytes()
