"""Masks of one body on small pictures, and poses placed so that the body's shadows lie on them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, final
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from jaxtyping import Bool, Float

from core.errors import RegistrationError
from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_repair import as_manifold, from_manifold
from core.geometry.rigid import Rigid
from core.geometry.view import NEAREST_DEPTH_MM, View
from core.registration.values import Body
from core.rendering.coverage import shadow_on_mask

_MARGIN = 0.35
"""Of the mask's size, kept around it."""
_ROUNDS = 3
_ROUGH_MM = 1.0
_ROUGH: WeakKeyDictionary[Body, TriangleMesh] = WeakKeyDictionary()


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SmallMask:
    """A mask cut out and shrunk, with the view of that cut."""

    view: View
    mask: Bool[np.ndarray, "h w"]
    centre_px: Float[np.ndarray, "2"]
    area_px: float


def small_mask(view: View, mask: Bool[np.ndarray, "h w"], longest_px: int) -> SmallMask | None:
    """The mask on a cut of at most ``longest_px`` a side; None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    margin = int(_MARGIN * max(rows[-1] - rows[0], columns[-1] - columns[0])) + 2
    left, top = max(int(columns[0]) - margin, 0), max(int(rows[0]) - margin, 0)
    width = min(int(columns[-1]) + margin + 1, view.width_px) - left
    height = min(int(rows[-1]) + margin + 1, view.height_px) - top
    scale = min(1.0, longest_px / max(width, height))
    size = (max(round(width * scale), 4), max(round(height * scale), 4))
    part = mask[top : top + height, left : left + width].astype(np.float32)
    small = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA)) > 0.5
    if not small.any():
        return None
    where = np.argwhere(small)[:, ::-1]
    return SmallMask(
        view=view.cropped(left, top, width, height).scaled(*size),
        mask=small,
        centre_px=where.mean(axis=0),
        area_px=float(len(where)),
    )


def triangulated(masks: Sequence[SmallMask]) -> tuple[Float[np.ndarray, "3"], float]:
    """The point nearest to the rays through the masks' centres, and how far it is from them at most (mm).

    Raises:
        RegistrationError: fewer than two masks.
    """
    if len(masks) < 2:
        raise RegistrationError("a point needs masks in two views to be triangulated")
    sources, rays = zip(*[_ray(mask) for mask in masks], strict=True)
    across = [np.eye(3) - np.outer(ray, ray) for ray in rays]
    point = np.linalg.solve(sum(across), sum(a @ s for a, s in zip(across, sources, strict=True)))
    gaps = [float(np.linalg.norm(a @ (point - s))) for a, s in zip(across, sources, strict=True)]
    return np.asarray(point), max(gaps)


def _ray(mask: SmallMask) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Source and direction of the ray through a mask's centre, in the world."""
    world_from_camera = mask.view.camera_from_world.inverse()
    ray = world_from_camera.rotate(mask.view.back_project_camera(mask.centre_px[None]))[0]
    return mask.view.source_world_mm, ray / np.linalg.norm(ray)


def first_place(body: Body, masks: Sequence[SmallMask]) -> Float[np.ndarray, "3"]:
    """Where the body's pivot is, roughly: triangulated, or in one view as far away as its size says."""
    if len(masks) > 1:
        return triangulated(masks)[0]
    mask = masks[0]
    size_px = float(np.sqrt(mask.area_px))
    size_mm = float(np.sort(body.mesh.extent_mm)[1:].prod() ** 0.5) * 0.8
    depth = max(mask.view.focal_px[0] * size_mm / size_px, 2 * NEAREST_DEPTH_MM)
    ray = mask.view.back_project_camera(mask.centre_px[None])[0]
    return np.asarray(mask.view.camera_from_world.inverse().apply(depth * ray[None])[0])


def rough_surface(body: Body) -> TriangleMesh:
    """The body's surface to within a millimetre: enough for masks on small pictures, with few faces."""
    known = _ROUGH.get(body)
    if known is None:
        known = body.levels[-1]
        solid = as_manifold(known)
        if solid is not None:
            simpler = from_manifold(solid.simplify(_ROUGH_MM))
            if simpler.is_closed and simpler.volume_mm3 > 0.9 * known.volume_mm3:
                known = simpler
        _ROUGH[body] = known
    return known


def placed(body: Body, rotation: Float[np.ndarray, "3 3"], place_mm: Float[np.ndarray, "3"]) -> Rigid:
    """The pose with a rotation that puts the pivot at a place."""
    return Rigid(rotation=rotation, translation_mm=place_mm - rotation @ body.pivot_mm)


def laid_on(body: Body, start: Rigid, masks: Sequence[SmallMask], rounds: int = _ROUNDS) -> tuple[Rigid, float]:
    """The pose shifted until its shadows' centres lie on the masks', and the overlap (0..1) it then has.

    In one view the depth follows the ratio of the areas; with two it follows from the centres.
    The overlap is the intersection over the union, mean over the masks.
    """
    surface = rough_surface(body)
    pose, overlap = start, 0.0
    for at in range(rounds + 1):
        shadows = [_shadow(surface, mask, pose) for mask in masks]
        if min(shadow.area_px for shadow in shadows) == 0:
            return pose, 0.0
        overlap = sum(
            shadow.common / (shadow.area_px + mask.area_px - shadow.common)
            for shadow, mask in zip(shadows, masks, strict=True)
        ) / len(masks)
        if at < rounds:
            pose = pose.shifted(_shift(body, pose, masks, shadows))
    return pose, overlap


class _Shadow(NamedTuple):
    """Pixels of a shadow, its centre, and the pixels it shares with the mask."""

    area_px: float
    u: float
    v: float
    common: float


def _shadow(surface: TriangleMesh, mask: SmallMask, pose: Rigid) -> _Shadow:
    camera = mask.view.camera_from_world
    lens = np.array([*mask.view.focal_px, *mask.view.principal_px])
    return _Shadow(
        *shadow_on_mask(
            surface.vertices_mm,
            surface.faces,
            camera.rotation @ pose.rotation,
            camera.rotation @ pose.translation_mm + camera.translation_mm,
            lens,
            mask.mask,
        )
    )


def _shift(body: Body, pose: Rigid, masks: Sequence[SmallMask], shadows: Sequence[_Shadow]) -> Float[np.ndarray, "3"]:
    """Least squares of what brings the centres together, in the world."""
    pivot_mm = pose.rotation @ body.pivot_mm + pose.translation_mm
    rows, wanted = [], []
    for mask, shadow in zip(masks, shadows, strict=True):
        camera = mask.view.camera_from_world
        place = camera.rotation @ pivot_mm + camera.translation_mm
        depth = max(float(place[2]), NEAREST_DEPTH_MM)
        for axis, centre in enumerate((shadow.u, shadow.v)):
            rows.append(camera.rotation[axis] - place[axis] / depth * camera.rotation[2])
            wanted.append((mask.centre_px[axis] - centre) * depth / mask.view.focal_px[axis])
    sideways = np.asarray(np.linalg.lstsq(np.array(rows), np.array(wanted), rcond=None)[0])
    if len(masks) > 1:
        return sideways
    ratio = float(np.clip(np.sqrt(shadows[0].area_px / masks[0].area_px), 0.7, 1.4))
    # along the ray, so that the centre stays where it is
    return sideways + (ratio - 1.0) * (pivot_mm - masks[0].view.source_world_mm)
