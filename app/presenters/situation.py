"""Tells the action table what is possible now."""

from app.commands.action import Situation
from app.presenters.pose_editor import PoseEditor
from app.presenters.proposals import Proposals
from app.presenters.session import Session


def situation_of(session: Session, proposals: Proposals, editor: PoseEditor, *, busy: bool) -> Situation:
    """The situation of a window."""
    document, chosen, stack = session.document, session.selection, session.history.stack
    key, trial = chosen.key, session.trial
    plane = 0 if trial is None else min(chosen.view, len(trial.views) - 1)
    return Situation(
        study=document is not None,
        trial=session.trial is not None,
        body=session.selection.body in session.bodies,
        stored=document is not None and key is not None and document.study.poses.get(key) is not None,
        proposal=bool(proposals.here),
        proposals=bool(proposals.in_trial),
        candidates=proposals.ambiguous,
        region=document is not None
        and key is not None
        and document.study.region(key.trial, plane, key.frame, key.body) is not None,
        busy=busy,
        can_undo=stack.canUndo(),
        can_redo=stack.canRedo(),
        clipboard=editor.has_copy,
        several=len(session.body_names) > 1,
    )
