"""Image sequences of one and two planes: found by folder or pattern, numbered, paired, checked, read one by one."""

import glob
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, final

import numpy as np

from core.errors import CalibrationError, ImageError, PairingError
from core.geometry.view import View
from core.io.pictures import ENDINGS, Picture, frame_number, image_size, read_image

__all__ = [
    "ENDINGS",
    "ImageSequence",
    "PairedSequences",
    "Picture",
    "check_contrast",
    "check_sizes",
    "contrast_fault",
    "find_sequence",
    "frame_number",
    "image_size",
    "pair_sequences",
    "read_image",
]

_LISTED = 5
_LEAST_RANGE = {np.dtype(np.uint8): 3, np.dtype(np.uint16): 32}
"""Grey levels between the darkest and the brightest parts below which a picture shows nothing."""
_LOOKED_AT = 512


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSequence:
    """Pictures of one plane in order of their frame numbers; nothing is read until asked for."""

    paths: tuple[Path, ...]
    frames: tuple[int, ...]

    def read(self, frame: int) -> Picture:
        """The picture of a frame.

        Raises:
            ImageError: there is no such frame, or its picture is missing, damaged or unsuitable.
        """
        if frame not in self.frames:
            raise ImageError(
                f"there is no picture of frame {frame}; frames run from {self.frames[0]} to {self.frames[-1]}"
            )
        return read_image(self.paths[self.frames.index(frame)])

    @property
    def gaps(self) -> tuple[int, ...]:
        """Numbers that seem to be missing, judged by the step that most frames follow each other by."""
        steps = Counter(b - a for a, b in itertools.pairwise(self.frames))
        if not steps:
            return ()
        step, followed = steps.most_common(1)[0]
        if 2 * followed <= sum(steps.values()):
            return ()
        wide = [(a, b) for a, b in itertools.pairwise(self.frames) if b - a > step and (b - a) % step == 0]
        return tuple(itertools.islice((n for a, b in wide for n in range(a + step, b, step)), 1000))

    @property
    def note(self) -> str:
        """A sentence about numbers that seem to be missing; empty if none are."""
        return f"frames seem to be missing: {_listed(self.gaps)}" if self.gaps else ""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PairedSequences:
    """Pictures of both planes, one pair a frame."""

    frames: tuple[int, ...]
    paths_a: tuple[Path, ...]
    paths_b: tuple[Path, ...]
    note: str = ""
    """What was assumed or seems to be missing, for people to read."""


def find_sequence(where: str | Path) -> ImageSequence:
    """The pictures of a folder, a glob pattern or a single file, in order of the last number in their names.

    Raises:
        ImageError: nothing is found, a name has no number, or two names have the same.
    """
    found = _pictures_at(Path(where).expanduser())
    numbered = sorted((frame_number(path), path.name, path) for path in found)
    for (one, _, first), (other, _, second) in itertools.pairwise(numbered):
        if one == other:
            raise ImageError(
                f"two pictures have the number {one}: {first} and {second}; a frame is named by the last number in "
                "its file name, so choose one series by a pattern such as 'cam1_*.tif'"
            )
    return ImageSequence(paths=tuple(path for *_, path in numbered), frames=tuple(frame for frame, *_ in numbered))


