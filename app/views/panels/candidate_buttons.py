"""Buttons for poses that fit equally well: one for each, with its scores; the shown one is pressed."""

from collections.abc import Mapping, Sequence
from typing import final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from app.views.panels.action_buttons import ActionHint
from app.views.panels.colours import PLANE_NAMES
from app.views.panels.theme import tabular


@final
class CandidateButtons(QWidget):
    """Hidden where there is nothing to choose.

    Signals:
        chosen(int): which pose is to be shown.
    """

    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(self.chosen)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self._keys = ""
        self.show_candidates((), 0)

    def show_candidates(self, scores: Sequence[tuple[float, ...]], chosen: int) -> None:
        """Scores in each view of each pose, and which is shown."""
        self.setVisible(len(scores) > 1)
        while len(self._group.buttons()) > len(scores):
            last = self._group.buttons()[-1]
            self._group.removeButton(last)
            self._row.removeWidget(last)
            last.deleteLater()
        while len(self._group.buttons()) < len(scores):
            self._add()
        for index, views in enumerate(scores):
            self._say(index, views, len(scores))
            self._group.button(index).setChecked(index == chosen)

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """The keys that go from one pose to the next."""
        names = ("proposal.previous_candidate", "proposal.next_candidate")
        ways = [hints[name].keys for name in names if name in hints]
        self._keys = f" ({' and '.join(ways)} change it)" if ways else ""

    def _add(self) -> None:
        button = QPushButton()
        button.setCheckable(True)
        button.setFont(tabular(button.font()))
        self._group.addButton(button, len(self._group.buttons()))
        self._row.addWidget(button)

    def _say(self, index: int, views: tuple[float, ...], count: int) -> None:
        button, place = self._group.button(index), f"{index + 1} of {count}"
        button.setText(f"{place}   {' / '.join(f'{score:.2f}' for score in views)}")
        told = ", ".join(f"{name} {score:.2f}" for name, score in zip(PLANE_NAMES, views, strict=False))
        button.setToolTip(f"Pose {place}{self._keys}\nScores: {told}")
        button.setAccessibleName(f"candidate {place}, {told}")
