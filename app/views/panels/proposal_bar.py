"""The proposal bar: old and new score of each view, how far the body moved, accept or reject."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from PySide6.QtCore import QEvent, QPointF, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.views.panels.action_buttons import ActionButtons, ActionHint
from app.views.panels.candidate_buttons import CandidateButtons
from app.views.panels.colours import PLANE_NAMES, FrameState, paint_state, plane_colour
from app.views.panels.icons import set_icon
from app.views.panels.theme import DARK, GRID_PX, grade, tabular, theme_of


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalSummary:
    """A proposal beside what it would replace."""

    title: str
    """Body and frame, e.g. "femur, frame 12"."""
    new_scores: tuple[float, ...]
    """One a view, 1 is perfect."""
    old_scores: tuple[float | None, ...] = ()
    moved_mm: float | None = None
    turned_deg: float | None = None
    outcome: str = ""
    """A sentence about how the registration ended; shown where it raises doubt."""
    trusted: bool = True
    replaces_judged: bool = False
    """Whether accepting replaces a pose that a person placed or accepted."""
    candidates: tuple[tuple[float, ...], ...] = ()
    """Scores in each view of each pose that fits equally well; empty where there is one only."""
    chosen: int = 0
    """Which of them is shown."""
    risk: float | None = None
    """Chance (0..1) of an error above 1 mm or 1 deg, where it is known."""
    risky: bool = False
    """Whether that is above the limit."""


class StateMark(QWidget):
    """The shape of a state, for cards and lists."""

    def __init__(self, state: FrameState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.setFixedSize(16, 16)

    def set_state(self, state: FrameState) -> None:
        """Another state."""
        self._state = state
        self.setToolTip(state.label)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The shape in its colour."""
        painter = QPainter(self)
        paint_state(painter, self._state, QPointF(8, 8), 12, theme_of(self))


