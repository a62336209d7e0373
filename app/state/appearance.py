"""How bodies and pictures are shown; not part of undo."""

from dataclasses import dataclass, replace
from enum import Enum
from typing import final

from PySide6.QtCore import QObject, Signal


class Overlay(Enum):
    """How a body is drawn on the pictures; the value is for people."""

    OUTLINE = "outline"
    FILL = "fill"
    XRAY = "simulated X-ray"
    OFF = "off"

    @property
    def following(self) -> "Overlay":
        """The next in turn."""
        every = list(Overlay)
        return every[(every.index(self) + 1) % len(every)]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLook:
    """How one body is drawn."""

    colour: str
    opacity: float = 1.0
    visible: bool = True
    overlay: Overlay = Overlay.OUTLINE


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PictureLook:
    """How one view's pictures are shown; None: window and level follow the picture."""

    low: float | None = None
    high: float | None = None
    inverted: bool = False
    edges: bool = False


@final
class Appearance(QObject):
    """Holds the looks.

    Signals:
        bodies_changed(): a body's look.
        pictures_changed(int): a view's look.
    """

    bodies_changed = Signal()
    pictures_changed = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bodies: dict[str, BodyLook] = {}
        self._pictures: dict[int, PictureLook] = {}

    def body(self, name: str) -> BodyLook:
        """The look of a body."""
        return self._bodies.get(name, BodyLook(colour="#009e73"))

    def picture(self, index: int) -> PictureLook:
        """The look of a view's pictures."""
        return self._pictures.get(index, PictureLook())

    def set_body(self, name: str, look: BodyLook) -> None:
        """Show a body otherwise."""
        if self._bodies.get(name) != look:
            self._bodies[name] = look
            self.bodies_changed.emit()

    def set_picture(self, index: int, look: PictureLook) -> None:
        """Show a view's pictures otherwise."""
        if self.picture(index) != look:
            self._pictures[index] = look
            self.pictures_changed.emit(index)

    def restart(self, colours: dict[str, str]) -> None:
        """Another study: bodies in their default look; known ones keep theirs."""
        self._bodies = {name: self._bodies.get(name, BodyLook(colour=colour)) for name, colour in colours.items()}
        self.bodies_changed.emit()

    def next_overlay(self, names: tuple[str, ...]) -> Overlay | None:
        """All named bodies in the next way of drawing, after that of the first."""
        if not names:
            return None
        overlay = self.body(names[0]).overlay.following
        for name in names:
            self.set_body(name, replace(self.body(name), overlay=overlay))
        return overlay
