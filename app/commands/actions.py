"""The one table of actions: menus, tool bar, shortcuts and the help page are all made from it."""

from dataclasses import dataclass
from typing import final

from app.commands.action import Action, Menu, Situation
from app.commands.file_table import EDIT_ACTIONS, FILE_ACTIONS
from app.commands.pose_table import POSE_ACTIONS
from app.commands.register_table import REGISTER_ACTIONS
from app.commands.view_table import HELP_ACTIONS, REVIEW_ACTIONS, VIEW_ACTIONS

__all__ = ["ACTIONS", "MOUSE", "Action", "Gesture", "Menu", "Situation"]

ACTIONS: tuple[Action, ...] = (
    *FILE_ACTIONS,
    *EDIT_ACTIONS,
    *VIEW_ACTIONS,
    *POSE_ACTIONS,
    *REGISTER_ACTIONS,
    *REVIEW_ACTIONS,
    *HELP_ACTIONS,
)


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Gesture:
    """Something the mouse or a held key does, for the help page."""

    label: str
    how: str


MOUSE: tuple[Gesture, ...] = (
    Gesture(label="Move in the view's plane", how="Left drag on the body"),
    Gesture(label="Move along the ray", how="Alt + left drag, or Ctrl + wheel"),
    Gesture(label="Turn about the view's axes", how="Right drag"),
    Gesture(label="Roll about the ray", how="Shift + right drag"),
    Gesture(label="Zoom at the cursor", how="Wheel"),
    Gesture(label="Pan the picture", how="Middle drag, or Space + left drag"),
    Gesture(label="Choose a body", how="Click it"),
    Gesture(label="Hide the overlay for a moment", how="Hold H"),
    Gesture(label="Make a view large or small", how="Double-click its title"),
)
