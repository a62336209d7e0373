"""Surfaces of every format, units, and files that are no surfaces."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import MeshError, UnitsError
from core.geometry.mesh import TriangleMesh
from core.io.mesh_files import LARGEST_MM, SMALLEST_MM, UNITS_MM, guess_units, read_mesh, read_surface
from tests.scenes import lopsided

MESH = lopsided(2)


def binary_stl(corners: np.ndarray, title: bytes = b"solid but binary") -> bytes:
    rows = b"".join(struct.pack("<12fH", 0, 0, 0, *triangle.ravel(), 0) for triangle in corners)
    return title.ljust(80) + struct.pack("<I", len(corners)) + rows


def text_stl(corners: np.ndarray) -> str:
    facets = "".join(
        "facet normal 0 0 0\n outer loop\n"
        + "".join(f"  vertex {x!r} {y!r} {z!r}\n" for x, y, z in triangle.tolist())
        + " endloop\nendfacet\n"
        for triangle in corners
    )
    return f"solid knee\n{facets}endsolid knee\n"


def same_surface(a: TriangleMesh, b: TriangleMesh, tolerance: float) -> bool:
    """The same triangles in the same order, however vertices are numbered."""
    return len(a.faces) == len(b.faces) and np.allclose(
        a.vertices_mm[a.faces], b.vertices_mm[b.faces], rtol=0, atol=tolerance
    )


@pytest.mark.parametrize(
    ("name", "kind"), [("m.stl", "stl"), ("m.stl", "stl_ascii"), ("m.obj", "obj"), ("m.ply", "ply"), ("M.PLY", "ply")]
)
def test_formats_that_others_write(tmp_path, name, kind):
    path = tmp_path / name
    data = MESH.as_trimesh().export(file_type=kind)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    again = read_mesh(path, "mm")
    assert same_surface(again, MESH, 1e-4)
    assert len(again.vertices_mm) == len(MESH.vertices_mm)
    assert again.is_closed
    assert again.volume_mm3 == pytest.approx(MESH.volume_mm3, rel=1e-5)


def test_text_ply_with_quadrangles_and_more_properties(tmp_path):
    path = tmp_path / "q.ply"
    path.write_text(
        "ply\nformat ascii 1.0\ncomment x\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
        "property uchar red\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
        "0 0 0 9\n50 0 0 9\n50 50 0 9\n0 50 0 9\n4 0 1 2 3\n"
    )
    assert len(read_mesh(path, "mm").faces) == 2


def test_obj_with_groups_normals_negative_and_missing_material(tmp_path):
    path = tmp_path / "o.obj"
    path.write_text(
        "# x\nmtllib gone.mtl\no one\nv 0 0 0\nv 50 0 0\nv 50 50 0\nv 0 50 0\nvn 0 0 1\nusemtl gone\nf 1//1 2//1 3//1\n"
        "o two\nf -4 -2 -1\n"
    )
    mesh = read_mesh(path, "mm")
    assert len(mesh.faces) == 2
    assert len(mesh.vertices_mm) == 4


@given(st.integers(0, 2**32 - 1))
def test_binary_and_text_stl_mean_the_same(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("stl")
    corners = np.random.default_rng(seed).normal(0, 50, (7, 3, 3)).astype(np.float32)
    (folder / "b.stl").write_bytes(binary_stl(corners))
    (folder / "t.stl").write_text(text_stl(corners))
    binary, text = (read_surface(folder / name) for name in ("b.stl", "t.stl"))
    assert np.array_equal(binary.vertices_mm, text.vertices_mm)
    assert np.array_equal(binary.faces, text.faces)
    assert np.array_equal(binary.vertices_mm[binary.faces], corners.astype(np.float64))


def test_equal_vertices_become_one_exactly_and_nearly_equal_ones_stay(tmp_path):
    a, b, c, d = [0.0, 0, 0], [50.0, 0, 0], [0.0, 50, 0], [0.0, 0, 50]
    almost_b = [np.nextafter(np.float32(50), np.float32(60)), 0, 0]
    minus_zero = [-0.0, 0, -0.0]
    corners = np.array([[a, c, b], [minus_zero, b, d], [a, d, c], [almost_b, c, d]], dtype=np.float32)
    path = tmp_path / "s.stl"
    path.write_bytes(binary_stl(corners))
    mesh = read_surface(path)
    assert len(mesh.vertices_mm) == 5
    assert mesh.faces.tolist() == [[0, 1, 2], [0, 2, 3], [0, 3, 1], [4, 1, 3]]


def test_faces_that_are_lines_or_points_go(tmp_path):
    a, b, c = [0.0, 0, 0], [50.0, 0, 0], [0.0, 50, 0]
    path = tmp_path / "s.stl"
    path.write_bytes(binary_stl(np.array([[a, b, c], [a, a, b], [b, b, b], [c, a, c]])))
    assert read_surface(path).faces.tolist() == [[0, 1, 2]]
    path.write_bytes(binary_stl(np.array([[a, a, b], [b, b, b]])))
    with pytest.raises(MeshError, match="all of its faces are lines or points"):
        read_surface(path)


# --- units ---------------------------------------------------------------------------------------------------------


@given(st.floats(1e-3, 1e5))
def test_a_guess_is_plausible_and_the_likeliest_first(longest):
    guess = guess_units(np.array([longest / 3, longest, longest / 2]))
    assert set(guess.units) == {u for u, mm in UNITS_MM.items() if SMALLEST_MM <= longest * mm <= LARGEST_MM}
    off = [abs(np.log(longest * UNITS_MM[unit] / 80)) for unit in guess.units]
    assert off == sorted(off)
    assert guess.likely == (guess.units[0] if guess.units else None)
    for unit in UNITS_MM:
        assert f"{unit} (" in guess.question


def test_units_are_asked_for_with_the_likely_answer(tmp_path):
    path = tmp_path / "femur.stl"
    path.write_bytes(binary_stl((MESH.vertices_mm * 0.001)[MESH.faces]))
    with pytest.raises(UnitsError, match=r"femur\.stl does not say its units: .*m \(.*m fits a knee.*--units"):
        read_mesh(path, None)
    np.testing.assert_allclose(read_mesh(path, "m").extent_mm, MESH.extent_mm, rtol=1e-5)


@pytest.mark.parametrize(("true", "said"), [("m", "mm"), ("cm", "mm"), ("mm", "cm"), ("mm", "m"), ("m", "cm")])
def test_units_off_by_ten_or_a_thousand_are_refused_with_the_likely_one(tmp_path, true, said):
    path = tmp_path / "femur.stl"
    path.write_bytes(binary_stl((MESH.vertices_mm * 1.3 / UNITS_MM[true])[MESH.faces]))
    with pytest.raises(UnitsError, match=rf"in {said} would be .* long, but parts .*probably in {true}$"):
        read_mesh(path, said)
    read_mesh(path, true)


def test_unknown_units_and_hopeless_sizes(tmp_path):
    path = tmp_path / "femur.stl"
    path.write_bytes(binary_stl((MESH.vertices_mm * 1e6)[MESH.faces]))
    with pytest.raises(UnitsError, match=r"units 'inch' are unknown; .*mm, cm, m"):
        read_mesh(path, "inch")
    with pytest.raises(UnitsError, match="check its export"):
        read_mesh(path, "mm")
    with pytest.raises(UnitsError, match="None of these is the size"):
        read_mesh(path, None)


# --- what is no surface --------------------------------------------------------------------------------------------

POINT_CLOUD = (
    b"ply\nformat ascii 1.0\nelement vertex 2\nproperty float x\nproperty float y\nproperty float z\nend_header\n"
    b"0 0 0\n1 1 1\n"
)
STL = binary_stl(MESH.vertices_mm[MESH.faces])


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("empty.stl", b"", "is empty"),
        ("blank.obj", b" \n\n", "is empty"),
        ("none.stl", b"solid x\nendsolid x\n", "holds no faces"),
        ("zero.stl", binary_stl(np.zeros((0, 3, 3)), b"x"), "holds no faces"),
        ("text.stl", b"this is not a mesh at all\n" * 9, "no STL file"),
        ("cut.stl", STL[:-30], r"cut short: it says \d+ triangles and holds \d+"),
        ("cut.stl", text_stl(MESH.vertices_mm[MESH.faces])[:-700].encode(), "cut short: 'endsolid' is missing"),
        ("odd.stl", text_stl(np.ones((2, 3, 3))).replace("vertex", "corner", 1).encode(), "not three for each facet"),
        ("word.stl", text_stl(np.ones((2, 3, 3))).replace("1.0", "one", 1).encode(), "damaged or no STL file"),
        ("nan.stl", binary_stl(np.full((1, 3, 3), np.nan)), "no finite numbers"),
        ("points.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\n", "no faces"),
        ("text.obj", b"hello\n", "damaged or no OBJ|no faces"),
        ("wild.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n", "vertex that is not there|damaged"),
        ("points.ply", POINT_CLOUD, "holds no faces, perhaps only points"),
        ("text.ply", b"hello\n", "does not begin with 'ply'"),
        ("cut.ply", MESH.as_trimesh().export(file_type="ply")[:-900], "damaged or no PLY"),
        ("text.vtk", b"hello\n", "does not begin as a VTK file"),
        ("text.vtp", b"hello\n", "it is no XML"),
        ("html.vtp", b"<html></html>", "holds html, not PolyData"),
        ("knee.doc", b"x", r"no known kind; it may be \.stl"),
    ],
)
def test_what_is_no_surface_is_told_so(tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(MeshError, match=words) as caught:
        read_mesh(path, "mm")
    assert str(path) in str(caught.value)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(MeshError, match=r"gone\.stl is missing"):
        read_surface(tmp_path / "gone.stl")
    (tmp_path / "folder.stl").mkdir()
    with pytest.raises(MeshError, match="is a folder"):
        read_surface(tmp_path / "folder.stl")


def test_bytes_behind_the_triangles_of_a_binary_stl_are_left_aside(tmp_path):
    path = tmp_path / "m.stl"
    path.write_bytes(binary_stl(MESH.vertices_mm[MESH.faces], b"x") + b"colour table")
    assert len(read_surface(path).faces) == len(MESH.faces)


SAMPLES = {
    kind: (data if isinstance(data, bytes) else data.encode())
    for kind in ("stl", "obj", "ply")
    for data in [lopsided(0).as_trimesh().export(file_type=kind)]
}


@settings(max_examples=150)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.floats(0.05, 1),
)
def test_no_bytes_bring_it_down(tmp_path_factory, kind, changes, share):
    path = tmp_path_factory.mktemp("noise") / f"m.{kind}"
    raw = bytearray(SAMPLES[kind])
    for at, byte in changes:
        raw[int(at * (len(raw) - 1))] = byte
    path.write_bytes(raw[: int(share * len(raw))])
    try:
        read_surface(path)
    except MeshError as error:
        assert str(path) in str(error)  # noqa: PT017
