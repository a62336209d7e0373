"""JointTrack's one-plane calibration and pose files.

Its camera looks along -z with x right and y up, the source at the origin; the world of such a calibration is that
camera frame, so poses in its files are already ``world_from_body``.
"""

import math
from pathlib import Path

import numpy as np

from core.errors import CalibrationError, PoseError
from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.io.text_files import numbers_of, read_text

TITLE = "JT_INTCALIB"
BIPLANE_TITLE = "JTA_INTCALIB_BIPLANE"
_KINEMATICS = ("JT_EULER_312", "JTA_EULER_KINEMATICS")
_UNSET = "NOT_OPTIMIZED"
_CALIBRATION_NUMBERS = ("source-to-detector distance mm", "x offset mm", "y offset mm", "pixel size mm")

OPENCV_FROM_JOINTTRACK = Rigid(rotation=np.diag([1.0, -1.0, -1.0]), translation_mm=np.zeros(3))
"""Camera frame as used here (y down, z to the detector) from JointTrack's (y up, z to the viewer)."""


def read_jointtrack_calibration(path: Path, name: str, picture_size: tuple[int, int]) -> View:
    """The view that a JT_INTCALIB file describes, for pictures of a size in pixels (width, height).

    ``u = W/2 + xoff/p + (SID/p) X/(-Z)`` counted from the picture's left edge, ``v`` likewise from its bottom edge.

    Raises:
        CalibrationError: the file is missing or broken, or is for two planes.
    """
    path = Path(path)
    words = read_text(path, "calibration", CalibrationError).replace(",", " ").split()
    if words[0] == BIPLANE_TITLE:
        raise CalibrationError(
            f"calibration {path} is for two planes ({BIPLANE_TITLE}); give each view its own file, as MayaCam 2.0"
        )
    if words[0] != TITLE:
        raise CalibrationError(f"calibration {path} is no JointTrack calibration: it begins with {words[0][:40]!r}")
    distance_mm, x_mm, y_mm, spacing_mm = _calibration_numbers(words[1:], path)
    width, height = picture_size
    focal_px = distance_mm / spacing_mm
    try:
        return View(
            name=name,
            camera_from_world=OPENCV_FROM_JOINTTRACK,
            focal_px=(focal_px, focal_px),
            principal_px=(width / 2 + x_mm / spacing_mm - 0.5, height / 2 - y_mm / spacing_mm - 0.5),
            width_px=width,
            height_px=height,
            pixel_spacing_mm=spacing_mm,
        )
    except CalibrationError as error:
        raise CalibrationError(f"calibration {path}: {error}") from error


def _calibration_numbers(words: list[str], path: Path) -> list[float]:
    numbers = [numbers_of(word) for word in words]
    if len(words) != len(_CALIBRATION_NUMBERS):
        raise CalibrationError(
            f"calibration {path}: {TITLE} is followed by four numbers ({', '.join(_CALIBRATION_NUMBERS)}), "
            f"found {len(words)}"
        )
    values = [math.nan if number is None else number[0] for number in numbers]
    for word, value, meaning in zip(words, values, _CALIBRATION_NUMBERS, strict=True):
        if not math.isfinite(value):
            raise CalibrationError(f"calibration {path}: the {meaning} must be a number, found {word[:40]!r}")
    for index in (0, 3):
        if values[index] <= 0:
            raise CalibrationError(
                f"calibration {path}: the {_CALIBRATION_NUMBERS[index]} must be positive, found {values[index]:g}"
            )
    return values


def read_jts(path: Path, view: View | None = None) -> tuple[Rigid | None, ...]:
    """Poses of a .jts or .jtak file as ``world_from_body``, one a row; None where a row is not optimised.

    Rows are x, y, z, z_rot, x_rot, y_rot: millimetres and degrees, ``R = Rz Rx Ry``, model to JointTrack's camera.

    Args:
        path: the file.
        view: the view whose camera the poses are given in; None where the world is that camera, as with
            JointTrack's own calibration.

    Raises:
        PoseError: the file is missing or broken; the message names the line.
    """
    path = Path(path)
    lines = read_text(path, "pose file", PoseError).splitlines()
    if lines[0].split(",")[0].strip() not in _KINEMATICS:
        raise PoseError(
            f"pose file {path}, line 1: expected {' or '.join(_KINEMATICS)}, found {lines[0].strip()[:40]!r}"
        )
    poses = [_pose(line, number, path) for number, line in enumerate(lines[2:], start=3) if line.strip()]
    if view is None:
        return tuple(poses)
    world_from_jointtrack = view.camera_from_world.inverse() @ OPENCV_FROM_JOINTTRACK
    return tuple(None if pose is None else world_from_jointtrack @ pose for pose in poses)


def _pose(line: str, number: int, path: Path) -> Rigid | None:
    if line.strip().strip(",").strip().upper() == _UNSET:
        return None
    values = numbers_of(line)
    where = f"pose file {path}, line {number}"
    if values is None or len(values) != 6:
        raise PoseError(f"{where}: expected six numbers or {_UNSET}, found {line.strip()[:60]!r}")
    if not np.isfinite(values).all():
        raise PoseError(f"{where}: {line.strip()[:60]!r} holds something that is no finite number")
    if values[2] >= 0:
        raise PoseError(
            f"{where}: z is {values[2]:g} mm, behind the X-ray source; JointTrack's z is negative in front of it"
        )
    return Rigid.from_euler(values[3:], values[:3], order="ZXY")
