"""MayaCam 2.0 and 1.0 calibration files of XMALab and Autoscoper, as views.

Version 2.0 is plain OpenCV: ``x_camera = R x_world + t``. Version 1.0 holds the camera's position, Euler angles of
OpenGL axes and a principal point counted from 1 at the bottom left; it has one focal length for both directions.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from core.errors import CalibrationError, GeometryError
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.io.replacing import replace_file
from core.io.rounding import rigid_from_file
from core.io.text_files import numbers_of, read_text

LENGTHS_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0}
"""Units that MayaCam files are found in, and their size in mm."""

_SHAPES = {"image size": (1, 2), "camera matrix": (3, 3), "rotation": (3, 3), "translation": (3, 1)}
_FIRST_VERSION_ROWS = (
    "camera position x,y,z",
    "camera angles rx,ry,rz",
    "film plane x,y,z",
    "principal point and distance u0,v0,Z",
    "scale,width,height",
)
_OPENCV_FROM_OPENGL = np.diag([1.0, -1.0, -1.0])
_SMALLEST_RIG_MM = 300.0
_USUAL_SIZE_PX = 1024


class _Row(NamedTuple):
    line: int
    values: list[float]


def read_mayacam(path: Path, name: str, *, lengths: str = "mm") -> View:
    """The view that a MayaCam 1.0 or 2.0 file describes; the version is recognised.

    Args:
        path: the file.
        name: what to call the view.
        lengths: unit of the lengths in the file, "mm", "cm" (older files) or "m"; the file does not say.

    Raises:
        CalibrationError: the file is missing or broken, says so with file and line, or holds a lens distortion.
    """
    return read_mayacam_with_notes(path, name, lengths=lengths)[0]


def read_mayacam_with_notes(path: Path, name: str, *, lengths: str = "mm") -> tuple[View, tuple[str, ...]]:
    """As ``read_mayacam``, and what a person should know about how the file was understood.

    Raises:
        CalibrationError: as there.
    """
    path = Path(path)
    if lengths not in LENGTHS_MM:
        raise CalibrationError(f"lengths of a MayaCam file are in mm, cm or m, not {lengths!r}")
    lines = read_text(path, "calibration", CalibrationError).splitlines()
    first = next(line.strip() for line in lines if line.strip())
    scale = LENGTHS_MM[lengths]
    notes: tuple[str, ...] = ()
    if first.lower().startswith("image size"):
        view = _second_version(_sections(lines, path), path, name, scale)
    elif numbers_of(first) is not None:
        view, notes = _first_version(lines, path, name, scale)
    else:
        raise CalibrationError(
            f"calibration {path} is no MayaCam file: it begins with {first[:40]!r}, a MayaCam 2.0 file with "
            "'image size' and a MayaCam 1.0 file with three numbers; export it again from XMALab"
        )
    return view, (*notes, *_doubts_about_lengths(view, lengths))


def write_mayacam2(view: View, path: Path) -> None:
    """Write a view as a MayaCam 2.0 file in mm that reads back to the bit; the pixel spacing has no place in it.

    Raises:
        StorageError: the disk is full, read-only or gone; an old file stays as it was.
    """
    camera_matrix = [[view.focal_px[0], 0.0, view.principal_px[0]], [0.0, view.focal_px[1], view.principal_px[1]]]
    sections: Mapping[str, list[list[float]]] = {
        "image size": [[view.width_px, view.height_px]],
        "camera matrix": [*camera_matrix, [0, 0, 1]],
        "rotation": view.camera_from_world.rotation.tolist(),
        "translation": [[number] for number in view.camera_from_world.translation_mm.tolist()],
    }
    blocks = [
        "\n".join([title, *(",".join(repr(number) for number in row) for row in rows), ""])
        for title, rows in sections.items()
    ]
    replace_file(Path(path), "\n".join(blocks).encode("ascii"), lambda draft: _check_same(draft, view))


def _check_same(draft: Path, view: View) -> None:
    back = read_mayacam(draft, view.name)
    if (back.focal_px, back.principal_px) != (view.focal_px, view.principal_px):
        raise CalibrationError(f"view {view.name!r} cannot be written as MayaCam 2.0: it reads back differently")


def _sections(lines: list[str], path: Path) -> dict[str, list[_Row]]:
    sections: dict[str, list[_Row]] = {}
    title = ""
    for number, line in enumerate(lines, start=1):
        if not line.strip().strip(","):
            continue
        values = numbers_of(line)
        if values is None:
            title = line.strip().strip(",").lower()
            if title in sections:
                raise CalibrationError(f"calibration {path}, line {number}: section {title!r} stands twice; remove one")
            if title not in _SHAPES and "distortion" not in title:
                raise CalibrationError(
                    f"calibration {path}, line {number}: {line.strip()[:40]!r} is neither numbers nor a section of "
                    "a MayaCam 2.0 file (image size, camera matrix, rotation, translation)"
                )
            sections[title] = []
        else:
            _refuse_not_finite(values, line, number, path)
            sections[title].append(_Row(number, values))
    return sections


def _refuse_not_finite(values: list[float], line: str, number: int, path: Path) -> None:
    if not np.isfinite(values).all():
        raise CalibrationError(
            f"calibration {path}, line {number}: {line.strip()[:60]!r} holds something that is no finite number; "
            "numbers are separated by commas and have decimal points"
        )


def _second_version(sections: dict[str, list[_Row]], path: Path, name: str, scale: float) -> View:
    _refuse_distortion(sections, path)
    tables = {title: _table(sections, title, path) for title in _SHAPES}
    focal_px, principal_px = _intrinsics(tables["camera matrix"], sections["camera matrix"][0].line, path)
    width, height = _size(tables["image size"][0], sections["image size"][0].line, path)
    try:
        pose = rigid_from_file(tables["rotation"], tables["translation"].reshape(3) * scale)
    except GeometryError as error:
        line = sections["rotation"][0].line
        raise CalibrationError(f"calibration {path}, line {line}, rotation: {error}") from error
    return _view(path, name, pose, focal_px, principal_px, (width, height))


def _refuse_distortion(sections: dict[str, list[_Row]], path: Path) -> None:
    for title, rows in sections.items():
        if title not in _SHAPES and any(number != 0.0 for row in rows for number in row.values):
            raise CalibrationError(
                f"calibration {path}, line {rows[0].line}: it holds a lens distortion (section {title!r}), so the "
                "pictures as they were taken are bent; export undistorted pictures from XMALab, then remove that "
                "section from a copy of this file to say that they are straight"
            )


def _table(sections: dict[str, list[_Row]], title: str, path: Path) -> Float[np.ndarray, "rows columns"]:
    rows, columns = _SHAPES[title]
    if title not in sections:
        raise CalibrationError(f"calibration {path} has no section {title!r}; export it again as MayaCam 2.0")
    found = sections[title]
    if title == "translation" and [len(row.values) for row in found] == [3]:
        return np.array(found[0].values).reshape(3, 1)
    for row in found:
        if len(row.values) != columns:
            raise CalibrationError(
                f"calibration {path}, line {row.line}: {title} needs {columns} numbers a line, found {len(row.values)}"
            )
    if len(found) != rows:
        where = f", line {found[-1].line}" if found else ""
        raise CalibrationError(
            f"calibration {path}{where}: {title} needs {rows} lines of numbers, found {len(found)}; "
            "the file is cut short or holds too much"
        )
    return np.array([row.values for row in found])


def _intrinsics(
    matrix: Float[np.ndarray, "3 3"], line: int, path: Path
) -> tuple[tuple[float, float], tuple[float, float]]:
    where = f"calibration {path}, line {line}: the camera matrix"
    if matrix[0, 2] == matrix[1, 2] == 0 and (matrix[2, :2] != 0).any():
        raise CalibrationError(f"{where} is transposed: the principal point belongs into the last column")
    if not np.allclose(matrix[2], [0, 0, 1]) or matrix[1, 0] != 0:
        raise CalibrationError(f"{where} must read fx,0,cx / 0,fy,cy / 0,0,1")
    if abs(matrix[0, 1]) > 1e-9 * abs(matrix[0, 0]):
        raise CalibrationError(f"{where} is skewed ({matrix[0, 1]:g} px); only pictures with square corners are read")
    return (float(matrix[0, 0]), float(matrix[1, 1])), (float(matrix[0, 2]), float(matrix[1, 2]))


def _size(values: Float[np.ndarray, " two"], line: int, path: Path) -> tuple[int, int]:
    width, height = (float(value) for value in values)
    if not (width.is_integer() and height.is_integer() and width > 0 and height > 0):
        raise CalibrationError(
            f"calibration {path}, line {line}: the image size must be two positive whole numbers (width, height), "
            f"found {width:g} and {height:g}"
        )
    return int(width), int(height)


def _view(
    path: Path,
    name: str,
    camera_from_world: Rigid,
    focal_px: tuple[float, float],
    principal_px: tuple[float, float],
    size_px: tuple[int, int],
) -> View:
    try:
        return View(
            name=name,
            camera_from_world=camera_from_world,
            focal_px=focal_px,
            principal_px=principal_px,
            width_px=size_px[0],
            height_px=size_px[1],
        )
    except CalibrationError as error:
        raise CalibrationError(f"calibration {path}: {error}") from error


def _first_version(lines: list[str], path: Path, name: str, scale: float) -> tuple[View, tuple[str, ...]]:
    """Camera to world is ``Rz Ry Rx`` in OpenGL axes; ``u0 = cx + 1``, ``v0 = H - cy``, ``|Z| = f``."""
    position, angles_deg, _, (u0, v0, z), (_, width, height) = _first_version_rows(lines, path)
    notes: tuple[str, ...] = ()
    if width == 0 or height == 0:
        width, height = width or _USUAL_SIZE_PX, height or _USUAL_SIZE_PX
        notes = (f"{path.name} does not say the picture size; it was taken as {width:g} x {height:g} px",)
    size = _size(np.array([width, height]), 5, path)
    world_from_opengl = Rotation.from_euler("ZYX", [angles_deg[::-1]], degrees=True).as_matrix()[0]
    rotation = _OPENCV_FROM_OPENGL @ world_from_opengl.T
    pose = Rigid(rotation=rotation, translation_mm=-rotation @ (np.array(position) * scale))
    focal_px = abs(z)
    return _view(path, name, pose, (focal_px, focal_px), (u0 - 1.0, size[1] - v0), size), notes


def _first_version_rows(lines: list[str], path: Path) -> list[list[float]]:
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip().strip(","):
            continue
        if len(rows) == len(_FIRST_VERSION_ROWS):
            raise CalibrationError(
                f"calibration {path}, line {number}: a MayaCam 1.0 file has five lines, this has more"
            )
        meaning = _FIRST_VERSION_ROWS[len(rows)]
        values = numbers_of(line)
        if values is None or len(values) != 3:
            raise CalibrationError(
                f"calibration {path}, line {number}: expected three numbers ({meaning}), found {line.strip()[:60]!r}"
            )
        _refuse_not_finite(values, line, number, path)
        rows.append(values)
    if len(rows) != len(_FIRST_VERSION_ROWS):
        raise CalibrationError(
            f"calibration {path}: a MayaCam 1.0 file has five lines of three numbers, this has {len(rows)}; "
            "the file is cut short"
        )
    return rows


def _doubts_about_lengths(view: View, lengths: str) -> tuple[str, ...]:
    distance = float(np.linalg.norm(view.camera_from_world.translation_mm))
    if lengths == "mm" and _SMALLEST_RIG_MM / 15 < distance < _SMALLEST_RIG_MM:
        return (
            f"view {view.name}: the X-ray source is only {distance:.0f} mm from the origin of the world; if the "
            "file is in cm, as older ones are, say so",
        )
    return ()
