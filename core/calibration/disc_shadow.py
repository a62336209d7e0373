"""Find the round shadow of the disc in a raw picture to about a pixel, or say what the picture shows instead."""

from dataclasses import dataclass
from typing import final

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from scipy import ndimage

from core.calibration.faults import CalibrationFaultError, Fault

_SMALL_PX = 416
"""Longer side of the reduced picture in which the shadow is looked for."""
_CABLE_PX = 11
"""Dark things narrower than this in the reduced picture are no disc."""
_LEAST_RADIUS = 0.06
"""Of the shorter side of the picture: a smaller shadow is not believed."""
_ROUND = 0.02
"""Of its radius: how far the outline of a round shadow may be off an ellipse, after the usual distortion."""
_SPOTS = 60
"""So many dark spots are a bead plate."""
_WHITES = (255, 1023, 4095, 16383, 65535)
_SATURATED_SHARE = 0.005


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipse:
    """An ellipse; v counts down where it is one of pixels."""

    centre: tuple[float, float]
    semi_axes: tuple[float, float]
    turn_rad: float
    """From u toward v to the first semi-axis."""

    @property
    def radius(self) -> float:
        """Of the circle of the same area."""
        return float(np.sqrt(self.semi_axes[0] * self.semi_axes[1]))

    def points(self, angles_rad: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
        """Points of the ellipse by its parameter."""
        return self._turned(np.column_stack([np.cos(angles_rad), np.sin(angles_rad)]) * self.semi_axes) + self.centre

    def normals(self, angles_rad: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n 2"]:
        """Unit vectors pointing out of the ellipse at those points."""
        out = self._turned(np.column_stack([np.cos(angles_rad), np.sin(angles_rad)]) / self.semi_axes)
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True))

    def _turned(self, points: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 2"]:
        cosine, sine = np.cos(self.turn_rad), np.sin(self.turn_rad)
        return np.asarray(points @ np.array([[cosine, sine], [-sine, cosine]]))


def fit_ellipse(points: Float[np.ndarray, "n 2"]) -> Ellipse:
    """The ellipse through points by direct least squares (Fitzgibbon, Pilu & Fisher 1999)."""
    middle = points.mean(axis=0)
    size = float(np.abs(points - middle).max())
    scaled = ((points - middle) / size * 1000.0).astype(np.float32)  # OpenCV rounds to float32: 1000 keeps 1e-4
    centre, axes, turn = cv2.fitEllipseDirect(scaled)
    return Ellipse(
        centre=(float(centre[0] * size / 1000.0 + middle[0]), float(centre[1] * size / 1000.0 + middle[1])),
        semi_axes=(float(axes[0] * size / 2000.0), float(axes[1] * size / 2000.0)),
        turn_rad=float(np.radians(turn)),
    )


def off_ellipse(points: Float[np.ndarray, "n 2"], ellipse: Ellipse) -> Float[np.ndarray, " n"]:
    """How far points lie outside an ellipse that is nearly a circle, along the ray from its centre."""
    cosine, sine = np.cos(ellipse.turn_rad), np.sin(ellipse.turn_rad)
    away = (points - ellipse.centre) @ np.array([[cosine, -sine], [sine, cosine]])
    share = np.linalg.norm(away / ellipse.semi_axes, axis=1)
    return np.asarray(np.linalg.norm(away, axis=1) * (1.0 - 1.0 / share))


def find_shadow(light: Float32[np.ndarray, "h w"], name: str) -> Ellipse:
    """Where the disc's shadow is in a picture of linear intensities, in pixels of that picture.

    Args:
        light: bright is air.
        name: what the picture is called in messages.

    Raises:
        CalibrationFaultError: no disc, a disc that the edge of the field cuts, another phantom, or something else.
    """
    factor = max(light.shape) / _SMALL_PX
    size = (max(16, round(light.shape[1] / factor)), max(16, round(light.shape[0] / factor)))
    small = cv2.resize(light, size, interpolation=cv2.INTER_AREA)
    bright = _bright(small, name)
    _refuse_spots(~bright, name)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_CABLE_PX, _CABLE_PX))
    dark = cv2.morphologyEx(np.pad((~bright).astype(np.uint8), _CABLE_PX, mode="edge"), cv2.MORPH_OPEN, kernel)
    dark = dark[_CABLE_PX:-_CABLE_PX, _CABLE_PX:-_CABLE_PX]
    outline = _enclosed_outline(dark.astype(bool), _LEAST_RADIUS * min(size))
    if outline is None:
        raise _what_else(bright, name)
    ellipse = fit_ellipse(outline)
    off = np.abs(off_ellipse(outline, ellipse))
    if np.percentile(off, 75) > max(1.0, _ROUND * ellipse.radius) or min(ellipse.semi_axes) < 0.85 * ellipse.radius:
        raise CalibrationFaultError(
            Fault.NOT_A_PHANTOM,
            f"{name}: the largest dark shape is not round; is it a picture of the source disc? Take it again with "
            "nothing but the disc on its tube in the beam",
        )
    scale = np.array([light.shape[1] / size[0], light.shape[0] / size[1]])
    return Ellipse(
        centre=tuple((np.array(ellipse.centre) + 0.5) * scale - 0.5),
        semi_axes=tuple(np.array(ellipse.semi_axes) * scale.mean()),
        turn_rad=ellipse.turn_rad,
    )


