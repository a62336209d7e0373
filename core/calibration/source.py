"""Where the X-ray source stands, from the shadow of a disc at a known height; several turns of its tube at once.

The shadow of a circle of radius R at height h has radius ``R S / (S - h)``. Its place tells the principal point, but
one picture cannot tell a source that is aside from a plate that is: turned with its tube, the plate moves and the
source does not. A tube that leans as a whole moves the shadow in the same way at every turn and is taken for a
displacement of the source (32 mm a degree); the relation of the planes, solved with this source, takes most of it up.
"""

from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Literal, final

import numpy as np

from core.calibration.disc_edge import Intensities, find_edge, linear_light
from core.calibration.disc_shadow import fit_ellipse, refuse_saturated
from core.calibration.faults import CalibrationFaultError, Fault
from core.calibration.phantoms import DiscPlate
from core.calibration.published_source import published_source
from core.calibration.source_fit import Shadow, SourceFit, fit_source
from core.calibration.values import DiscShadow, Progress, Provenance, SourceResult
from core.errors import CalibrationError
from core.geometry.distortion import Correction

_SEATS_FAR = 5.0
"""Seats that scatter by so many tolerances are no seats: the plate moved, or the turns are not those given."""
_SEATS_WIDE = 1.6
"""From here on the intervals are widened: eight coordinates scatter so far by chance once in some hundred times."""
_STILL = 0.25
"""Of the seat's tolerance: turned tubes move the shadow more, if only by their seat."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """How a source is located."""

    turns_deg: tuple[float, ...] | None = None
    """Of the tube at each picture, counter-clockwise as seen from the source; None: evenly spread over a full turn."""
    intensities: Intensities = "linear"
    """What grey values are."""
    decades: float = 2.0
    """Of intensity from black to white, where grey values are logarithms."""
    edge_share: float = 0.5
    """Where between dark (0) and bright (1) the edge is taken; anything but one half is biased, for comparison only."""
    method: Literal["back-projection", "published-circle"] = "back-projection"
    scale_sd: float = 1e-4
    """How exactly millimetres on the detector are known (1 SD, relative): the pitch of the bead plate."""
    edge_bias_sd_px: float = 0.05
    """By how much the whole edge may be seen too far out (1 SD): thickness of the plate, penumbra."""
    distortion_sd_mm: float = 0.005
    """By how much the distortion's residual may move the whole shadow (1 SD)."""

    def turns(self, pictures: int) -> tuple[float, ...]:
        """A turn for every picture.

        Raises:
            CalibrationError: another number of turns was given than there are pictures.
        """
        if self.turns_deg is None:
            return tuple(360.0 * number / pictures for number in range(pictures))
        if len(self.turns_deg) != pictures:
            raise CalibrationError(
                f"{pictures} pictures of the disc but {len(self.turns_deg)} turns of its tube; give one for each"
            )
        return self.turns_deg


def calibrate_source(
    pictures: Sequence[np.ndarray],
    plate: DiscPlate,
    correction: Correction,
    settings: SourceSettings | None = None,
) -> Generator[Progress, None, SourceResult]:
    """Locate the source of one plane in its detector frame.

    Args:
        pictures: raw (h, w), one for each turn of the tube.
        plate: the disc.
        correction: the distortion of these pictures; points of the edge are straightened with it.
        settings: turns, and what else is known.

    Raises:
        CalibrationFaultError: a picture that cannot be used, or shadows that do not belong to such a plate.
        CalibrationError: no pictures, or not one turn for each.
    """
    settings = SourceSettings() if settings is None else settings
    _refuse_pictures(pictures, correction)
    turns = settings.turns(len(pictures))
    if settings.method == "published-circle":
        result = yield from published_source(pictures, plate, correction)
        return result
    shadows = []
    for number, (picture, turn) in enumerate(zip(pictures, turns, strict=True)):
        yield Progress(fraction=number / (len(pictures) + 1), text=f"edge of the disc, picture {number + 1}")
        shadows.append(_shadow(picture, turn, f"picture {number + 1} of the disc", correction, settings))
    yield Progress(fraction=len(pictures) / (len(pictures) + 1), text="source")
    fit = _fit(shadows, plate, correction.grid.spacing_mm, settings)
    _refuse_unlike_turns(fit, shadows, plate, correction.grid.spacing_mm, settings)
    return _result(fit, shadows, plate, correction.grid.spacing_mm, settings)


def _refuse_pictures(pictures: Sequence[np.ndarray], correction: Correction) -> None:
    if not pictures:
        raise CalibrationError("the source needs at least one picture of the disc; four turns of its tube are better")
    sizes = {(picture.shape[1], picture.shape[0]) for picture in pictures}
    if len(sizes) > 1:
        told = ", ".join(f"{width} x {height}" for width, height in sorted(sizes))
        raise CalibrationFaultError(
            Fault.UNEQUAL_SIZES, f"the pictures of the disc have different sizes ({told} px); take all with one setting"
        )
    (size,) = sizes
    if size != correction.distortion.size_px:
        raise CalibrationFaultError(
            Fault.OTHER_SIZE,
            f"the pictures of the disc are {size[0]} x {size[1]} px, but the distortion was measured with pictures of "
            f"{correction.distortion.width_px} x {correction.distortion.height_px} px; measure it with this setting",
        )
    for number, picture in enumerate(pictures):
        for earlier in range(number):
            if np.array_equal(picture, pictures[earlier]):
                raise CalibrationFaultError(
                    Fault.NOT_DETERMINED,
                    f"pictures {earlier + 1} and {number + 1} of the disc are the same picture; take one at each turn",
                )


