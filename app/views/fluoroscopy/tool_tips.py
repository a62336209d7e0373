"""What the words in a view mean."""

from collections.abc import Mapping

from PySide6.QtCore import QPointF, QRectF

_TIPS = {
    "status": "How well the bodies' simulated X-ray agrees with this picture; 1 is perfect.",
    "looks": (
        "Zoom: screen points a pixel (wheel, + and −).\n"
        "W and L: width and level of the window in grey values (Ctrl + right drag)."
    ),
}


def tool_tip(at: QPointF, title: QRectF, plates: Mapping[str, QRectF], name: str) -> str:
    """The tip for a point of the widget; none over the picture, where it would cover what one looks at."""
    if title.contains(at):
        return f"{name}: double-click to make this view large or to show all (keys 1, 2, 3 and 0)"
    return next((text for key, text in _TIPS.items() if plates.get(key, QRectF()).contains(at)), "")
