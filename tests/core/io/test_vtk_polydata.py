"""VTK's surface files, as VTK itself writes them and damaged."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import VTK_FLOAT, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkIOLegacy import vtkPolyDataWriter
from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

from core.errors import MeshError
from core.io.mesh_files import read_surface
from core.io.vtk_polydata import fans, strips
from tests.scenes import lopsided

MESH = lopsided(4)


def poly_data(vertices: np.ndarray, faces: np.ndarray, single: bool = False) -> vtkPolyData:
    points = vtkPoints()
    kind = np.float32 if single else np.float64
    points.SetData(numpy_to_vtk(vertices.astype(kind), deep=True, array_type=VTK_FLOAT if single else None))
    cells = vtkCellArray()
    offsets = np.arange(0, faces.size + 1, faces.shape[1], dtype=np.int64)
    cells.SetData(
        numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(faces.ravel().astype(np.int64), deep=True)
    )
    data = vtkPolyData()
    data.SetPoints(points)
    data.SetPolys(cells)
    normals = numpy_to_vtk(np.ones((len(vertices), 3)), deep=True)
    normals.SetName("Normals and more")
    data.GetPointData().SetNormals(normals)
    lines = vtkCellArray()
    lines.InsertNextCell(2, [0, 1])
    data.SetLines(lines)
    return data


def assert_same(path, mesh=MESH, tolerance=0.0):
    again = read_surface(path)
    np.testing.assert_allclose(again.vertices_mm[again.faces], mesh.vertices_mm[mesh.faces], rtol=0, atol=tolerance)
    assert len(again.vertices_mm) == len(mesh.vertices_mm)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "text"])
@pytest.mark.parametrize("version", [42, 51], ids=["4.2", "5.1"])
@pytest.mark.parametrize("single", [True, False], ids=["float", "double"])
def test_legacy_files(tmp_path, binary, version, single):
    writer = vtkPolyDataWriter()
    writer.SetInputData(poly_data(MESH.vertices_mm, MESH.faces, single))
    writer.SetFileName(str(tmp_path / "m.vtk"))
    writer.SetFileVersion(version)
    writer.SetFileTypeToBinary() if binary else writer.SetFileTypeToASCII()
    assert writer.Write() == 1
    assert_same(tmp_path / "m.vtk", tolerance=1e-4 if single or not binary else 0.0)


@pytest.mark.parametrize("mode", ["Ascii", "Binary", "Appended", "AppendedBase64"])
@pytest.mark.parametrize("compressor", ["None", "ZLib", "LZ4", "LZMA"])
@pytest.mark.parametrize("header", ["UInt32", "UInt64"])
@pytest.mark.parametrize("order", ["LittleEndian", "BigEndian"])
def test_xml_files(tmp_path, mode, compressor, header, order):
    writer = vtkXMLPolyDataWriter()
    writer.SetInputData(poly_data(MESH.vertices_mm, MESH.faces))
    writer.SetFileName(str(tmp_path / "m.vtp"))
    getattr(writer, f"SetDataModeTo{mode.removesuffix('Base64')}")()
    writer.SetEncodeAppendedData(mode.endswith("Base64"))
    getattr(writer, f"SetCompressorTypeTo{compressor}")()
    getattr(writer, f"SetHeaderTypeTo{header}")()
    getattr(writer, f"SetByteOrderTo{order}")()
    writer.SetBlockSize(4096)
    assert writer.Write() == 1
    assert_same(tmp_path / "m.vtp", tolerance=1e-9)


def test_quadrangles_are_cut_in_two(tmp_path):
    square = np.array([[0.0, 0, 0], [50, 0, 0], [50, 50, 0], [0, 50, 0]])
    for name, writer in (("q.vtk", vtkPolyDataWriter()), ("q.vtp", vtkXMLPolyDataWriter())):
        writer.SetInputData(poly_data(square, np.array([[0, 1, 2, 3]])))
        writer.SetFileName(str(tmp_path / name))
        writer.Write()
        mesh = read_surface(tmp_path / name)
        assert mesh.vertices_mm[mesh.faces].tolist() == square[[[0, 1, 2], [0, 2, 3]]].tolist()


def test_strips_are_unrolled_and_wound_alike(tmp_path):
    points = np.array([[0.0, 0, 0], [0, 50, 0], [50, 0, 0], [50, 50, 0], [100, 0, 0]])
    data = vtkPolyData()
    vtk_points = vtkPoints()
    vtk_points.SetData(numpy_to_vtk(points, deep=True))
    data.SetPoints(vtk_points)
    cells = vtkCellArray()
    cells.InsertNextCell(5, [0, 2, 1, 3, 4])
    data.SetStrips(cells)
    for name, writer in (("s.vtk", vtkPolyDataWriter()), ("s.vtp", vtkXMLPolyDataWriter())):
        writer.SetInputData(data)
        writer.SetFileName(str(tmp_path / name))
        writer.Write()
        mesh = read_surface(tmp_path / name)
        assert len(mesh.faces) == 3
    a, b, c = np.moveaxis(points[strips(np.array([0, 2, 1, 3]), np.array([4]))], 1, 0)
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()


def test_several_pieces_are_one_surface(tmp_path):
    piece = (
        '<Piece NumberOfPoints="3" NumberOfPolys="1"><Points><DataArray type="Float32" NumberOfComponents="3" '
        'format="ascii">{z} 0 0 {z} 50 0 {z} 0 50</DataArray></Points><Polys><DataArray type="Int32" '
        'Name="connectivity" format="ascii">0 1 2</DataArray><DataArray type="Int32" Name="offsets" '
        'format="ascii">3</DataArray></Polys></Piece>'
    )
    text = '<VTKFile type="PolyData"><PolyData>' + piece.format(z=0) + piece.format(z=9) + "</PolyData></VTKFile>"
    (tmp_path / "m.vtp").write_text(text)
    mesh = read_surface(tmp_path / "m.vtp")
    assert mesh.vertices_mm[mesh.faces][:, :, 0].tolist() == [[0, 0, 0], [9, 9, 9]]


@given(st.lists(st.integers(0, 7), max_size=20))
def test_fans_of_polygons(sizes):
    ends = np.cumsum(sizes, dtype=np.int64)
    corners = np.arange(sum(sizes)) * 10
    expected = [
        [10 * (end - size), 10 * (end - size + k), 10 * (end - size + k + 1)]
        for end, size in zip(ends.tolist(), sizes, strict=True)
        for k in range(1, size - 1)
    ]
    assert fans(corners, ends).tolist() == expected


def legacy(body: str, version: str = "3.0") -> bytes:
    return f"# vtk DataFile Version {version}\ntitle\nASCII\n{body}\n".encode()


TRIANGLE = "DATASET POLYDATA\nPOINTS 3 float\n0 0 0 50 0 0\n0 50 0\nPOLYGONS 1 4\n3 0 1 2\n"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("m.vtk", legacy("DATASET UNSTRUCTURED_GRID\n"), "holds UNSTRUCTURED_GRID, not POLYDATA"),
        ("m.vtk", legacy("POINTS 3 float\n"), "holds no data set"),
        ("m.vtk", legacy(TRIANGLE, "9.0"), "version 9 is newer"),
        ("m.vtk", legacy(TRIANGLE.replace("0 50 0\n", "")), "damaged or no VTK file"),
        ("m.vtk", legacy(TRIANGLE.replace("3 0 1 2", "3 0 1")), "damaged or no VTK file: 3 numbers .* 4 should"),
        ("m.vtk", legacy(TRIANGLE.replace("3 0 1 2", "3 0 1 7")), "vertex that is not there"),
        ("m.vtk", legacy(TRIANGLE.replace("3 0 1 2", "3 0 1 -1")), "vertex that is not there"),
        ("m.vtk", legacy(TRIANGLE.replace("POLYGONS 1 4", "POLYGONS 2 4")), "cells stand where 2 should"),
        ("m.vtk", legacy(TRIANGLE.replace("POLYGONS", "POLYGANS")), "'POLYGANS' stands where a section"),
        ("m.vtk", legacy(TRIANGLE.replace("float", "complex")), "damaged or no VTK file"),
        ("m.vtk", legacy(TRIANGLE[: TRIANGLE.index("POLY", 20)]), "holds no faces, perhaps only points"),
        ("m.vtp", b'<VTKFile type="ImageData"></VTKFile>', "holds ImageData, not PolyData"),
        ("m.vtp", b'<VTKFile type="PolyData"><PolyData></VTKFile>', "no XML"),
        ("m.vtp", b'<VTKFile type="PolyData" compressor="vtkFoo"></VTKFile>', "compressed by vtkFoo, which is unknown"),
        ("m.vtp", b'<VTKFile type="PolyData"></VTKFile>', "no faces"),
        ("m.vtp", b'<!DOCTYPE x [<!ENTITY a "b">]><VTKFile type="PolyData"/>', "defines XML entities"),
        ("m.vtp", b'<VTKFile type="PolyData"><AppendedData encoding="raw">_xx', "appended data are cut short"),
    ],
)
def test_damaged_files_are_told_what_is_wrong(tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(MeshError, match=words) as caught:
        read_surface(path)
    assert str(path) in str(caught.value)


def test_the_good_text_file_is_good(tmp_path):
    path = tmp_path / "m.vtk"
    path.write_bytes(legacy(TRIANGLE).replace(b"\n", b"\r\n"))
    assert read_surface(path).vertices_mm.tolist() == [[0, 0, 0], [50, 0, 0], [0, 50, 0]]


def _samples() -> dict[str, bytes]:
    small = lopsided(0)
    writers = {}
    for name, binary, version in (("text 4.vtk", False, 42), ("binary 5.vtk", True, 51)):
        writers[name] = vtkPolyDataWriter()
        writers[name].SetFileVersion(version)
        writers[name].SetFileType(2 if binary else 1)
    for mode in ("Ascii", "Binary", "Appended"):
        writers[f"{mode}.vtp"] = vtkXMLPolyDataWriter()
        getattr(writers[f"{mode}.vtp"], f"SetDataModeTo{mode}")()
    samples = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, writer in writers.items():
            writer.SetInputData(poly_data(small.vertices_mm, small.faces))
            writer.SetFileName(str(Path(folder) / name))
            writer.Write()
            samples[name] = (Path(folder) / name).read_bytes()
    return samples


SAMPLES = _samples()


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
    st.floats(0.05, 1),
)
def test_no_bytes_bring_it_down(tmp_path_factory, name, changes, share):
    path = tmp_path_factory.mktemp("noise") / name
    raw = bytearray(SAMPLES[name])
    for at, byte in changes:
        raw[int(at * (len(raw) - 1))] = byte
    path.write_bytes(raw[: int(share * len(raw))])
    try:
        read_surface(path)
    except MeshError as error:
        assert str(path) in str(error)  # noqa: PT017
