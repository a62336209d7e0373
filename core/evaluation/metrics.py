"""The error measures of the field's papers, so that results can be set beside theirs.

Every function compares poses pairwise: ``found`` with ``truth``, both world_from_body. Landmarks are points of a body.
Sources: Gopalakrishnan et al. (xvr), Methods M.2, equations 15-21; Shrestha et al. (scene coordinates), equation 6 and
section 3.3; Wang et al. (Veriserum), section 3.2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from jaxtyping import Float

from core.errors import CalibrationError, PoseError
from core.geometry.rigid import Rigid
from core.geometry.view import View

GROSS_FAILURE_MM = 10.0
"""A mean target registration error above this is a gross failure."""


def target_errors_mm(
    found: Sequence[Rigid], truth: Sequence[Rigid], landmarks_body_mm: Float[np.ndarray, "m 3"]
) -> Float[np.ndarray, " n"]:
    """Target registration error (mTRE) of each pose, mm: mean distance of the landmarks in space.

    Raises:
        PoseError: not as many found as true poses, or none; no landmarks.
    """
    points = _landmarks(landmarks_body_mm)
    return np.array([_mean_norm(a.apply(points) - b.apply(points)) for a, b in _pairs(found, truth)])


def projection_errors_mm(
    found: Sequence[Rigid], truth: Sequence[Rigid], landmarks_body_mm: Float[np.ndarray, "m 3"], view: View
) -> Float[np.ndarray, " n"]:
    """Projection error (mPE) of each pose, mm on the detector: mean distance of the projected landmarks.

    Raises:
        PoseError: as ``target_errors_mm``; a landmark behind the source.
        CalibrationError: the view does not know its pixel spacing.
    """
    points = _landmarks(landmarks_body_mm)
    return np.array(
        [_mean_norm(_on_detector(a, points, view) - _on_detector(b, points, view)) for a, b in _pairs(found, truth)]
    )


def reprojection_errors_mm(
    found: Sequence[Rigid], truth: Sequence[Rigid], landmarks_body_mm: Float[np.ndarray, "m 3"], view: View
) -> Float[np.ndarray, " n"]:
    """Reprojection error (mRPE) of each pose, mm: mean distance of the landmarks' images in the body's space.

    xvr moves the C-arm about a body at rest: each pose puts the detector elsewhere, and the landmarks' images on both
    detectors are compared there. (Its equation 16 leaves the detectors' poses out and would repeat mPE; its text and
    its figures do not.)

    Raises:
        PoseError: as ``target_errors_mm``; a landmark behind the source.
        CalibrationError: the view does not know its pixel spacing.
    """
    points = _landmarks(landmarks_body_mm)
    distance = _detector_distance(view)

    def lifted(pose: Rigid) -> Float[np.ndarray, "m 3"]:
        flat = _on_detector(pose, points, view)
        camera = np.column_stack([flat, np.full(len(flat), distance)])
        return (view.camera_from_world @ pose).inverse().apply(camera)

    return np.array([_mean_norm(lifted(a) - lifted(b)) for a, b in _pairs(found, truth)])


def geodesic_deg(found: Sequence[Rigid], truth: Sequence[Rigid]) -> Float[np.ndarray, " n"]:
    """Angle of the rotation between each pair (deg).

    Raises:
        PoseError: not as many found as true poses, or none.
    """
    return np.array([float(a.angle_deg_to(b)) for a, b in _pairs(found, truth)])


def double_geodesic_mm(found: Sequence[Rigid], truth: Sequence[Rigid], view: View) -> Float[np.ndarray, " n"]:
    """Double geodesic distance (dGeo) of each pose, mm: ``sqrt((f/2 angle)^2 + |t - t'|^2)``.

    Here f is the source-to-detector distance and t where the body's origin lies in front of the source.

    Raises:
        PoseError: not as many found as true poses, or none.
        CalibrationError: the view does not know its pixel spacing.
    """
    radius = _detector_distance(view) / 2
    shifts = [np.linalg.norm(a.translation_mm - b.translation_mm) for a, b in _pairs(found, truth)]
    return np.hypot(radius * np.radians(geodesic_deg(found, truth)), shifts)


def in_plane_l1_mm(
    found: Sequence[Rigid], truth: Sequence[Rigid], pivot_body_mm: Float[np.ndarray, "3"], view: View
) -> Float[np.ndarray, " n"]:
    """In-plane L1 error of each pose (mm): mean of the absolute shifts along the two axes of the picture, at the body.

    The mean of both axes, as the paper's "MAE"; along the ray nothing counts.

    Raises:
        PoseError: not as many found as true poses, or none.
    """
    pivot = np.asarray(pivot_body_mm, dtype=np.float64)[None]
    axes = view.camera_from_world.rotation[:2]
    shifts = [(a.apply(pivot)[0] - b.apply(pivot)[0]) @ axes.T for a, b in _pairs(found, truth)]
    return np.asarray(np.abs(shifts).mean(axis=1))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """What the papers' tables hold of one error a pose (mm)."""

    gross_failure: float
    """GFR: share above 10 mm, 0..1. An error that is not a number counts as one."""
    submillimetre: float
    """SMSR: share below 1 mm, 0..1."""
    percentiles_mm: tuple[float, float, float, float, float]
    """The 5th, 25th, 50th, 75th and 95th; infinite where failures without a pose reach."""

    @classmethod
    def of(cls, errors_mm: Float[np.ndarray, " n"]) -> Self:
        """Summarise; cases without a result are NaN and count as failures.

        Raises:
            PoseError: no errors.
        """
        if not len(errors_mm):
            raise PoseError("there are no errors to summarise")
        errors = np.where(np.isfinite(errors_mm), errors_mm, np.inf)
        low, first, middle, third, high = np.percentile(errors, [5, 25, 50, 75, 95], method="inverted_cdf").tolist()
        return cls(
            gross_failure=float(np.mean(errors > GROSS_FAILURE_MM)),
            submillimetre=float(np.mean(errors < 1.0)),
            percentiles_mm=(low, first, middle, third, high),
        )

    @property
    def interquartile_mm(self) -> float:
        """Distance of the quartiles."""
        return self.percentiles_mm[3] - self.percentiles_mm[1]


def _pairs(found: Sequence[Rigid], truth: Sequence[Rigid]) -> list[tuple[Rigid, Rigid]]:
    if len(found) != len(truth) or not found:
        raise PoseError(f"{len(found)} poses cannot be compared with {len(truth)} reference poses")
    return list(zip(found, truth, strict=True))


def _landmarks(points_body_mm: Float[np.ndarray, "m 3"]) -> Float[np.ndarray, "m 3"]:
    points = np.asarray(points_body_mm, dtype=np.float64)
    if points.ndim != 2 or points.shape[-1] != 3 or not len(points):
        raise PoseError(f"landmarks must be one or more points of three coordinates, got an array of {points.shape}")
    return points


def _on_detector(pose: Rigid, points: Float[np.ndarray, "m 3"], view: View) -> Float[np.ndarray, "m 2"]:
    """Where landmarks appear on the detector, mm from the principal point."""
    pixels = view.project(pose.apply(points))
    if not np.isfinite(pixels).all():
        raise PoseError(f"a landmark lies behind the source of view {view.name!r}: it has no projection")
    return (pixels - view.principal_px) / view.focal_px * _detector_distance(view)


def _detector_distance(view: View) -> float:
    distance = view.detector_distance_mm
    if distance is None:
        raise CalibrationError(
            f"view {view.name!r} does not know its pixel spacing, so that errors on its detector have no millimetres"
        )
    return distance


def _mean_norm(vectors: Float[np.ndarray, "m k"]) -> float:
    return float(np.linalg.norm(vectors, axis=-1).mean())
