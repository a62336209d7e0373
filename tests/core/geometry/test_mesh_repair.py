"""Closing, winding, uniting and refusing surfaces."""

import numpy as np
import pytest
import trimesh

from core.errors import MeshError
from core.geometry.levels_of_detail import levels_of_detail
from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_crossing import crossing_share
from core.geometry.mesh_repair import repair
from core.geometry.symmetry import find_symmetry
from core.registration.body import prepare_body
from core.rendering.coverage import silhouette_change_mm
from tests.scenes import lopsided, of_trimesh


def without_faces(mesh: TriangleMesh, count: int) -> TriangleMesh:
    return TriangleMesh(vertices_mm=mesh.vertices_mm, faces=mesh.faces[count:])


def joined(one: TriangleMesh, other: TriangleMesh) -> TriangleMesh:
    return TriangleMesh(
        vertices_mm=np.concatenate([one.vertices_mm, other.vertices_mm]),
        faces=np.concatenate([one.faces, other.faces + len(one.vertices_mm)]),
    )


def test_volume_of_a_box_and_its_flip():
    box = of_trimesh(trimesh.creation.box((10, 20, 30)))
    assert box.volume_mm3 == pytest.approx(6000)
    assert box.flipped().volume_mm3 == pytest.approx(-6000)
    assert box.is_closed
    np.testing.assert_allclose(box.extent_mm, [10, 20, 30])


def test_a_hole_is_found_and_closed_with_a_note():
    whole = lopsided()
    holed = without_faces(whole, 1)
    assert not holed.is_closed
    assert len(holed.open_edges) == 3
    done = repair(holed)
    assert done.mesh.is_closed
    assert done.mesh.volume_mm3 == pytest.approx(whole.volume_mm3, rel=1e-4)
    assert "1 hole with 3 open edges" in done.notes[0]


def test_inward_faces_are_turned():
    done = repair(lopsided().flipped())
    assert done.mesh.volume_mm3 > 0
    assert any("inward" in note for note in done.notes)


def test_mixed_winding_is_made_consistent():
    mesh = lopsided(3)
    faces = mesh.faces.copy()
    faces[10:60] = faces[10:60, ::-1]
    done = repair(TriangleMesh(vertices_mm=mesh.vertices_mm, faces=faces))
    assert done.mesh.is_closed
    assert done.mesh.volume_mm3 == pytest.approx(mesh.volume_mm3)


def test_soup_is_welded():
    mesh = lopsided(3)
    soup = TriangleMesh(
        vertices_mm=mesh.vertices_mm[mesh.faces].reshape(-1, 3), faces=np.arange(3 * len(mesh.faces)).reshape(-1, 3)
    )
    assert not soup.is_closed
    done = repair(soup)
    assert done.mesh.is_closed
    assert not done.filled


def test_overlapping_shells_are_united():
    box = of_trimesh(trimesh.creation.box((20, 20, 20)))
    other = TriangleMesh(vertices_mm=box.vertices_mm + np.array([10.0, 1.0, 2.0]), faces=box.faces)
    done = repair(joined(box, other))
    assert any("united" in note for note in done.notes)
    assert done.mesh.volume_mm3 == pytest.approx(2 * 8000 - 10 * 19 * 18, rel=1e-5)


def test_separate_shells_are_left_alone():
    box = of_trimesh(trimesh.creation.box((20, 20, 20)))
    other = TriangleMesh(vertices_mm=box.vertices_mm + np.array([50.0, 0.0, 0.0]), faces=box.faces)
    done = repair(joined(box, other))
    assert done.notes == ()
    assert done.mesh.volume_mm3 == pytest.approx(16000)


def test_a_sheet_is_refused():
    sheet = TriangleMesh(vertices_mm=[[0, 0, 0], [50, 0, 0], [50, 50, 0], [0, 50, 0]], faces=[[0, 1, 2], [0, 2, 3]])
    with pytest.raises(MeshError, match="no volume"):
        repair(sheet, name="the surface of 'sheet'")


@pytest.mark.parametrize(
    ("vertices", "faces", "words"),
    [
        (np.zeros((0, 3)), np.zeros((0, 3), int), "empty"),
        (np.zeros((3, 3)), [[0, 1, 5]], "not there"),
        ([[0, 0, np.nan], [1, 0, 0], [0, 1, 0]], [[0, 1, 2]], "not finite"),
    ],
)
def test_broken_surfaces_are_refused(vertices, faces, words):
    with pytest.raises(MeshError, match=words):
        TriangleMesh(vertices_mm=np.asarray(vertices, float), faces=np.asarray(faces))


def test_faces_without_area_only():
    flat = TriangleMesh(vertices_mm=[[0, 0, 0], [0, 0, 0], [1, 1, 1]], faces=[[0, 1, 2]])
    with pytest.raises(MeshError, match="no faces with an area"):
        repair(flat)


def test_self_crossing_is_noticed():
    clean = lopsided(3)
    assert crossing_share(clean) == 0.0
    v = clean.vertices_mm.copy()
    v[:, 0] = np.where(v[:, 0] > 8, 16 - 2 * v[:, 0], v[:, 0])
    folded = TriangleMesh(vertices_mm=v, faces=clean.faces)
    assert crossing_share(folded) > 0.1


def test_levels_are_closed_and_keep_the_volume():
    levels = levels_of_detail(lopsided(5))
    assert len(levels.meshes) >= 3
    for level, tolerance in zip(levels.meshes, levels.tolerances_mm, strict=True):
        assert level.is_closed
        assert level.volume_mm3 == pytest.approx(levels.meshes[0].volume_mm3, rel=0.01)
        assert silhouette_change_mm(levels.meshes[0], level) <= max(tolerance, 0.02)
    counts = [len(level.faces) for level in levels.meshes]
    assert counts == sorted(counts, reverse=True)


def test_a_level_that_loses_volume_is_dropped():
    thin = of_trimesh(trimesh.creation.cylinder(radius=3.0, height=80.0, sections=200))
    levels = levels_of_detail(thin, tolerances_mm=(0.01, 2.5))
    assert 2.5 not in levels.tolerances_mm
    assert any("dropped" in note for note in levels.notes)


def test_mirror_symmetry_is_found_only_where_it_is():
    assert find_symmetry(lopsided()) is None
    stem = trimesh.creation.box((70, 45, 4))
    keel = trimesh.creation.box((20, 8, 40))
    keel.apply_translation([0, 6, -21])
    tray = repair(joined(of_trimesh(stem), of_trimesh(keel))).mesh
    found = find_symmetry(tray)
    assert found is not None
    assert abs(found.mirror_normal[0]) > 0.99
    assert abs(found.turn_axis[2]) > 0.8
    assert found.departure_mm < 0.6


def test_a_prepared_body_tells_what_was_done():
    body = prepare_body("femur", without_faces(lopsided(), 2))
    assert body.mesh.is_closed
    assert any("hole" in note for note in body.notes)
    assert any("silhouette" in note for note in body.notes)
    assert len(body.levels) == len(body.tolerances_mm)
    assert body.level_for(1e9) is body.levels[-1]
    assert body.level_for(0.0) is body.mesh
