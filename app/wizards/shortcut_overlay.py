"""All keys and what the mouse does, over the window; made from the action table that is given as data."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.commands.actions import Action, Gesture
from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, grade, theme_of
from app.wizards.over import OverWindow

_COLUMN_PX = 300


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ShortcutGroup:
    """A heading and its lines: what it does and how."""

    title: str
    lines: tuple[tuple[str, str], ...]


def groups_of(actions: Sequence[Action], gestures: Sequence[Gesture]) -> tuple[ShortcutGroup, ...]:
    """The groups of the action table, in its order, actions without keys left out; the mouse first."""
    titles = dict.fromkeys(action.menu.value for action in actions)
    made = [ShortcutGroup(title="Mouse", lines=tuple((gesture.label, gesture.how) for gesture in gestures))]
    for title in titles:
        its = [action for action in actions if action.menu.value == title and action.keys]
        lines = tuple((action.label.rstrip("…"), _keys(action)) for action in its)
        if lines:
            made.append(ShortcutGroup(title=title.replace("&", ""), lines=lines))
    return tuple(made)


def _keys(action: Action) -> str:
    native = QKeySequence.SequenceFormat.NativeText
    return "  or  ".join(dict.fromkeys(QKeySequence(key).toString(native) for key in action.keys))


@final
class ShortcutOverlay(QWidget):
    """Shown by F1 over its parent; Esc, F1 or a click beside the card puts it away. Typing filters."""

    def __init__(self, groups: Sequence[ShortcutGroup], parent: QWidget) -> None:
        super().__init__(parent)
        self._groups = tuple(groups)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Keys and mouse")
        self._card = QFrame(self)
        grade(self._card, "card")
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find an action or a key")
        self.search.setClearButtonEnabled(True)
        self.search.setMaximumWidth(280)
        self.search.textChanged.connect(self._fill)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(3 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(GRID_PX)
        column.addLayout(self._make_head())
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.viewport().setAutoFillBackground(False)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._scroll, 1)
        self._columns = 0
        self._over = OverWindow(self)
        self.hide()

    def _make_head(self) -> QHBoxLayout:
        title, close = QLabel("<b>Keys and mouse</b>"), QToolButton()
        set_icon(close, "close")
        close.setToolTip("Close (Esc or F1)")
        close.setAccessibleName("close")
        close.clicked.connect(self.hide)
        row = QHBoxLayout()
        row.setSpacing(2 * GRID_PX)
        row.addWidget(title)
        row.addWidget(self.search, 1)
        row.addStretch(1)
        row.addWidget(close)
        return row

    def toggle(self) -> None:
        """Show or put away."""
        if self.isVisible():
            self.hide()
            return
        self.search.clear()
        self.place()
        self._fill()
        self.show()
        self.raise_()
        self.search.setFocus()

    def place(self) -> None:
        """Cover the parent; as many columns as fit."""
        parent = self.parentWidget()
        if parent is None:
            return
        self.setGeometry(parent.rect())
        margin = 3 * GRID_PX if parent.width() > 900 else GRID_PX
        wide = min(parent.width() - 2 * margin, 4 * _COLUMN_PX + 8 * GRID_PX)
        columns = max(1, (wide - 6 * GRID_PX) // _COLUMN_PX)
        if columns != self._columns:
            self._columns = columns
            self._fill()
        content = self._scroll.widget()
        rows = None if content is None else content.layout()
        wanted = 0 if rows is None else rows.totalHeightForWidth(wide - 6 * GRID_PX)
        high = min(wanted + 10 * GRID_PX, parent.height() - 2 * margin)
        self._card.setGeometry((parent.width() - wide) // 2, (parent.height() - high) // 2, wide, high)

    def lines_shown(self) -> tuple[tuple[str, str], ...]:
        """What is shown under the present filter."""
        return tuple(line for group in self._matching() for line in group.lines)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc and F1 put it away."""
        if event.key() in {Qt.Key.Key_Escape, Qt.Key.Key_F1}:
            self.hide()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the card puts it away."""
        if not self._card.geometry().contains(event.position().toPoint()):
            self.hide()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The window shines through."""
        veil = QColor("#000000" if theme_of(self).dark else "#4a4e55")
        veil.setAlpha(150)
        QPainter(self).fillRect(self.rect(), veil)

    def _matching(self) -> list[ShortcutGroup]:
        words = self.search.text().lower().split()
        found = []
        for group in self._groups:
            lines = tuple(line for line in group.lines if all(word in " ".join(line).lower() for word in words))
            if lines:
                found.append(ShortcutGroup(title=group.title, lines=lines))
        return found

    def _fill(self) -> None:
        inner = QWidget()
        row = QHBoxLayout(inner)
        row.setContentsMargins(0, 0, GRID_PX, 0)
        row.setSpacing(4 * GRID_PX)
        groups = self._matching()
        for column in _balanced(groups, max(self._columns, 1)):
            row.addLayout(_column_of(column), 1)
        if not groups:
            row.addWidget(QLabel("Nothing is called that."), 0, Qt.AlignmentFlag.AlignTop)
        self._scroll.setWidget(inner)
        inner.setAutoFillBackground(False)


def _balanced(groups: Sequence[ShortcutGroup], count: int) -> list[list[ShortcutGroup]]:
    """Groups in their order over columns of about the same height."""
    heights = [len(group.lines) + 2 for group in groups]
    columns: list[list[ShortcutGroup]] = [[] for _ in range(count)]
    filled, share = 0.0, sum(heights) / count
    for group, height in zip(groups, heights, strict=True):
        at = min(int((filled + height / 2) / max(share, 1e-9)), count - 1)
        columns[at].append(group)
        filled += height
    return columns


def _column_of(groups: Sequence[ShortcutGroup]) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(2 * GRID_PX)
    for group in groups:
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID_PX)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(0, 1)
        title = QLabel(group.title)
        grade(title, "caption")
        grid.addWidget(title, 0, 0, 1, 2)
        for index, (label, keys) in enumerate(group.lines, start=1):
            said, how = QLabel(label), QLabel(keys)
            said.setWordWrap(True)
            how.setWordWrap(True)
            grade(how, "key")
            how.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            grid.addWidget(said, index, 0)
            grid.addWidget(how, index, 1)
        column.addLayout(grid)
    column.addStretch(1)
    return column
