"""Panels around the pictures: pose, timeline, study, window and level, proposals, messages, status; and the theme.

All are passive: signals go out, setters come in.
"""

from app.views.panels.action_buttons import ActionHint
from app.views.panels.colours import FrameState, body_colour, plane_colour
from app.views.panels.icons import icon, set_icon
from app.views.panels.message_bar import MessageBar, Severity
from app.views.panels.pose_panel import PosePanel, Uncertainty
from app.views.panels.proposal_bar import ProposalBar, ProposalSummary
from app.views.panels.status_line import StatusLine
from app.views.panels.study_tree import BodyRow, StudyTree, TrialRow, ViewRow
from app.views.panels.theme import apply_theme, theme_of
from app.views.panels.timeline import Lane, Timeline
from app.views.panels.window_level import WindowLevelPanel

__all__ = [
    "ActionHint",
    "BodyRow",
    "FrameState",
    "Lane",
    "MessageBar",
    "PosePanel",
    "ProposalBar",
    "ProposalSummary",
    "Severity",
    "StatusLine",
    "StudyTree",
    "Timeline",
    "TrialRow",
    "Uncertainty",
    "ViewRow",
    "WindowLevelPanel",
    "apply_theme",
    "body_colour",
    "icon",
    "plane_colour",
    "set_icon",
    "theme_of",
]
