"""Asking the user for points: the corners of a region, or one point; what each click and key does meanwhile."""

from enum import Enum, auto
from typing import final

from PySide6.QtCore import Qt

Pixel = tuple[float, float]

_REGION = "Click the corners of the region   Enter or double-click: done   Esc: cancel"
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

    def __init__(self, *, region: bool, banner: str = "") -> None:
        self.is_region = region
        self.banner = _REGION if region else banner
        self.corners: list[Pixel] = []
        self.end: Pixel | None = None

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
        return Answer.MORE if self.is_region else Answer.DONE

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
