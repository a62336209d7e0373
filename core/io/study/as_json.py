"""Study values as JSON: exact, complete, and readable by people and other programs."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.geometry.rigid import Rigid
from core.geometry.view import View
from core.study.values import BodyRecord, FileLink, Polygon, PoseRecord, Region, Trial, TrialView, VolumeLink

Json = dict[str, Any]


def dumps(value: object) -> str:
    """Compact JSON; numbers that are not finite become null."""
    return json.dumps(_finite(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def pose_as_json(record: PoseRecord) -> Json:
    """Everything a pose record holds."""
    return {
        "world_from_body": record.world_from_body.as_matrix().tolist(),
        "status": record.status.value,
        "author": record.author,
        "method": record.method,
        "score": record.score,
        "outcome": record.outcome,
        "covariance": None if record.covariance is None else np.asarray(record.covariance).tolist(),
        "details": dict(record.details),
        "created_at": record.created_at,
    }


def trial_as_json(trial: Trial) -> Json:
    """Everything a trial holds."""
    return {
        "name": trial.name,
        "frames": list(trial.frames),
        "world_frame": trial.world_frame,
        "views": [_plane_as_json(plane) for plane in trial.views],
    }


def body_as_json(record: BodyRecord) -> Json:
    """Everything a body record holds."""
    return {
        "name": record.name,
        "mesh": None if record.mesh is None else _link_as_json(record.mesh),
        "units": record.units,
        "notes": list(record.notes),
        "volume": None if record.volume is None else _volume_as_json(record.volume),
    }


def region_as_json(region: Region) -> Json:
    """Everything a region holds but whose it is."""
    return {"plane": region.plane, "corners_px": [list(corner) for corner in region.corners_px]}


def _volume_as_json(volume: VolumeLink) -> Json:
    return {
        **_link_as_json(volume.file),
        "values": volume.values.value,
        "series": volume.series,
        "spacing_mm": None if volume.spacing_mm is None else list(volume.spacing_mm),
        "flips": volume.flips,
        "mask": None if volume.mask is None else _link_as_json(volume.mask),
        "labels": list(volume.labels),
        "threshold": volume.threshold,
        "slope_per_mm": volume.slope_per_mm,
        "offset_per_mm": volume.offset_per_mm,
    }


def view_as_json(view: View) -> Json:
    """All parameters of a calibrated view."""
    return {
        "name": view.name,
        "camera_from_world": view.camera_from_world.as_matrix().tolist(),
        "focal_px": list(view.focal_px),
        "principal_px": list(view.principal_px),
        "size_px": [view.width_px, view.height_px],
        "pixel_spacing_mm": view.pixel_spacing_mm,
    }


def calibration_hash(trial: Trial) -> str:
    """One hash of the numbers of all views: equal exactly where poses may be compared."""
    numbers = [view_as_json(plane.view) for plane in trial.views]
    return hashlib.sha256(dumps(numbers).encode()).hexdigest()


def matrix_as_text(motion: Rigid) -> str:
    """A rigid motion as 16 numbers, to the last bit."""
    return dumps(motion.as_matrix().ravel().tolist())


def matrix_from_text(stored: str) -> Rigid:
    """The inverse of matrix_as_text."""
    return Rigid.from_matrix(np.array(json.loads(stored)).reshape(4, 4))


def covariance_from_text(stored: str | None) -> np.ndarray | None:
    """A covariance matrix; null stands for what is not known."""
    if stored is None:
        return None
    return np.array(json.loads(stored), dtype=np.float64)


def polygon_as_text(polygon: Polygon) -> str:
    """Corners as a list of pairs."""
    return dumps([list(corner) for corner in polygon])


def polygon_from_text(stored: str) -> Polygon:
    """The inverse of polygon_as_text."""
    return tuple((float(u), float(v)) for u, v in json.loads(stored))


def _plane_as_json(plane: TrialView) -> Json:
    return {
        "view": view_as_json(plane.view),
        "calibration": _link_as_json(plane.calibration),
        "images": [_link_as_json(link) for link in plane.images],
        "exclusions": [[list(corner) for corner in polygon] for polygon in plane.exclusions],
    }


def _link_as_json(link: FileLink) -> Json:
    return {"path": str(link.path), "sha256": link.sha256}


def _finite(value: object) -> object:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(item) for item in value]
    return value
