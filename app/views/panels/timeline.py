"""The frame timeline: one painted strip for any number of frames, and the transport buttons beside it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import final

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSpinBox, QToolButton, QVBoxLayout, QWidget

from app.views.panels.action_buttons import ActionButtons, ActionHint
from app.views.panels.frame_strip import FrameStrip, Lane
from app.views.panels.icons import set_icon
from app.views.panels.theme import GRID_PX, grade, tabular

__all__ = ["Lane", "Timeline"]

_BEFORE = (("frame.first", "First frame", "first"), ("frame.previous", "Previous frame", "previous"))
_AFTER = (("frame.next", "Next frame", "next"), ("frame.last", "Last frame", "last"))
_RISK_TIP = (
    "Risk: chance that the pose is off by more than 1 mm or 1 deg. Above this limit a frame is in doubt, and its "
    "proposal is not accepted together with others"
)
_MORE = (("frame.play", "Play", "play"), ("frame.doubtful", "Next doubtful frame", "doubtful"))


@final
class Timeline(QWidget):
    """Shows where the frames stand and asks for another one.

    Signals:
        frame_requested(int): a frame number, by click, drag, wheel or typing.
        action_requested(str): frame.first, frame.previous, frame.next, frame.last, frame.play, frame.doubtful,
            frame.risky.
        risk_limit_changed(float): another risk (0..1) above which a frame is in doubt.
    """

    frame_requested = Signal(int)
    action_requested = Signal(str)
    risk_limit_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.strip = FrameStrip()
        self.strip.frame_requested.connect(self.frame_requested)
        self._actions = ActionButtons(self)
        self._actions.requested.connect(self.action_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID_PX, 4, GRID_PX, 4)
        row.setSpacing(GRID_PX)
        row.addWidget(self.strip, 1)
        row.addWidget(self._make_transport())
        self.set_frames(())

    def _make_transport(self) -> QWidget:
        self._number, self._count = QSpinBox(), QLabel()
        self._number.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self._number.setMinimumHeight(26)
        self._number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._number.setKeyboardTracking(False)
        self._number.setFont(tabular(self._number.font()))
        self._number.setToolTip("Frame number: type one and press Enter")
        self._number.setAccessibleName("frame number")
        self._number.valueChanged.connect(self._on_number)
        grade(self._count, "muted")
        self._count.setAlignment(Qt.AlignmentFlag.AlignCenter)
        first, second = QHBoxLayout(), QHBoxLayout()
        for spec in _BEFORE:
            first.addWidget(self._button(*spec))
        first.addWidget(self._number)
        for spec in _AFTER:
            first.addWidget(self._button(*spec))
        for spec in _MORE:
            second.addWidget(self._button(*spec))
        second.insertWidget(1, self._count, 1)
        third = self._make_risk()
        self._play = self._actions.button("frame.play")
        transport = QWidget()
        column = QVBoxLayout(transport)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for line in (first, second, third):
            line.setSpacing(4)
            column.addLayout(line)
        column.addStretch(1)
        return transport

    def _make_risk(self) -> QHBoxLayout:
        self._risk = QSpinBox()
        self._risk.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self._risk.setRange(1, 99)
        self._risk.setSuffix(" %")
        self._risk.setMinimumHeight(26)
        self._risk.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._risk.setKeyboardTracking(False)
        self._risk.setFont(tabular(self._risk.font()))
        self._risk.setToolTip(_RISK_TIP)
        self._risk.setAccessibleName("risk limit")
        self._risk.valueChanged.connect(lambda percent: self.risk_limit_changed.emit(percent / 100.0))
        caption = QLabel("Risk above")
        caption.setToolTip(_RISK_TIP)
        caption.setBuddy(self._risk)
        grade(caption, "muted")
        line = QHBoxLayout()
        line.addWidget(caption, 1)
        line.addWidget(self._risk)
        line.addWidget(self._button("frame.risky", "Next frame above the risk", "risky"))
        return line

    def set_risk_limit(self, limit: float) -> None:
        """The risk (0..1) above which a frame is in doubt."""
        with QSignalBlocker(self._risk):
            self._risk.setValue(round(100 * limit))

    def _button(self, action: str, label: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setIconSize(QSize(18, 18))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        set_icon(button, name)
        self._actions.add(action, button, label)
        return button

    def set_frames(self, frames: Sequence[int]) -> None:
        """The frame numbers of the trial, in order; empty where there is none."""
        self.strip.set_frames(frames)
        with QSignalBlocker(self._number):
            self._number.setRange(min(frames, default=0), max(frames, default=0))
        self._number.setEnabled(bool(frames))
        digits = max((len(str(frame)) for frame in frames), default=1)
        self._number.setFixedWidth(self._number.fontMetrics().horizontalAdvance("0" * max(digits, 3)) + 24)
        self._show_place()

    def set_lanes(self, lanes: Sequence[Lane]) -> None:
        """States and scores of the bodies, the active one first."""
        self.strip.set_lanes(lanes)

    def set_current(self, frame: int | None) -> None:
        """The frame that is shown."""
        self.strip.set_current(frame)
        if frame is not None:
            with QSignalBlocker(self._number):
                self._number.setValue(frame)
        self._show_place()

    def set_gate(self, score: float | None) -> None:
        """The score above which proposals are accepted together: a dashed line."""
        self.strip.set_gate(score)

    def set_working(self, frames: Iterable[int]) -> None:
        """Frames a running job still has before it: hatched."""
        self.strip.set_working(frames)

    def set_playing(self, playing: bool) -> None:
        """Whether the sequence is playing: the button then pauses."""
        set_icon(self._play, "pause" if playing else "play")

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """Labels, shortcuts and tips of the action table."""
        self._actions.set_hints(hints)

    def set_possible(self, actions: Iterable[str]) -> None:
        """Which buttons can be pressed now."""
        self._actions.set_possible(actions)

    def _show_place(self) -> None:
        place, count = self.strip.place, self.strip.count
        self._count.setText("" if place is None or not count else f"{place + 1} of {count}")

    def _on_number(self, number: int) -> None:
        frame = self.strip.nearest(number)
        if frame is None:
            return
        with QSignalBlocker(self._number):
            self._number.setValue(frame)
        self.frame_requested.emit(frame)