def refuse_saturated(picture: np.ndarray, name: str) -> None:
    """Refuse a picture whose brightest parts are clipped: its 50 % level would lie elsewhere.

    Raises:
        CalibrationFaultError: more than 0.5 % of the bright part is white.
    """
    white = int(picture.max())
    if not np.issubdtype(picture.dtype, np.integer) or white not in _WHITES:
        return
    share = float((picture == white).mean() / max((picture > 0.5 * white).mean(), 1e-9))
    if share > _SATURATED_SHARE:
        raise CalibrationFaultError(
            Fault.SATURATED,
            f"{name}: {share:.1%} of the bright part is saturated (grey value {white}), so that the edge of the shadow "
            "cannot be measured; lower the dose or the gain and take it again",
        )


def _bright(small: Float32[np.ndarray, "h w"], name: str) -> Bool[np.ndarray, "h w"]:
    low, high = np.percentile(small, [0.5, 99.5])
    if not high > low * 1.02 + 1e-12:
        raise CalibrationFaultError(
            Fault.NO_DISC, f"{name}: there is no contrast in it; was the beam on, and the disc on its tube?"
        )
    grey = ((small - low) / (high - low) * 255.0).clip(0, 255).astype(np.uint8)
    grey = cv2.medianBlur(grey, 3)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return np.asarray(grey > level)


def _refuse_spots(dark: Bool[np.ndarray, "h w"], name: str) -> None:
    labels, _ = ndimage.label(dark)
    areas = np.bincount(labels.ravel())[1:]
    spots = int(((areas >= 2) & (areas < 60)).sum())
    if spots >= _SPOTS:
        raise CalibrationFaultError(
            Fault.WRONG_PHANTOM,
            f"{name}: {spots} small dark spots and not one disc: this looks like the bead plate of the distortion; "
            "choose the pictures of the source disc",
        )


def _enclosed_outline(dark: Bool[np.ndarray, "h w"], least_radius_px: float) -> Float[np.ndarray, "n 2"] | None:
    """The outline of the largest dark part that does not touch the picture's frame."""
    labels, _ = ndimage.label(dark)
    frame = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    areas[frame] = 0
    largest = int(areas.argmax())
    if areas[largest] < np.pi * least_radius_px**2:
        return None
    filled: UInt8[np.ndarray, "h w"] = ndimage.binary_fill_holes(labels == largest).astype(np.uint8)
    outline, _ = cv2.findContours(filled, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(outline[0].reshape(-1, 2), dtype=np.float64)


def _what_else(bright: Bool[np.ndarray, "h w"], name: str) -> CalibrationFaultError:
    """Why there is no whole disc: cut by the edge of the field, or none at all."""
    labels, _ = ndimage.label(bright)
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    outline, _ = cv2.findContours((labels == largest).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = np.zeros(bright.shape, dtype=np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(outline[0]), 1)
    hollow, _ = ndimage.label(hull.astype(bool) & ~bright)
    areas = np.bincount(hollow.ravel())
    areas[0] = 0
    if areas.max(initial=0) > 0.02 * hull.sum() and _inner_arc_is_round(hollow == areas.argmax(), hull):
        return CalibrationFaultError(
            Fault.CUT_DISC,
            f"{name}: the disc's shadow is cut off by the edge of the field; move the tube to the middle, or open the "
            "collimator, so that the whole shadow is seen with a bright ring around it",
        )
    return CalibrationFaultError(
        Fault.NO_DISC,
        f"{name}: no disc is seen in it: a large round shadow inside the bright field is needed; is the "
        "disc on its tube?",
    )


def _inner_arc_is_round(part: Bool[np.ndarray, "h w"], hull: UInt8[np.ndarray, "h w"]) -> bool:
    """Whether the border of a dark part lies on a circle where it is not the border of the field."""
    outline, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = max(outline, key=len).reshape(-1, 2)
    inside = cv2.distanceTransform(np.pad(hull, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    arc = points[inside[points[:, 1], points[:, 0]] > 5.0].astype(np.float64)
    if len(arc) < 30:
        return False
    terms = np.column_stack([arc, np.ones(len(arc))])
    solved = np.linalg.lstsq(terms, (arc**2).sum(axis=1), rcond=None)[0]
    centre = 0.5 * solved[:2]
    radius = float(np.sqrt(max(solved[2] + centre @ centre, 0.0)))
    off = np.abs(np.linalg.norm(arc - centre, axis=1) - radius)
    return bool(radius > 0.05 * min(part.shape) and np.percentile(off, 75) < max(1.0, _ROUND * radius))