@final
class ProposalBar(QFrame):
    """Shows the proposal of the current frame and asks what to do with it; hidden where none waits.

    Signals:
        action_requested(str): proposal.accept, proposal.reject, proposal.accept_good, proposal.reject_all.
        gate_changed(float): another score above which all are accepted.
        candidate_chosen(int): which of several poses is to be shown.
    """

    action_requested = Signal(str)
    gate_changed = Signal(float)
    candidate_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: ProposalSummary | None = None
        grade(self, "card")
        self._buttons = ActionButtons(self)
        self._buttons.requested.connect(self.action_requested)
        row = QHBoxLayout(self)
        row.setContentsMargins(GRID_PX, 4, GRID_PX, 4)
        row.setSpacing(GRID_PX)
        self._mark = StateMark(FrameState.PROPOSED)
        row.addWidget(self._mark)
        row.addLayout(self._make_texts(), 1)
        self._choices = CandidateButtons()
        self._choices.chosen.connect(self.candidate_chosen)
        row.addWidget(self._choices)
        self._here = self._make_here()
        self._all = self._make_all()
        row.addWidget(self._here)
        row.addWidget(self._all)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.show_proposal(None)

    def _make_texts(self) -> QVBoxLayout:
        self._title, self._scores, self._note = QLabel(), QLabel(), QLabel()
        self._scores.setTextFormat(Qt.TextFormat.RichText)
        self._scores.setToolTip(
            "Agreement with each picture before and after (1 is perfect), how far the body moved, and the risk: the "
            "chance that the pose is off by more than 1 mm or 1 deg"
        )
        self._scores.setFont(tabular(self._scores.font()))
        self._note.setWordWrap(True)
        grade(self._note, "muted")
        first = QHBoxLayout()
        first.setSpacing(2 * GRID_PX)
        first.addWidget(self._title)
        first.addWidget(self._scores)
        first.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addLayout(first)
        column.addWidget(self._note)
        return column

    def _make_here(self) -> QWidget:
        accept, reject = QPushButton("Accept"), QPushButton("Reject")
        accept.setProperty("primary", "true")
        set_icon(accept, "accept", DARK.accent_text)
        set_icon(reject, "reject")
        self._buttons.add("proposal.accept", accept)
        self._buttons.add("proposal.reject", reject)
        return _in_a_row(accept, reject)

    def _make_all(self) -> QWidget:
        every, drop, self._gate = QPushButton("Accept all above"), QPushButton("Reject all"), QDoubleSpinBox()
        self._above = every
        self._gate.setMinimumHeight(26)
        self._gate.setRange(0.0, 1.0)
        self._gate.setSingleStep(0.05)
        self._gate.setDecimals(2)
        self._gate.setKeyboardTracking(False)
        self._gate.setToolTip("Score that a proposal needs to be accepted together with the others (1 is perfect)")
        self._gate.setAccessibleName("score to accept above")
        self._gate.valueChanged.connect(self.gate_changed)
        set_icon(every, "accept_all")
        self._buttons.add("proposal.accept_good", every)
        self._buttons.add("proposal.reject_all", drop)
        return _in_a_row(every, self._gate, drop)

    def sizeHint(self) -> QSize:
        """One or two lines."""
        return super().sizeHint().expandedTo(QSize(480, 40))

    def show_proposal(self, proposal: ProposalSummary | None, *, waiting: int = 0, above: int = 0) -> None:
        """The proposal of this frame (or None), how many wait in the trial, and how many of them pass the gate."""
        self.setVisible(proposal is not None or waiting > 0)
        self._here.setVisible(proposal is not None)
        self._all.setVisible(waiting > (1 if proposal is not None else 0))
        self._above.setText(f"Accept {above} above")
        doubted = proposal is not None and (proposal.risky or not proposal.trusted)
        self._mark.set_state(FrameState.DOUBTFUL if doubted else FrameState.PROPOSED)
        if proposal is None:
            self._choices.show_candidates((), 0)
        else:
            self._choices.show_candidates(proposal.candidates, proposal.chosen)
        if proposal is None:
            self._title.setText(f"{waiting} proposals wait in other frames")
            self._scores.clear()
            self._note.hide()
            return
        self._shown = proposal
        self._title.setText(f"<b>{proposal.title}</b>")
        self._scores.setText(self._score_text(proposal))
        notes = self._notes(proposal, waiting)
        self._note.setText(" ".join(notes))
        self._note.setVisible(bool(notes))

    def changeEvent(self, event: QEvent) -> None:
        """The planes' colours in another theme."""
        super().changeEvent(event)
        shown: ProposalSummary | None = getattr(self, "_shown", None)
        if event.type() is QEvent.Type.PaletteChange and shown is not None:
            self._scores.setText(self._score_text(shown))

    def set_gate(self, score: float) -> None:
        """The score above which all are accepted."""
        with QSignalBlocker(self._gate):
            self._gate.setValue(score)

    def set_hints(self, hints: Mapping[str, ActionHint]) -> None:
        """Labels, shortcuts and tips of the action table."""
        self._buttons.set_hints(hints)
        self._choices.set_hints(hints)

    def set_possible(self, actions: Iterable[str]) -> None:
        """Which buttons can be pressed now."""
        self._buttons.set_possible(actions)

    def _score_text(self, proposal: ProposalSummary) -> str:
        theme = theme_of(self)
        parts = []
        old: Sequence[float | None] = proposal.old_scores or (None,) * len(proposal.new_scores)
        for index, (was, now) in enumerate(zip(old, proposal.new_scores, strict=True)):
            name = f'<span style="color:{plane_colour(index, theme)}"><b>{PLANE_NAMES[index % 2]}</b></span>'
            before = "" if was is None else f'<span style="color:{theme.muted}">{was:.2f} →</span> '
            better = was is None or now >= was - 0.005
            colour = theme.text if better else theme.caution
            parts.append(f'{name} {before}<span style="color:{colour}"><b>{now:.2f}</b></span>')
        if proposal.moved_mm is not None and proposal.turned_deg is not None:
            parts.append(f"moved {proposal.moved_mm:.2f} mm, {proposal.turned_deg:.2f} deg")
        if proposal.risk is not None:
            colour = theme.caution if proposal.risky else theme.text
            parts.append(f'risk <span style="color:{colour}"><b>{100 * proposal.risk:.0f} %</b></span>')
        return "&nbsp;&nbsp;&nbsp;".join(parts)

    @staticmethod
    def _notes(proposal: ProposalSummary, waiting: int) -> list[str]:
        notes = []
        if proposal.candidates:
            notes.append(f"{len(proposal.candidates)} poses fit equally well: compare them ([ and ]) and accept one.")
        elif not proposal.trusted and proposal.outcome:
            notes.append(f"In doubt: {proposal.outcome}.")
        if proposal.risky and proposal.risk is not None:
            notes.append(f"In doubt: off by more than 1 mm or 1 deg with {100 * proposal.risk:.0f} % chance.")
        if proposal.replaces_judged:
            notes.append("Accepting replaces a pose that a person placed or accepted.")
        if waiting > 1:
            notes.append(f"{waiting} proposals wait in this trial.")
        return notes


def _in_a_row(*widgets: QWidget) -> QWidget:
    together = QWidget()
    row = QHBoxLayout(together)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(4)
    for widget in widgets:
        row.addWidget(widget)
    return together
