"""What can be done in the window, as protocols that the presenters fulfil and the action table calls."""

from typing import Protocol


class FileDeeds(Protocol):
    """Studies and files."""

    def new(self) -> None:
        """Ask for a new study."""

    def open(self) -> None:
        """Ask for a study and open it."""

    def open_demo(self) -> None:
        """Open the demo study."""

    def save_as(self) -> None:
        """Copy the study to another place and go on there."""

    def add_trial(self) -> None:
        """Ask for a trial and add it."""

    def add_body(self) -> None:
        """Ask for a body and add it."""

    def import_poses(self) -> None:
        """Read poses of the active body from a file."""

    def export_poses(self) -> None:
        """Write poses of the active body into a file."""

    def save_picture(self) -> None:
        """Save the window's views as a picture."""

    def close_study(self) -> None:
        """Close the study."""

    def quit(self) -> None:
        """Close the window."""


class PoseDeeds(Protocol):
    """The pose of the active body."""

    def undo(self) -> None:
        """Take the last change back."""

    def redo(self) -> None:
        """Do it again."""

    def nudge(self, move: tuple[int, int, int], turn: tuple[int, int, int]) -> None:
        """One step along and about the axes right, down, away of the active view."""

    def copy(self) -> None:
        """Remember the pose."""

    def paste(self) -> None:
        """Use the remembered pose."""

    def reset(self) -> None:
        """Back to the pose of the nearest other frame."""

    def remove(self) -> None:
        """Remove the stored pose."""

    def mirror(self) -> None:
        """The pose that one view cannot tell from this one."""

    def place(self) -> None:
        """Put the body in the middle of the views."""

    def change_step(self, direction: int) -> None:
        """The next larger or smaller step."""

    def pick_pivot(self) -> None:
        """Turn about the point that is clicked next."""

    def centre_pivot(self) -> None:
        """Turn about the body's centre."""


class RegisterDeeds(Protocol):
    """Automatic work and its proposals."""

    def register(self) -> None:
        """Register the chosen bodies in this frame."""

    def register_jointly(self) -> None:
        """Register all bodies of the study in this frame together."""

    def find(self) -> None:
        """Find the chosen bodies from the shadows in this frame, without a pose."""

    def find_options(self) -> None:
        """Show what finding can be told."""

    def draw_region(self) -> None:
        """Outline the active body's shadow in the active view by hand."""

    def propose_region(self) -> None:
        """Outline a dark shadow of the active view for the active body."""

    def remove_region(self) -> None:
        """Remove the active body's region in the active view."""

    def next_candidate(self, step: int) -> None:
        """Show another of the poses that fit equally well."""

    def track(self, direction: int) -> None:
        """Track the chosen bodies from this frame to the end or the beginning."""

    def track_range(self) -> None:
        """Ask for a range of frames and track the chosen bodies through it."""

    def cancel(self) -> None:
        """Stop what runs, at once."""

    def accept(self) -> None:
        """Store the proposals of this frame."""

    def reject(self) -> None:
        """Drop the proposals of this frame."""

    def accept_good(self) -> None:
        """Store all proposals above the score."""

    def reject_all(self) -> None:
        """Drop all proposals of the trial."""


class FrameDeeds(Protocol):
    """Frames and bodies."""

    def step(self, by: int) -> None:
        """Some frames on or back."""

    def first(self) -> None:
        """The first frame."""

    def last(self) -> None:
        """The last frame."""

    def next_doubtful(self) -> None:
        """The next frame that wants a look."""

    def next_risky(self) -> None:
        """The next frame whose pose is likelier to be wrong than the chosen risk."""

    def play(self) -> None:
        """Start or stop playing."""

    def next_body(self, by: int) -> None:
        """Make another body the active one."""


class ViewDeeds(Protocol):
    """What is shown, and how."""

    def maximise(self, view: int | None) -> None:
        """Show one of the three views large, or all."""

    def fit(self) -> None:
        """Fit the pictures into their views."""

    def zoom(self, factor: float) -> None:
        """Zoom the active picture."""

    def next_overlay(self) -> None:
        """Outline, fill, X-ray, off."""

    def blink(self) -> None:
        """Show and hide the overlays in turn."""

    def invert(self) -> None:
        """Invert the pictures."""

    def edges(self) -> None:
        """Show the edges of the pictures."""

    def residual(self) -> None:
        """Show what the picture and the model do not have in common."""

    def distances(self) -> None:
        """Colour outlines by how far the picture's edges are from them."""

    def uncertainty(self) -> None:
        """Show how sure positions are, in the 3D scene."""

    def auto_window(self) -> None:
        """Set window and level from the picture."""

    def epipolar(self) -> None:
        """Show the cursor's ray in the other view."""

    def gizmo(self, mode: str) -> None:
        """Handles in the 3D scene: none, translate, rotate."""

    def preset(self, name: str) -> None:
        """A camera of the 3D scene."""

    def exclude(self) -> None:
        """Draw a polygon to be left out of the registration."""

    def theme(self, *, dark: bool) -> None:
        """Dark or light."""

    def annotator(self) -> None:
        """Ask for the annotator's name."""

    def shortcuts(self) -> None:
        """Show all keys."""

    def first_minute(self) -> None:
        """Show the first-minute card again."""

    def log(self) -> None:
        """Show the log."""

    def about(self) -> None:
        """Say what this is."""


class Deeds(Protocol):
    """All that the action table can call."""

    @property
    def files(self) -> FileDeeds:
        """Studies and files."""

    @property
    def pose(self) -> PoseDeeds:
        """The active body's pose."""

    @property
    def automatic(self) -> RegisterDeeds:
        """Registration, tracking, proposals."""

    @property
    def frames(self) -> FrameDeeds:
        """Frames and bodies."""

    @property
    def views(self) -> ViewDeeds:
        """What is shown."""
