"""Shows what the automatic work proposes beside what is there, and settles it as the person says."""

from collections.abc import Iterable
from typing import final

from PySide6.QtCore import QObject, Signal

from app.commands.edits import accepted, difference, good_proposals, is_risky, judged, rejected
from app.presenters.candidates import next_candidate
from app.presenters.dialogs import Dialogs
from app.presenters.frames import DEFAULT_RISK
from app.presenters.session import Session
from app.views.panels.proposal_bar import ProposalBar, ProposalSummary
from core.study.values import PoseKey

DEFAULT_GATE = 0.70


@final
class Proposals(QObject):
    """Binds the proposal bar.

    Signals:
        gate_changed(float): another score above which proposals are accepted together.
        settled(): the proposals of the frame are accepted or rejected.
    """

    gate_changed = Signal(float)
    settled = Signal()

    def __init__(self, session: Session, bar: ProposalBar, dialogs: Dialogs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._bar = bar
        self._dialogs = dialogs
        self.gate = session.preferences.number("gate", DEFAULT_GATE)
        bar.set_gate(self.gate)
        bar.gate_changed.connect(self._on_gate)
        bar.candidate_chosen.connect(self._on_candidate)

    @property
    def risk_limit(self) -> float:
        """The risk (0..1) above which a proposal is not accepted together with others."""
        return self._session.preferences.number("risk_limit", DEFAULT_RISK)

    @property
    def ambiguous(self) -> bool:
        """Whether this frame's proposal has several poses to choose from."""
        document, here = self._session.document, self.here
        return document is not None and any(document.proposals[key].candidates for key in here)

    @property
    def here(self) -> tuple[PoseKey, ...]:
        """Keys of the selected frame's proposals, the active body first."""
        document = self._session.document
        if document is None:
            return ()
        names = dict.fromkeys((*self._session.selection.bodies, *self._session.body_names))
        keys = [self._session.key_of(name) for name in names]
        return tuple(key for key in keys if key is not None and key in document.proposals)

    @property
    def in_trial(self) -> tuple[PoseKey, ...]:
        """Keys of all proposals of the selected trial."""
        document, trial = self._session.document, self._session.selection.trial
        return () if document is None else tuple(key for key in document.proposals if key.trial == trial)

    def refresh(self) -> None:
        """Show what waits."""
        document, trial = self._session.document, self._session.selection.trial
        here = self.here
        waiting = len(self.in_trial) - max(len(here) - 1, 0)
        above = 0
        if document is not None and trial is not None:
            above = len(good_proposals(document, trial, self.gate, self.risk_limit))
        self._bar.show_proposal(self._summary(here) if here else None, waiting=waiting, above=above)

    def accept(self) -> None:
        """Store this frame's proposals."""
        document, here = self._session.document, self.here
        if document is not None and here:
            after = accepted(document, here, author=self._session.preferences.author)
            self._session.history.do(f"Accept {_named(here)}", after)
            self.settled.emit()

    def reject(self) -> None:
        """Drop this frame's proposals."""
        document, here = self._session.document, self.here
        if document is not None and here:
            self._session.history.do(f"Reject {_named(here)}", rejected(document, here))
            self.settled.emit()

    def accept_good(self) -> None:
        """Store all proposals above the gate; poses that a person judged are replaced only after asking."""
        document, trial = self._session.document, self._session.selection.trial
        if document is None or trial is None:
            return
        keys = good_proposals(document, trial, self.gate, self.risk_limit)
        if not keys:
            self._session.messages.info(
                f"No proposal without doubt scores {self.gate:.2f} or more with a risk of at most "
                f"{100 * self.risk_limit:.0f} %."
            )
            return
        held = judged(document, keys)
        if held:
            answer = self._dialogs.choose(
                "Poses that a person placed or accepted",
                f"{len(held)} of the {len(keys)} proposals would replace poses that a person placed or accepted.",
                ("Keep those, accept the others", "Replace them too"),
            )
            if answer is None:
                return
            keys = tuple(key for key in keys if answer == 1 or key not in held)
        if keys:
            after = accepted(document, keys, author=self._session.preferences.author)
            self._session.history.do(f"Accept {len(keys)} proposals", after)
            self._session.messages.info(f"{len(keys)} proposals accepted; Ctrl+Z takes all of them back.")
            self.settled.emit()

    def reject_all(self) -> None:
        """Drop all proposals of the trial."""
        document, keys = self._session.document, self.in_trial
        if document is not None and keys:
            self._session.history.do(f"Reject {len(keys)} proposals", rejected(document, keys))

    def next_candidate(self, step: int) -> None:
        """Show another of this frame's poses that fit equally well; can be undone."""
        document, here = self._session.document, self.here
        after = None if document is None else next_candidate(document, here, step)
        if after is not None:
            self._session.history.do(f"Show another candidate of {_named(here)}", after)

    def _on_candidate(self, index: int) -> None:
        document, here = self._session.document, self.here
        if document is not None and here:
            self.next_candidate(index - document.proposals[here[0]].chosen)

    def _summary(self, keys: tuple[PoseKey, ...]) -> ProposalSummary | None:
        document = self._session.document
        body = self._session.bodies.get(keys[0].body)
        if document is None:
            return None
        keys = tuple(sorted(keys, key=lambda key: not document.proposals[key].candidates))
        proposal = document.proposals[keys[0]]
        moved = None
        if body is not None:
            moved = difference(proposal.record.world_from_body, proposal.old_pose, body.pivot_mm)
        return ProposalSummary(
            title=f"{' and '.join(key.body for key in keys)}, frame {keys[0].frame}",
            new_scores=proposal.view_scores,
            old_scores=proposal.old_scores,
            moved_mm=None if moved is None else moved[0],
            turned_deg=None if moved is None else moved[1],
            outcome=proposal.record.outcome,
            trusted=all(document.proposals[key].trusted for key in keys),
            replaces_judged=bool(judged(document, keys)),
            candidates=tuple(one.view_scores for one in proposal.candidates),
            chosen=proposal.chosen,
            risk=_largest(document.proposals[key].record.risk for key in keys),
            risky=any(is_risky(document.proposals[key].record, self.risk_limit) for key in keys),
        )

    def _on_gate(self, gate: float) -> None:
        self.gate = gate
        self._session.preferences.put("gate", gate)
        self.gate_changed.emit(gate)
        self.refresh()


def _largest(risks: Iterable[float | None]) -> float | None:
    return max((risk for risk in risks if risk is not None), default=None)


def _named(keys: tuple[PoseKey, ...]) -> str:
    return f"{' and '.join(key.body for key in keys)} in frame {keys[0].frame}"
