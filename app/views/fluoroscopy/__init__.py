"""A fluoroscopy view: the picture, what is drawn over it exactly, and hands that move bodies in it."""

from app.views.fluoroscopy.comparison_layer import Difference, EdgeLine
from app.views.fluoroscopy.display import PictureDisplay
from app.views.fluoroscopy.values import BodyOverlay, DragKind, OverlayStyle, RegionMark, ViewDrag
from app.views.fluoroscopy.view import FluoroscopyView
from app.views.fluoroscopy.viewport import Viewport

__all__ = [
    "BodyOverlay",
    "Difference",
    "DragKind",
    "EdgeLine",
    "FluoroscopyView",
    "OverlayStyle",
    "PictureDisplay",
    "RegionMark",
    "ViewDrag",
    "Viewport",
]
