"""The study panel: trials with their views, bodies with their look; says what to do next where it is empty."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from PySide6.QtCore import QEvent, QItemSelectionModel, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QFrame,
    QHeaderView,
    QLabel,
    QPushButton,
    QStackedWidget,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.views.panels.action_buttons import ActionButtons, ActionHint
from app.views.panels.appearance import Appearance
from app.views.panels.colours import plane_colour, swatch
from app.views.panels.icons import icon, set_icon
from app.views.panels.theme import GRID_PX, grade, theme_of

_KIND, _NAME = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_EYE = 1


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRow:
    """One view of a trial: its name and a few words, e.g. the picture's size."""

    name: str
    detail: str = ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow:
    """One trial."""

    name: str
    frames: int
    views: tuple[ViewRow, ...]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class BodyRow:
    """One body and how it is drawn."""

    name: str
    colour: str
    visible: bool = True
    style: str = "outline"
    """outline, fill, xray or off."""
    opacity: float = 1.0
    notes: tuple[str, ...] = ()
    """What was repaired or assumed when it was added; shown, not hidden."""


@final
class StudyTree(QWidget):
    """Shows what a study consists of and asks for another choice or look.

    Signals:
        trial_chosen(str): a trial.
        view_chosen(str, int): a view of a trial.
        body_chosen(str, bool): a body; True where it joins those already chosen (Ctrl + click).
        visibility_changed(str, bool): show or hide a body.
        style_changed(str, str): another overlay: outline, fill, xray, off.
        opacity_changed(str, float): another opacity, 0..1.
        colour_changed(str, str): another colour, #rrggbb.
        action_requested(str): file.new, file.open, file.demo, file.add_trial, file.add_body.
    """

    trial_chosen = Signal(str)
    view_chosen = Signal(str, int)
    body_chosen = Signal(str, bool)
    visibility_changed = Signal(str, bool)
    style_changed = Signal(str, str)
    opacity_changed = Signal(str, float)
    colour_changed = Signal(str, str)
    action_requested = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bodies: dict[str, BodyRow] = {}
        self._items: dict[tuple[str, str], QTreeWidgetItem] = {}
        self._shown: tuple[Sequence[TrialRow], Sequence[BodyRow]] = ((), ())
        self._chosen: tuple[str | None, tuple[str, ...], int] = (None, (), 0)
        self._buttons = ActionButtons(self)
        self._buttons.requested.connect(self.action_requested)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_empty())
        self._pages.addWidget(self._make_full())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._pages)
        self.set_study(None)

    def _make_empty(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX, 2 * GRID_PX)
        column.setSpacing(GRID_PX)
        text = QLabel("No study is open. Make one from pictures, calibration and models, or try the demo first.")
        text.setWordWrap(True)
        column.addWidget(text)
        for action, label, name in (
            ("file.new", "New study…", "new"),
            ("file.open", "Open study…", "open"),
            ("file.demo", "Open the demo", "body"),
        ):
            button = QPushButton(label)
            set_icon(button, name)
            self._buttons.add(action, button)
            column.addWidget(button)
        column.addStretch(1)
        return page

    def _make_full(self) -> QWidget:
        page = QWidget()
        self._name = QLabel()
        self._name.setWordWrap(True)
        grade(self._name, "caption")
        self._name.setContentsMargins(GRID_PX, GRID_PX, GRID_PX, 0)
        self.tree = self._make_tree()
        self.look = Appearance()
        self.look.style_chosen.connect(lambda style: self._ask_look(self.style_changed, style))
        self.look.opacity_chosen.connect(lambda opacity: self._ask_look(self.opacity_changed, opacity))
        self.look.colour_chosen.connect(lambda colour: self._ask_look(self.colour_changed, colour))
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GRID_PX)
        column.addWidget(self._name)
        column.addWidget(self.tree, 1)
        column.addWidget(self.look)
        return page

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setColumnCount(2)
        tree.setHeaderHidden(True)
        tree.setFrameShape(QFrame.Shape.NoFrame)
        tree.setIndentation(2 * GRID_PX)
        tree.setIconSize(QSize(16, 16))
        tree.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        tree.header().setStretchLastSection(False)
        tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        tree.header().setSectionResizeMode(_EYE, QHeaderView.ResizeMode.Fixed)
        tree.header().resizeSection(_EYE, 32)
        tree.itemClicked.connect(self._on_clicked)
        tree.itemActivated.connect(self._on_clicked)
        return tree

    def set_study(self, name: str | None, trials: Sequence[TrialRow] = (), bodies: Sequence[BodyRow] = ()) -> None:
        """What the study consists of; None where none is open."""
        self._pages.setCurrentIndex(0 if name is None else 1)
        self._name.setText(name or "")
        before, self._shown = self._shown, (tuple(trials), tuple(bodies))
        self._bodies = {body.name: body for body in bodies}
        if self._items and _structure(*before) == _structure(*self._shown):
            for body in bodies:
                self._dress(self._items["body", body.name], body)
            self._show_chosen()
        else:
            self._fill()

    def set_body_look(self, body: BodyRow) -> None:
        """Another look of one body."""
        trials, bodies = self._shown
        self.set_study(self._name.text(), trials, [body if row.name == body.name else row for row in bodies])

    def set_chosen(self, trial: str | None, bodies: Sequence[str], view: int = 0) -> None:
        """What is chosen: the trial, the bodies (the active one first), the view that keys act in."""
        self._chosen = (trial, tuple(bodies), view)
        self._show_chosen()

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """Labels, shortcuts and tips of the action table."""
        self._buttons.set_hints(hints)

    def set_possible(self, actions: Iterable[str]) -> None:
        """Which buttons can be pressed now."""
        self._buttons.set_possible(actions)

    def changeEvent(self, event: QEvent) -> None:
        """Draw icons and colours anew in another theme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "tree"):
            self._fill()

    def _fill(self) -> None:
        trials, bodies = self._shown
        self.tree.clear()
        self._items = {}
        heading = self._heading("Trials")
        for trial in trials:
            item = self._row(heading, "trial", trial.name, f"{trial.name}   {trial.frames} frames")
            item.setIcon(0, icon("trial"))
            item.setToolTip(0, f"{trial.name}: {trial.frames} frames, {len(trial.views)} views")
            self._add_views(item, trial)
        if not trials:
            self._row(heading, "action", "file.add_trial", "Add a trial…")
        heading = self._heading("Bodies")
        for body in bodies:
            self._add_body(heading, body)
        if not bodies:
            self._row(heading, "action", "file.add_body", "Add a body…")
        self.tree.expandAll()
        self._show_chosen()

    def _add_views(self, parent: QTreeWidgetItem, trial: TrialRow) -> None:
        for index, view in enumerate(trial.views):
            item = self._row(parent, "view", f"{trial.name}\n{index}", f"{view.name}   {view.detail}".rstrip())
            item.setIcon(0, icon("picture", plane_colour(index, theme_of(self))))
            item.setToolTip(0, f"View {view.name} of {trial.name}. {view.detail}")

    def _add_body(self, parent: QTreeWidgetItem, body: BodyRow) -> None:
        item = self._row(parent, "body", body.name, body.name)
        self._dress(item, body)
        notes = "".join(f"\n• {note}" for note in body.notes)
        item.setToolTip(0, f"{body.name}: click to work on it, Ctrl + click to work on several{notes}")
        for note in body.notes:
            told = self._row(item, "note", note, note)
            told.setIcon(0, icon("info"))
            told.setForeground(0, self.palette().placeholderText())
            told.setToolTip(0, note)

    @staticmethod
    def _dress(item: QTreeWidgetItem, body: BodyRow) -> None:
        item.setIcon(0, swatch(body.colour, 16))
        item.setIcon(_EYE, icon("visible" if body.visible else "hidden"))
        item.setToolTip(_EYE, f"{'Hide' if body.visible else 'Show'} {body.name} in all views")

    def _heading(self, text: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem(self.tree, [text])
        font = QFont(self.tree.font())
        font.setBold(True)
        item.setFont(0, font)
        item.setForeground(0, self.palette().placeholderText())
        item.setFlags(Qt.ItemFlag.ItemIsEnabled)
        item.setFirstColumnSpanned(True)
        return item

    def _row(self, parent: QTreeWidgetItem, kind: str, name: str, text: str) -> QTreeWidgetItem:
        item = QTreeWidgetItem(parent, [text])
        item.setData(0, _KIND, kind)
        item.setData(0, _NAME, name)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        if kind != "body":
            item.setFirstColumnSpanned(True)
        if kind == "action":
            item.setIcon(0, icon("plus"))
        self._items[kind, name] = item
        return item

    def _show_chosen(self) -> None:
        trial, bodies, view = self._chosen
        wanted = [("trial", trial), ("view", f"{trial}\n{view}"), *(("body", body) for body in bodies)]
        model = self.tree.selectionModel()
        model.clearSelection()
        for kind, name in wanted:
            item = self._items.get((kind, str(name)))
            if item is not None and kind != "view":
                flag = QItemSelectionModel.SelectionFlag
                model.select(self.tree.indexFromItem(item, 0), flag.Select | flag.Rows)
        for (kind, name), item in self._items.items():
            font = QFont(self.tree.font())
            font.setBold((kind, name) in {("body", bodies[0] if bodies else None), ("view", f"{trial}\n{view}")})
            item.setFont(0, font)
        active = self._bodies.get(bodies[0]) if bodies else None
        self.look.setVisible(active is not None)
        if active is not None:
            self.look.show_look(active.name, active.colour, active.style, active.opacity)

    def _on_clicked(self, item: QTreeWidgetItem, column: int) -> None:
        kind, name = item.data(0, _KIND), item.data(0, _NAME)
        if kind == "trial":
            self.trial_chosen.emit(name)
        elif kind == "view":
            trial, index = name.split("\n")
            self.view_chosen.emit(trial, int(index))
        elif kind == "action":
            self.action_requested.emit(name)
        elif kind == "body" and column == _EYE:
            self.visibility_changed.emit(name, not self._bodies[name].visible)
        elif kind == "body":
            also = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier)
            self.body_chosen.emit(name, also)
        with QSignalBlocker(self.tree):
            self._show_chosen()

    def _ask_look(self, signal: object, value: object) -> None:
        bodies = self._chosen[1]
        if bodies and hasattr(signal, "emit"):
            signal.emit(bodies[0], value)


def _structure(trials: Sequence[TrialRow], bodies: Sequence[BodyRow]) -> object:
    """What decides which rows there are; looks come and go without new rows."""
    return tuple(trials), tuple((body.name, body.notes) for body in bodies)
