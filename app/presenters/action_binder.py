"""Makes Qt's actions from the action table: menus, shortcuts, what is possible now."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import final

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.commands.action import Action, Menu, Situation
from app.commands.deeds import Deeds
from app.presenters.session import Messages
from app.views.panels.action_buttons import ActionHint
from app.views.panels.icons import set_icon
from core.errors import DuoscopeError

_LOG = logging.getLogger(__name__)


@final
class ActionBinder(QObject):
    """Owns the actions of one window."""

    def __init__(
        self,
        table: Sequence[Action],
        deeds: Deeds,
        situation: Callable[[], Situation],
        messages: Messages,
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._table = {action.id: action for action in table}
        self._deeds = deeds
        self._situation = situation
        self._messages = messages
        self._actions = {action.id: self._make(action, window) for action in table}
        self.recent = QMenu("Open recent", window)

    def action(self, name: str) -> QAction:
        """The Qt action of an entry."""
        return self._actions[name]

    def hints(self) -> Mapping[str, ActionHint]:
        """Label, keys and tip of every entry, for the tooltips of buttons."""
        return {
            entry.id: ActionHint(label=entry.label.rstrip("…"), keys=keys_text(entry), tip=entry.tip)
            for entry in self._table.values()
        }

    def fill_menus(self, window: QMainWindow) -> None:
        """Build the menu bar."""
        bar = window.menuBar()
        for title in Menu:
            menu = bar.addMenu(title.value)
            menu.setToolTipsVisible(True)
            self._fill(menu, [entry for entry in self._table.values() if entry.menu is title])
            if title is Menu.FILE:
                menu.insertMenu(self._actions["file.demo"], self.recent)

    def refresh(self) -> frozenset[str]:
        """Enable what is possible now; returns the ids of it."""
        now = self._situation()
        possible = frozenset(entry.id for entry in self._table.values() if entry.when(now))
        for name, action in self._actions.items():
            action.setEnabled(name in possible)
        return possible

    def run(self, name: str) -> None:
        """Do what an entry says, if it is possible now; what goes wrong is told."""
        entry = self._table[name]
        if not entry.when(self._situation()):
            return
        try:
            entry.run(self._deeds)
        except DuoscopeError as error:
            _LOG.warning("%s: %s", entry.id, error)
            self._messages.error(str(error))

    def _make(self, entry: Action, window: QMainWindow) -> QAction:
        action = QAction(entry.label, window)
        action.setObjectName(entry.id)
        action.setShortcuts([QKeySequence(key) for key in entry.keys])
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        action.setAutoRepeat(entry.repeats)
        action.setToolTip(f"{entry.label.rstrip('…')}\n{entry.tip}" if entry.tip else entry.label.rstrip("…"))
        action.setStatusTip(entry.tip)
        action.setCheckable(entry.checkable)
        if entry.icon:
            set_icon(action, entry.icon)
        action.triggered.connect(lambda _checked=False, name=entry.id: self.run(name))
        window.addAction(action)
        return action

    def _fill(self, menu: QMenu, entries: Sequence[Action]) -> None:
        group = entries[0].group if entries else 0
        inner: dict[str, QMenu] = {}
        for entry in entries:
            if entry.group != group:
                menu.addSeparator()
                group = entry.group
            place = menu
            if entry.submenu:
                if entry.submenu not in inner:
                    inner[entry.submenu] = menu.addMenu(entry.submenu)
                place = inner[entry.submenu]
            place.addAction(self._actions[entry.id])


def keys_text(entry: Action) -> str:
    """The first shortcut as this computer writes it."""
    if not entry.keys:
        return ""
    return QKeySequence(entry.keys[0]).toString(QKeySequence.SequenceFormat.NativeText)
