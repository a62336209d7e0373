"""The first-minute card: what to do first, what to do next, and then never again."""

from collections.abc import Mapping
from enum import Enum
from typing import final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.state.preferences import Preferences
from app.views.panels.action_buttons import ActionButtons, ActionHint
from app.views.panels.icons import set_icon
from app.views.panels.theme import DARK, GRID_PX, grade
from app.wizards.over import OverWindow

CLOSED = "first_minute_closed"
_WIDTH = 360


class Stage(Enum):
    """Where the person is."""

    BEGIN = "begin"
    REGISTERED = "registered"


_TITLES = {Stage.BEGIN: "This pose is off. Put it right", Stage.REGISTERED: "Registered. What next?"}
_TEXTS = {
    Stage.BEGIN: "Drag {body} onto its shadow in either picture with the left button, turn it with the right one. "
    "Or let the program do it: press {register}.",
    Stage.REGISTERED: "Compare the new pose with the thin old one, then accept it with {accept}. "
    "Track the whole sequence with {track}, or play it with {play}.",
}
_BUTTONS = {
    Stage.BEGIN: (("register.frame", "Register this frame", "register"),),
    Stage.REGISTERED: (("register.track", "Track on", "track"), ("frame.play", "Play", "play")),
}


@final
class FirstMinute(QFrame):
    """A card in the lower left corner of its parent.

    Signals:
        action_requested(str): register.frame, register.track or frame.play.
        closed(): a person closed it; it does not offer itself any more.
    """

    action_requested = Signal(str)
    closed = Signal()

    def __init__(self, preferences: Preferences, parent: QWidget) -> None:
        super().__init__(parent)
        grade(self, "card")
        self.setFixedWidth(_WIDTH)
        self.setAccessibleName("first minute")
        self._preferences = preferences
        self._stage, self._body = Stage.BEGIN, "the body"
        self._hints: Mapping[str, ActionHint] = {}
        self._buttons = ActionButtons(self)
        self._buttons.requested.connect(self.action_requested)
        self._title, self._text = QLabel(), QLabel()
        self._text.setWordWrap(True)
        self._rows: dict[Stage, QWidget] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(2 * GRID_PX, GRID_PX, GRID_PX, 2 * GRID_PX)
        column.setSpacing(GRID_PX)
        column.addLayout(self._make_head())
        column.addWidget(self._text)
        for stage in Stage:
            self._rows[stage] = self._make_buttons(stage)
            column.addWidget(self._rows[stage])
        self._over = OverWindow(self)
        self._show_stage()
        self.hide()

    def _make_head(self) -> QHBoxLayout:
        close = QToolButton()
        set_icon(close, "close")
        close.setToolTip("Close; it can be called back by Help, First minute")
        close.setAccessibleName("close")
        close.clicked.connect(self._close)
        row = QHBoxLayout()
        row.addWidget(self._title, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _make_buttons(self, stage: Stage) -> QWidget:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(GRID_PX)
        for index, (action, label, name) in enumerate(_BUTTONS[stage]):
            button = QPushButton(label)
            if index == 0:
                button.setProperty("primary", "true")
            set_icon(button, name, DARK.accent_text if index == 0 else None)
            self._buttons.add(action, button)
            row.addWidget(button)
        row.addStretch(1)
        return line

    @property
    def stage(self) -> Stage:
        """What it tells."""
        return self._stage

    def offer(self, *, again: bool = False) -> None:
        """Show the card from its beginning, unless it was closed once; ``again`` shows it all the same."""
        if again or not self._preferences.flag(CLOSED):
            self._stage = Stage.BEGIN
            self._show_stage()
            self.place()
            self.show()
            self.raise_()

    def registered(self) -> None:
        """The first registration has ended: tell what comes next, where the card is shown."""
        if self._stage is Stage.BEGIN:
            self._stage = Stage.REGISTERED
            self._show_stage()

    def set_body(self, name: str) -> None:
        """The body that is to be dragged."""
        self._body = f"the {name}" if name else "the body"
        self._show_stage()

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """Keys of the action table."""
        self._hints = hints
        self._buttons.set_hints(hints)
        self._show_stage()

    def set_possible(self, actions: frozenset[str]) -> None:
        """Which buttons can be pressed now."""
        self._buttons.set_possible(actions)

    def place(self) -> None:
        """The lower left corner."""
        parent = self.parentWidget()
        if parent is not None:
            self.setFixedWidth(min(_WIDTH, parent.width() - 4 * GRID_PX))
            self.adjustSize()
            high = max(self.heightForWidth(self.width()), self.sizeHint().height())
            self.resize(self.width(), high)
            self.move(2 * GRID_PX, parent.height() - high - 2 * GRID_PX)

    def _key(self, action: str, otherwise: str) -> str:
        hint = self._hints.get(action)
        return f"<b>{hint.keys}</b>" if hint is not None and hint.keys else otherwise

    def _show_stage(self) -> None:
        self._title.setText(f"<b>{_TITLES[self._stage]}</b>")
        self._text.setText(
            _TEXTS[self._stage].format(
                body=self._body,
                register=self._key("register.frame", "the button"),
                accept=self._key("proposal.accept", "its button"),
                track=self._key("register.track", "the button"),
                play=self._key("frame.play", "the button"),
            )
        )
        for stage, row in self._rows.items():
            row.setVisible(stage is self._stage)
        self.place()

    def _close(self) -> None:
        self._preferences.put(CLOSED, value=True)
        self.hide()
        self.closed.emit()
