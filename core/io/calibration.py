"""Read a calibration file of any known kind."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from core.errors import CalibrationError
from core.geometry.view import View
from core.io.jointtrack import BIPLANE_TITLE, TITLE, read_jointtrack_calibration
from core.io.mayacam import read_mayacam_with_notes
from core.io.text_files import read_text


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A view, the kind of file it came from, and what a person should know about how it was understood."""

    view: View
    kind: str
    notes: tuple[str, ...] = ()


def read_calibration(
    path: Path, name: str, picture_size: tuple[int, int] | None = None, *, lengths: str = "mm"
) -> View:
    """The view that a MayaCam 2.0 or 1.0 or a JointTrack one-plane calibration describes.

    Args:
        path: the file; its kind is recognised.
        name: what to call the view.
        picture_size: width and height of the pictures in pixels; JointTrack's files do not say them.
        lengths: unit of a MayaCam file's lengths, "mm", "cm" or "m".

    Raises:
        CalibrationError: the file is missing, broken, of no known kind, or made for pictures of another size.
    """
    return inspect_calibration(path, name, picture_size, lengths=lengths).view


def inspect_calibration(
    path: Path, name: str, picture_size: tuple[int, int] | None = None, *, lengths: str = "mm"
) -> Calibration:
    """As ``read_calibration``, with the kind of the file and notes.

    Raises:
        CalibrationError: as there.
    """
    path = Path(path)
    first = read_text(path, "calibration", CalibrationError).split(maxsplit=1)[0].strip(",")
    if first in {TITLE, BIPLANE_TITLE}:
        if picture_size is None:
            raise CalibrationError(
                f"calibration {path} is a JointTrack file, which does not say the size of its pictures; "
                "choose the pictures first"
            )
        notes = (f"the world of {path.name} is its camera: source at the origin, x right, y up, z to the source",)
        return Calibration(
            view=read_jointtrack_calibration(path, name, picture_size), kind="JointTrack one-plane", notes=notes
        )
    view, notes_about = read_mayacam_with_notes(path, name, lengths=lengths)
    if picture_size is not None and picture_size != (view.width_px, view.height_px):
        raise CalibrationError(
            f"calibration {path} was made for pictures of {view.width_px} x {view.height_px} px, but these are "
            f"{picture_size[0]} x {picture_size[1]} px; choose the calibration that belongs to these pictures"
        )
    kind = "MayaCam 2.0" if first.lower() == "image" else "MayaCam 1.0"
    return Calibration(view=view, kind=kind, notes=notes_about)
