"""What a fluoroscopy view is given and what it tells: overlays of bodies, drags."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import final

import numpy as np
from jaxtyping import Float, Float32


class OverlayStyle(Enum):
    """How a body is drawn over the picture."""

    OUTLINE = "outline"
    FILL = "fill"
    XRAY = "simulated X-ray"
    OFF = "off"


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyOverlay:
    """One body as a view draws it; all coordinates in pixels of the picture."""

    name: str
    colour: str
    """Colour as ``#rrggbb``."""
    segments_px: Float[np.ndarray, "n 2 2"]
    """Edges of the outline; consecutive ones that meet are joined."""
    outline_path_px: Sequence[Float[np.ndarray, "k 2"]] = ()
    """Closed loops whose nonzero winding is the shadow: for the fill and for clicks."""
    opacity: float = 1.0
    """Of the line, the fill or the simulated X-ray; these let the picture through even at 1."""
    style: OverlayStyle = OverlayStyle.OUTLINE
    xray: Float32[np.ndarray, "h w"] | None = None
    """Millimetres of material; of the whole picture at any resolution, or of a part of it."""
    xray_origin_px: tuple[float, float] = (0.0, 0.0)
    """Column and row of the picture's pixel at whose outer corner the part begins."""
    xray_scale: float | None = None
    """Picture pixels per X-ray pixel; None: the X-ray spans the whole width of the picture."""
    selected: bool = False
    ghost_segments_px: Float[np.ndarray, "k 2 2"] | None = None
    """Outline of another pose of the body (the old one), drawn thin and dashed."""
    rival_segments_px: Sequence[Float[np.ndarray, "k 2 2"]] = ()
    """Outlines of poses that fit equally well, each drawn thin and dotted."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RegionMark:
    """Where a body's shadow is said to be."""

    name: str
    """What stands beside it, e.g. "femur's shadow"."""
    colour: str
    """Colour as ``#rrggbb``."""
    corners_px: tuple[tuple[float, float], ...]


class DragKind(Enum):
    """What a drag in a view does to a body."""

    IN_PLANE = "move in the view's plane"
    ALONG_RAY = "move along the ray"
    TURN = "turn about the view's axes"
    ROLL = "roll about the ray"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ViewDrag:
    """A drag of a body, from the press to now, in pixels of the picture."""

    kind: DragKind
    body: str
    start_px: tuple[float, float]
    now_px: tuple[float, float]