def _shadow(
    picture: np.ndarray, turn_deg: float, name: str, correction: Correction, settings: SourceSettings
) -> Shadow:
    refuse_saturated(picture, name)
    light = linear_light(picture, settings.intensities, settings.decades)
    edge = find_edge(light, name, settings.edge_share)
    return Shadow(turn_deg=turn_deg, edge_mm=correction.distortion.mm_from_px(edge.points_px))


def _fit(shadows: Sequence[Shadow], plate: DiscPlate, spacing_mm: float, settings: SourceSettings) -> SourceFit:
    return fit_source(
        shadows,
        plate,
        spacing_mm,
        scale_sd=settings.scale_sd,
        edge_bias_sd_mm=settings.edge_bias_sd_px * spacing_mm,
        shift_sd_mm=settings.distortion_sd_mm,
    )


def _refuse_unlike_turns(
    fit: SourceFit, shadows: Sequence[Shadow], plate: DiscPlate, spacing_mm: float, settings: SourceSettings
) -> None:
    """Refuse shadows that no turning tube explains."""
    if len(shadows) < 2 or fit.seat_scatter <= _SEATS_FAR:
        return
    backward = [Shadow(turn_deg=-shadow.turn_deg, edge_mm=shadow.edge_mm) for shadow in shadows]
    sense = ""
    if _fit(backward, plate, spacing_mm, settings).seat_scatter < 0.3 * fit.seat_scatter:
        order = ", ".join(f"{-shadow.turn_deg % 360:g}" for shadow in shadows)
        sense = f" Turned the other way round they do: the turns would be {order} deg."
    raise CalibrationFaultError(
        Fault.PLATE_MOVED,
        f"the shadows do not move as a plate on a turning tube does: its seat would have to change by "
        f"{fit.seat_scatter * plate.seat_sd_mm:.2f} mm, where {plate.seat_sd_mm:g} mm are allowed. Check the turns "
        f"given with the pictures, and that the plate is fixed to its tube.{sense}",
    )


def _result(
    fit: SourceFit, shadows: Sequence[Shadow], plate: DiscPlate, spacing_mm: float, settings: SourceSettings
) -> SourceResult:
    kept = {**asdict(settings), "turns_deg": ", ".join(f"{shadow.turn_deg:g}" for shadow in shadows)}
    return SourceResult(
        source_mm=fit.source_mm,
        covariance=fit.covariance * max(1.0, fit.seat_scatter / _SEATS_WIDE) ** 2,
        shadows=tuple(_record(fit, shadow, number, spacing_mm) for number, shadow in enumerate(shadows)),
        plate_offset_mm=fit.offset_mm,
        method="circle back-projection",
        notes=_notes(fit, shadows, plate),
        provenance=Provenance(phantom=plate, settings=MappingProxyType(kept)),
    )


def _record(fit: SourceFit, shadow: Shadow, number: int, spacing_mm: float) -> DiscShadow:
    used = fit.used[number]
    ellipse = fit_ellipse(shadow.edge_mm[used])
    return DiscShadow(
        turn_deg=shadow.turn_deg,
        edge_mm=shadow.edge_mm,
        used=used,
        residual_px=fit.residual_mm[number] / spacing_mm,
        centre_mm=ellipse.centre,
        semi_axes_mm=ellipse.semi_axes,
        seat_mm=fit.seats_mm[number],
    )


def _notes(fit: SourceFit, shadows: Sequence[Shadow], plate: DiscPlate) -> tuple[str, ...]:
    notes = []
    distinct = {round(shadow.turn_deg % 360.0, 3) for shadow in shadows}
    if len(distinct) < 2:
        sd_mm = float(np.sqrt(fit.covariance[0, 0]))
        notes.append(
            f"all pictures at one turn of the tube: a plate off its middle cannot be told from a source that is aside; "
            f"the principal point is known to {sd_mm:.1f} mm (1 SD) only"
        )
    elif fit.seat_scatter > _SEATS_WIDE:
        notes.append(
            f"the seat of the tube changes more than {plate.seat_sd_mm:g} mm between turns "
            f"({fit.seat_scatter * plate.seat_sd_mm:.2f} mm); the intervals were widened accordingly"
        )
    elif fit.moved_mm < _STILL * plate.seat_sd_mm:
        notes.append(
            f"the shadow stays within {fit.moved_mm:.3f} mm at all turns: was the tube turned at all? If not, the "
            "principal point is worth no more than that of one picture"
        )
    return tuple(notes)
