"""What the wizards check while one types: planes, pairing, geometry, surfaces; sentences instead of exceptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from app.wizards.sources import BodyFile, BoneFile, Lengths, PairBy, Pictures, PlaneFiles, Sources, TrialFiles
from core.errors import DuoscopeError, GeometryError, PairingError
from core.geometry.mesh import TriangleMesh
from core.geometry.view import View, triangulate
from core.registration.values import Body

PLANES = ("A", "B")
_NEAR_MM, _FAR_MM = 200.0, 5000.0
"""Distances between source and the middle of the measured space that a room can hold."""
_MISS_MM = 50.0


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PlaneReport:
    """What was found out about one plane; a problem is a sentence, else it can be used."""

    problem: str = ""
    missing: str = ""
    """What a person still has to choose; no mistake yet."""
    pictures: Pictures | None = None
    view: View | None = None
    first: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    warning: str = ""

    @property
    def usable(self) -> bool:
        """Everything is there and fits."""
        return not self.problem and not self.missing

    @property
    def told(self) -> str:
        """A line for people."""
        if self.problem or self.missing:
            return self.problem or self.missing
        if self.pictures is None or self.view is None:
            return ""
        frames = self.pictures.frames
        depth = "" if self.first is None else f", {8 * self.first.dtype.itemsize} bit"
        size = f"{self.view.width_px} × {self.view.height_px} px{depth}"
        found = f"{len(frames)} pictures, frames {frames[0]} to {frames[-1]}, {size}"
        return ". ".join(sentence(part) for part in (found, *self.notes, self.warning) if part) + "."


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class TrialReport:
    """What was found out about a trial."""

    files: TrialFiles
    planes: tuple[PlaneReport, ...]
    problem: str = ""
    offer_order: bool = False
    """Whether pairing by order would work where pairing by number does not."""
    warning: str = ""
    told: str = ""
    frames: tuple[int, ...] = ()
    paths: tuple[tuple[Path, ...], ...] = ()
    """Pictures of each plane in the frames' order."""

    @property
    def usable(self) -> bool:
        """The trial can be made."""
        return bool(self.frames) and not self.problem

    @property
    def views(self) -> tuple[View, ...]:
        """The calibrated views, where all are known."""
        return tuple(plane.view for plane in self.planes if plane.view is not None)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BodyReport:
    """A body made ready, or why it cannot be used."""

    file: BodyFile | BoneFile
    body: Body | None = None
    problem: str = ""


def sentence(text: str) -> str:
    """With a capital at its beginning (unless that is a file's name) and no full stop at its end."""
    first = text.split(" ", 1)[0]
    return (text[:1].upper() + text[1:] if first.isalpha() else text).rstrip(". ")


def check_plane(sources: Sources, index: int, files: PlaneFiles, lengths: Lengths = "mm") -> PlaneReport:
    """Look for the pictures, read the first one and the calibration, compare their sizes."""
    name = PLANES[index]
    if not files.images.strip():
        return PlaneReport(missing=f"Choose the pictures of view {name}: a folder, or a pattern like run1/*.tif.")
    try:
        pictures = sources.pictures(files.images)
        first = sources.picture(pictures.paths[0])
        if not files.calibration.strip():
            return PlaneReport(missing=f"Choose the calibration of view {name}.", pictures=pictures, first=first)
        height, width = first.shape[:2]
        view, notes = sources.view(Path(files.calibration), name, (width, height), lengths)
        warning = sources.check_pictures(pictures, view)
    except DuoscopeError as error:
        return PlaneReport(problem=f"{sentence(str(error))}.")
    return PlaneReport(pictures=pictures, view=view, first=first, notes=notes, warning=warning)


