"""Buttons that stand for entries of the action table: label, key and tip come in as data, the id goes out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import final

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QAbstractButton


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ActionHint:
    """What the action table says about an action, for tooltips."""

    label: str
    keys: str = ""
    """As a person reads them, e.g. "Ctrl+R"; empty where there is no shortcut."""
    tip: str = ""


def tooltip(label: str, keys: str = "", tip: str = "") -> str:
    """A tooltip: what it does, its shortcut in brackets, and what else there is to know."""
    first = f"{label} ({keys})" if keys else label
    return f"{first}\n{tip}" if tip else first


@final
class ActionButtons(QObject):
    """Some buttons by the id of the action they stand for.

    Signals:
        requested(str): a button was pressed; the action's id.
    """

    requested = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, QAbstractButton] = {}

    def add(self, action: str, button: QAbstractButton, label: str = "") -> None:
        """Let a button stand for an action."""
        self._buttons[action] = button
        shown = label or button.text() or action
        button.setAccessibleName(shown)
        button.setToolTip(shown)
        button.clicked.connect(lambda _checked=False: self.requested.emit(action))

    def button(self, action: str) -> QAbstractButton:
        """The button of an action."""
        return self._buttons[action]

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """Say label, shortcut and tip in the tooltips; other actions are ignored."""
        for action, button in self._buttons.items():
            hint = hints.get(action)
            if hint is not None:
                button.setToolTip(tooltip(hint.label, hint.keys, hint.tip))
                button.setAccessibleName(hint.label)

    def set_possible(self, actions: Iterable[str]) -> None:
        """Enable the buttons of these actions and disable the others."""
        possible = frozenset(actions)
        for action, button in self._buttons.items():
            button.setEnabled(action in possible)
