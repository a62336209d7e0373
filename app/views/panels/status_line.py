"""The status line: what is happening and how long it takes, the similarity of each view, what one computes with."""

from collections.abc import Sequence
from typing import final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QSizePolicy, QToolButton, QWidget

from app.views.panels.colours import PLANE_NAMES, plane_colour
from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, grade, tabular, theme_of


@final
class StatusLine(QWidget):
    """One line at the foot of the window.

    Signals:
        action_requested(str): register.cancel.
    """

    action_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[float | None, ...] = ()
        self._doing, self._left, self._scores, self._device = QLabel(), QLabel(), QLabel(), QLabel()
        self._bar, self._cancel = QProgressBar(), QToolButton()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(160)
        self._scores.setFont(tabular(self._scores.font()))
        self._scores.setTextFormat(Qt.TextFormat.RichText)
        self._scores.setToolTip("Similarity of picture and model in each view: gradient correlation, 1 is perfect")
        self._doing.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._cancel.setToolTip("Cancel (Esc)")
        self._cancel.setAccessibleName("Cancel")
        set_icon(self._cancel, "cancel")
        self._cancel.clicked.connect(lambda: self.action_requested.emit("register.cancel"))
        for label in (self._left, self._device):
            grade(label, "muted")
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID_PX, 2, GRID_PX, 2)
        row.setSpacing(GRID_PX)
        row.addWidget(self._doing, 1)
        for widget in (self._bar, self._left, self._cancel, self._scores, self._device):
            row.addWidget(widget)
        self.set_activity("Ready")
        self.set_scores(())
        self.set_device("")

    def set_activity(self, text: str, fraction: float | None = None, left: str = "") -> None:
        """What is happening, its share done (0..1; negative where unknown; None when nothing runs), time left."""
        self._doing.setText(text)
        self._doing.setToolTip(text)
        self._bar.setVisible(fraction is not None)
        self._cancel.setVisible(fraction is not None)
        self._left.setText(left)
        self._left.setVisible(bool(left))
        if fraction is not None:
            self._bar.setRange(0, 0 if fraction < 0 else 1000)
            self._bar.setValue(round(1000 * min(max(fraction, 0.0), 1.0)))

    def set_scores(self, scores: Sequence[float | None]) -> None:
        """The similarity of each view now; None where it is not known."""
        self._shown = tuple(scores)
        theme = theme_of(self)
        parts = []
        for index, score in enumerate(scores):
            number = "–" if score is None or score != score else f"{score:.2f}"  # noqa: PLR0124 - NaN
            name = f'<span style="color:{plane_colour(index, theme)}"><b>{PLANE_NAMES[index % 2]}</b></span>'
            parts.append(f"{name} {number}")
        self._scores.setText("&nbsp;&nbsp;&nbsp;".join(parts))
        self._scores.setVisible(bool(parts))

    def changeEvent(self, event: QEvent) -> None:
        """The planes' colours in another theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_shown"):
            self.set_scores(self._shown)

    def set_device(self, text: str) -> None:
        """What is computed with, and memory."""
        self._device.setText(text)
        self._device.setVisible(bool(text))