def _pictures_at(where: Path) -> list[Path]:
    if where.is_dir():
        found = _only_pictures(where.iterdir())
        if not found:
            inner = sorted(sub.name for sub in where.iterdir() if sub.is_dir() and _only_pictures(sub.iterdir()))
            hint = f"; there are some in its folders {', '.join(inner[:_LISTED])}" if inner else ""
            raise ImageError(f"folder {where} holds no TIFF or PNG pictures{hint}")
        return found
    if where.is_file():
        return [where]
    # A folder may itself have a name that looks like a pattern.
    pattern = f"{glob.escape(str(where.parent))}/{where.name}" if where.parent.is_dir() else str(where)
    matched = [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207 - patterns may be absolute
    found = _only_pictures(matched)
    if not found and matched:
        raise ImageError(f"{where} finds {len(matched)} files, but none is a TIFF or PNG picture")
    if not found:
        raise ImageError(f"there is no folder and no picture {where}; check the path or the pattern")
    return found


def _only_pictures(paths: Iterable[Path]) -> list[Path]:
    return [p for p in paths if p.suffix.lower() in ENDINGS and not p.name.startswith(".") and p.is_file()]


def pair_sequences(a: ImageSequence, b: ImageSequence, by: Literal["number", "order"] = "number") -> PairedSequences:
    """Pair the pictures of two planes by equal numbers, or by order (frames then carry plane A's numbers).

    Raises:
        PairingError: unequal counts, or unequal numbers while pairing by number.
    """
    only_a = tuple(sorted(set(a.frames) - set(b.frames)))
    only_b = tuple(sorted(set(b.frames) - set(a.frames)))
    differing = "; ".join(
        f"only plane {plane} has {_listed(frames)}" for plane, frames in (("A", only_a), ("B", only_b)) if frames
    )
    if len(a.frames) != len(b.frames):
        raise PairingError(
            f"plane A has {len(a.frames)} pictures and plane B has {len(b.frames)}: {differing}; "
            "each frame needs one of both, so add or remove those"
        )
    if by == "number" and differing:
        raise PairingError(
            f"the numbers of the pictures differ: {differing}; if they were taken at the same moments all the same, "
            "pair them by order (--pair-by order), and frames carry plane A's numbers"
        )
    notes = [f"plane {plane}: {sequence.note}" for plane, sequence in (("A", a), ("B", b)) if sequence.note]
    if differing:
        first = f"A {a.frames[0]} with B {b.frames[0]}, ..., A {a.frames[-1]} with B {b.frames[-1]}"
        notes.insert(0, f"paired by order ({first}); frames carry plane A's numbers")
    return PairedSequences(frames=a.frames, paths_a=a.paths, paths_b=b.paths, note="; ".join(notes))


def check_sizes(paths: Sequence[Path], view: View) -> None:
    """Refuse pictures of another size than their calibration; reads headers only.

    Raises:
        CalibrationError: the calibration is for pictures of another size.
        ImageError: pictures of one sequence differ in size, or a header cannot be read.
    """
    expected = (view.width_px, view.height_px)
    sizes = [image_size(path) for path in paths]
    odd = [index for index, size in enumerate(sizes) if size != expected]
    if not odd:
        return
    path, (width, height) = paths[odd[0]], sizes[odd[0]]
    if len(odd) == len(sizes):
        raise CalibrationError(
            f"the calibration of view {view.name} is for pictures of {expected[0]} x {expected[1]} px, but "
            f"{path.name} is {width} x {height} px; choose the calibration of these pictures, or undo a crop or resize"
        )
    raise ImageError(
        f"picture {path} is {width} x {height} px, the calibration and {len(sizes) - len(odd)} others are "
        f"{expected[0]} x {expected[1]} px; it belongs to another recording or was cropped"
    )


def contrast_fault(image: Picture) -> str | None:
    """Why a picture shows nothing ("all black", "all white", "of one grey"), or None if it shows something."""
    every = [max(1, side // _LOOKED_AT) for side in image.shape]
    low, high = np.quantile(image[:: every[0], :: every[1]], [0.005, 0.995])
    if high - low >= _LEAST_RANGE[image.dtype]:
        return None
    top = np.iinfo(image.dtype).max
    if high <= 0.02 * top:
        return "all black"
    return "all white" if low >= 0.98 * top else "of one grey"


def check_contrast(image: Picture, path: Path) -> None:
    """Refuse a picture that shows nothing.

    Raises:
        ImageError: it is all black, all white or of one grey.
    """
    fault = contrast_fault(image)
    if fault is not None:
        raise ImageError(
            f"picture {path} is {fault}: nothing can be seen or registered in it; was the X-ray off? Leave it out"
        )


def _listed(frames: Sequence[int]) -> str:
    shown = ", ".join(str(frame) for frame in frames[:_LISTED])
    return shown if len(frames) <= _LISTED else f"{shown} and {len(frames) - _LISTED} more"