def check_trial(sources: Sources, files: TrialFiles, taken: Sequence[str] = ()) -> TrialReport:
    """Check the planes, pair their pictures, and see whether the geometry makes sense."""
    planes = tuple(check_plane(sources, index, plane, files.lengths) for index, plane in enumerate(files.planes))
    if not files.name.strip():
        return TrialReport(files=files, planes=planes, problem="Give the trial a name.")
    if files.name.strip() in taken:
        return TrialReport(files=files, planes=planes, problem=f"There is a trial called {files.name.strip()} already.")
    if not all(plane.usable for plane in planes):
        return TrialReport(files=files, planes=planes)
    if len(planes) == 1:
        pictures = planes[0].pictures
        frames, paths = ((), ()) if pictures is None else (pictures.frames, (pictures.paths,))
        return TrialReport(files=files, planes=planes, frames=frames, paths=paths, told=_counted(frames))
    if _same_files(files):
        return TrialReport(
            files=files, planes=planes, problem="Both views have the same pictures or the same calibration."
        )
    return _paired(sources, files, planes)


def check_body(sources: Sources, file: BodyFile) -> BodyReport:
    """Read a surface in its units and make it ready."""
    try:
        surface: TriangleMesh = sources.surface(file.path, file.units)
        return BodyReport(file=file, body=sources.prepare(file.name, surface))
    except DuoscopeError as error:
        return BodyReport(file=file, problem=f"{sentence(str(error))}.")


def check_bone(sources: Sources, file: BoneFile) -> BodyReport:
    """Read a volume as it was said and make the bone ready."""
    try:
        return BodyReport(file=file, body=sources.bone(file))
    except DuoscopeError as error:
        return BodyReport(file=file, problem=f"{sentence(str(error))}.")


def _same_files(files: TrialFiles) -> bool:
    first, second = files.planes
    return first.images.strip() == second.images.strip() or first.calibration.strip() == second.calibration.strip()


def _paired(sources: Sources, files: TrialFiles, planes: tuple[PlaneReport, ...]) -> TrialReport:
    where = (files.planes[0].images, files.planes[1].images)
    try:
        pairs = sources.pair(*where, files.pair_by)
    except PairingError as error:
        offer = files.pair_by == "number" and _can_pair(sources, where, "order")
        problem = sentence(str(error).replace(" (--pair-by order)", ""))
        return TrialReport(files=files, planes=planes, problem=f"{problem}.", offer_order=offer)
    except DuoscopeError as error:
        return TrialReport(files=files, planes=planes, problem=f"{sentence(str(error))}.")
    geometry, warning = _geometry([plane.view for plane in planes if plane.view is not None])
    told = ". ".join(sentence(part) for part in (_counted(pairs.frames), pairs.note, geometry) if part)
    return TrialReport(
        files=files,
        planes=planes,
        frames=pairs.frames,
        paths=(pairs.paths_a, pairs.paths_b),
        told=f"{told}.",
        warning=warning,
        offer_order=files.pair_by == "order",
    )


def _can_pair(sources: Sources, where: tuple[str, str], by: PairBy) -> bool:
    try:
        sources.pair(*where, by)
    except DuoscopeError:
        return False
    return True


def _counted(frames: Sequence[int]) -> str:
    return f"{len(frames)} frames, {frames[0]} to {frames[-1]}"


def _geometry(views: Sequence[View]) -> tuple[str, str]:
    """A line about how the views stand to each other, and a warning where that is odd."""
    middles = np.array([[0.5 * (view.width_px - 1), 0.5 * (view.height_px - 1)] for view in views])
    try:
        middle, miss = triangulate(views, middles)
    except GeometryError:
        return "", "The two views look in the same direction: is one calibration file used for both?"
    cosine = float(np.clip(views[0].axis_world @ views[1].axis_world, -1.0, 1.0))
    angle = float(np.degrees(np.arccos(cosine)))
    depths = [view.depth_mm(middle) for view in views]
    told = f"The views cross at {angle:.0f} deg, {depths[0]:.0f} and {depths[1]:.0f} mm from their sources"
    if min(depths) <= 0:
        return told, "The views cross behind a source: the calibrations do not belong together."
    if min(depths) < _NEAR_MM or max(depths) > _FAR_MM:
        return (
            told,
            "These distances are unusual. Is the calibration in mm? Files of older programs are in cm.",
        )
    if miss > _MISS_MM:
        return told, f"The middles of the views miss each other by {miss:.0f} mm. Do the calibrations belong together?"
    return told, ""
