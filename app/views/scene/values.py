"""What the 3D scene is given and what it tells: cameras, bodies, ellipsoids, gizmo modes and motions."""

from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from jaxtyping import Float

from core.errors import DuoscopeError
from core.geometry.mesh import TriangleMesh
from core.geometry.view import View


class SceneUnavailableError(DuoscopeError):
    """The 3D scene cannot be drawn on this computer (no OpenGL)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneCamera:
    """One X-ray view as the scene draws it: source, frustum and picture plane."""

    name: str
    """Short name of the plane, shown beside its picture: A or B."""
    view: View
    colour: str
    """Colour of the frustum as ``#rrggbb``."""
    plane_distance_mm: float | None = None
    """Distance of the drawn picture plane from the source; None: the detector's, where that is
    known and close to the bodies, else a little behind the bodies."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneBody:
    """One body as the scene draws it; its pose is given apart because it changes more often."""

    name: str
    mesh: TriangleMesh
    colour: str
    """Colour as ``#rrggbb``."""
    opacity: float = 1.0
    visible: bool = True
    selected: bool = False
    ghost: bool = False
    """Drawn thin and pale, and not to be clicked: an old or a proposed pose."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SceneEllipsoid:
    """Uncertainty of a point: the ellipsoid ``deviations`` standard deviations around it."""

    centre_world_mm: Float[np.ndarray, "3"]
    covariance_mm2: Float[np.ndarray, "3 3"]
    colour: str
    deviations: float = 2.0


class GizmoMode(Enum):
    """Which handles the gizmo shows."""

    NONE = "none"
    TRANSLATE = "translate"
    ROTATE = "rotate"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GizmoMotion:
    """The motion of a gizmo drag since it was begun: turn about the pivot at its start, then shift."""

    body: str
    translation_world_mm: Float[np.ndarray, "3"]
    rotation_vector_world_rad: Float[np.ndarray, "3"]
