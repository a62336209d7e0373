"""Asking the user for points: the outline of a region, or one point; what each click, drag and key does meanwhile."""

from enum import Enum, auto
from typing import final

from PySide6.QtCore import Qt

Pixel = tuple[float, float]

_REGION = "Click the corners of the region, or hold and draw   Enter or double-click: done   Esc: cancel"
_TOO_FEW = "A region needs three corners or more   Esc: cancel"
_DONE_KEYS = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})
KEYS = _DONE_KEYS | {Qt.Key.Key_Escape, Qt.Key.Key_Backspace}
"""Keys that mean something while points are asked for."""


class Answer(Enum):
    """What became of the question by a click or a key."""

    MORE = auto()
    DONE = auto()
    CANCELLED = auto()


@final
class Pointing:
    """Points so far, where the next one would be, and what to tell the user."""

    def __init__(self, *, region: bool, banner: str = "", colour: str = "") -> None:
        """``colour`` (#rrggbb) marks a region around the shadow of the body of that colour."""
        self.is_region = region
        self.banner = banner or _REGION
        self.colour = colour
        self.corners: list[Pixel] = []
        self.end: Pixel | None = None
        self.is_lasso = False
        self._held: Pixel | None = None

    @property
    def is_complete(self) -> bool:
        """A point; or corners with an area: three of them, not all on one line."""
        if not self.is_region:
            return len(self.corners) == 1
        return len(self.corners) >= 3 and abs(self._doubled_area()) > 1e-6

    def press(self, button: Qt.MouseButton, at: Pixel, reach_px: float) -> Answer:
        """Left: another point, or done on the first corner; right: one back."""
        if button == Qt.MouseButton.RightButton:
            return self.back()
        if button != Qt.MouseButton.LeftButton:
            return Answer.MORE
        if self.is_complete and self._near_first(at, reach_px):
            return Answer.DONE
        if not self.corners or self.corners[-1] != at:
            self.corners.append(at)
        self._held = at if self.is_region and len(self.corners) == 1 else None
        return Answer.MORE if self.is_region else Answer.DONE

    def drag(self, at: Pixel, apart_px: float) -> None:
        """Moved while the first corner's button is held: a line drawn by hand, a corner every so many pixels."""
        last = self.corners[-1] if self.corners else None
        if self._held is None or last is None:
            return
        far = (at[0] - last[0]) ** 2 + (at[1] - last[1]) ** 2
        if far >= (apart_px if self.is_lasso else 2.0 * apart_px) ** 2:
            self.is_lasso = True
            self.corners.append(at)

    def release(self) -> Answer:
        """The button let go: a line drawn by hand is done; after a click more corners are to come."""
        self._held = None
        if not self.is_lasso:
            return Answer.MORE
        if self.is_complete:
            return Answer.DONE
        self.is_lasso = False
        del self.corners[1:]
        return Answer.MORE

    def key(self, key: Qt.Key) -> Answer:
        """Enter: done; Backspace: one back; Esc: cancel."""
        if key in _DONE_KEYS:
            return self.end_here()
        if key == Qt.Key.Key_Backspace:
            return self.back()
        return Answer.CANCELLED if key == Qt.Key.Key_Escape else Answer.MORE

    def end_here(self) -> Answer:
        """Done, if there is enough."""
        if self.is_complete:
            return Answer.DONE
        self.banner = _TOO_FEW if self.is_region else self.banner
        return Answer.MORE

    def back(self) -> Answer:
        """The last corner taken back; without one, cancelled."""
        if not self.corners:
            return Answer.CANCELLED
        self.corners.pop()
        return Answer.MORE

    def _near_first(self, at: Pixel, reach_px: float) -> bool:
        (u, v), (first_u, first_v) = at, self.corners[0]
        return (u - first_u) ** 2 + (v - first_v) ** 2 <= reach_px**2

    def _doubled_area(self) -> float:
        onward = self.corners[1:] + self.corners[:1]
        return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(self.corners, onward, strict=True))
