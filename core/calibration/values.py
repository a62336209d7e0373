"""What a calibration consists of, as frozen values: distortion, source, relation, and the set that keeps them together.

Detector frame of a plane: x right, y up, z toward the source, mm; origin at the bead plate's centre, and the bead plane
is the detector plane. The world of a set is plane A's detector frame.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Self, final

import numpy as np
from jaxtyping import Bool, Float, Int

from core.calibration.faults import CalibrationFaultError, Fault
from core.calibration.phantoms import Phantom
from core.errors import CalibrationError
from core.geometry.distortion import Correction, DetectorGrid, Distortion
from core.geometry.rigid import Rigid
from core.geometry.view import View

PLANES = ("A", "B")
CAMERA_FROM_DETECTOR = np.diag([1.0, -1.0, -1.0])
"""Camera axes (right, down, to the detector) from detector axes (right, up, to the source)."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Where a calibration stands, for whoever waits."""

    fraction: float
    """0 to 1."""
    text: str
    """What is being done, for people."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePicture:
    """A picture that something was made from."""

    name: str
    sha256: str


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where a result comes from."""

    pictures: tuple[SourcePicture, ...] = ()
    phantom: Phantom | None = None
    operator: str = ""
    made_at: str = ""
    """ISO 8601, UTC."""
    software: str = ""
    settings: Mapping[str, str | float | int] = field(default_factory=lambda: MappingProxyType({}))
    comment: str = ""
    """What a person said of it: why a warning was accepted, ..."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Beads:
    """Beads as they were found and what became of them; one row a bead."""

    seen_px: Float[np.ndarray, "n 2"]
    """Sub-pixel places in the raw picture."""
    indices: Int[np.ndarray, "n 2"]
    """Lattice index (column, row); -1, -1 where the bead belongs to none."""
    used: Bool[np.ndarray, " n"]
    """Whether the fit used it; False for a bead without index and for one rejected as outlier."""
    residual_mm: Float[np.ndarray, "n 2"]
    """Seen minus plate on the detector, after correction; NaN without index."""
    by_hand: Bool[np.ndarray, " n"]
    """Whether a person put it there."""
    missing: Int[np.ndarray, "m 2"]
    """Lattice indices of the plate inside the field that nothing was found for."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DistortionResult:
    """The distortion of one plane with what it is worth."""

    distortion: Distortion
    grid: DetectorGrid
    covariance: Float[np.ndarray, "k k"]
    """Of the x coefficients, and of the y coefficients, which share the design: from the residuals, mm^2."""
    beads: Beads
    method: str
    """polynomial, published-cpd-powell, published-gutierrez, import ..."""
    order: int
    order_curve: tuple[tuple[int, float, float], ...] = ()
    """For each order that was tried: order, held-out RMS (2-D) and maximum in mm."""
    fit_rms_mm: float = 0.0
    held_out_rms_mm: float = float("nan")
    """2-D RMS of beads that the fit did not see, in five folds."""
    held_out_max_mm: float = float("nan")
    field_cover: float = float("nan")
    """Share of the image circle inside the hull of the used beads."""
    expected_beads: int = 0
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def correction(self) -> Correction:
        """How its raw pictures become straight."""
        return Correction(distortion=self.distortion, grid=self.grid)

    @property
    def used_beads(self) -> int:
        """Beads that the fit used."""
        return int(self.beads.used.sum())


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DiscShadow:
    """The shadow of the disc in one picture, on the detector."""

    turn_deg: float
    """How the tube was turned, counter-clockwise as seen from the source (x toward y)."""
    edge_mm: Float[np.ndarray, "n 2"]
    """Undistorted points on the edge of the shadow."""
    used: Bool[np.ndarray, " n"]
    residual_px: Float[np.ndarray, " n"]
    """Distance of each edge point from the fitted shadow's edge, in straightened pixels; outward is positive."""
    centre_mm: tuple[float, float]
    """Of the ellipse fitted to the shadow."""
    semi_axes_mm: tuple[float, float]
    seat_mm: tuple[float, float]
    """Where the tube's centre was estimated to sit at this turn."""

    @property
    def rms_px(self) -> float:
        """RMS of the used edge points."""
        return float(np.sqrt((self.residual_px[self.used] ** 2).mean())) if self.used.any() else float("nan")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SourceResult:
    """Where the X-ray source stands in the detector frame."""

    source_mm: tuple[float, float, float]
    """Principal point x (right), y (up), and source-to-detector distance."""
    covariance: Float[np.ndarray, "3 3"]
    """mm^2; with the phantom's tolerances."""
    shadows: tuple[DiscShadow, ...] = ()
    plate_offset_mm: tuple[float, float] = (0.0, 0.0)
    """How far the plate was estimated off the tube's axis, at turn 0."""
    method: str = "circle back-projection"
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def edge_rms_px(self) -> float:
        """RMS of all used edge points of all turns; NaN for an imported result."""
        found = [shadow.residual_px[shadow.used] for shadow in self.shadows]
        return float(np.sqrt((np.concatenate(found) ** 2).mean())) if found else float("nan")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BeadsInPair:
    """One pose of the bead phantom as both planes saw it; row k of a plane is bead ``bead[k]``."""

    detector_a_from_phantom: Rigid
    seen_px: tuple[Float[np.ndarray, "na 2"], Float[np.ndarray, "nb 2"]]
    """In straightened pixels, for planes A and B."""
    beads: tuple[Int[np.ndarray, " na"], Int[np.ndarray, " nb"]]
    residual_px: tuple[Float[np.ndarray, "na 2"], Float[np.ndarray, "nb 2"]]


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RelationResult:
    """How the two detectors stand to each other, solved with certain intrinsics."""

    detector_a_from_detector_b: Rigid
    covariance: Float[np.ndarray, "6 6"]
    """Of the twist (mm, rad) in plane A's axes about the point where the optical axes come closest."""
    intrinsics: tuple[str, str]
    """Fingerprints of the intrinsics (distortion and source) of planes A and B that it was solved with."""
    pairs: tuple[BeadsInPair, ...] = ()
    bead_offsets_mm: Float[np.ndarray, "n 3"] = field(default_factory=lambda: np.zeros((0, 3)))
    """Estimated minus certified place of each bead."""
    distance_error_mm: Float[np.ndarray, " d"] = field(default_factory=lambda: np.zeros(0))
    """Held out: triangulated minus certified distance of every pair of beads in pictures that the fit left out."""
    method: str = "bundle adjustment"
    notes: tuple[str, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def reprojection_rms_px(self) -> float:
        """RMS distance of seen and drawn beads; NaN for an imported relation."""
        found = [residual for pair in self.pairs for residual in pair.residual_px]
        return float(np.sqrt((np.concatenate(found) ** 2).sum(axis=1).mean())) if found else float("nan")


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneCalibration:
    """Intrinsics of one plane; either part may still be missing."""

    distortion: DistortionResult | None = None
    source: SourceResult | None = None
    source_distortion: str = ""
    """Fingerprint of the distortion that the source was found with."""

    @property
    def distortion_fingerprint(self) -> str:
        """Changes with every number of the distortion."""
        return "" if self.distortion is None else _fingerprint(self.distortion.correction)

    @property
    def fingerprint(self) -> str:
        """Changes with every number of the intrinsics; empty while a part is missing."""
        if self.distortion is None or self.source is None:
            return ""
        return _fingerprint(self.distortion.correction, *self.source.source_mm)

    @property
    def problems(self) -> tuple[str, ...]:
        """What is missing or does not belong together, as ends of a sentence."""
        if self.distortion is None:
            return ("its distortion has not been measured",)
        if self.source is None:
            return ("its source has not been located",)
        if self.source_distortion != self.distortion_fingerprint:
            return ("its source was located with another distortion; locate it again",)
        return ()


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CalibrationSet:
    """Distortion, source and relation of a rig, kept together; never changed, only followed by another set."""

    name: str
    planes: Mapping[str, PlaneCalibration] = field(default_factory=lambda: MappingProxyType({}))
    """By "A" and "B"; a single-plane rig has A alone."""
    relation: RelationResult | None = None
    parent: str = ""
    """Checksum of the set that this one was made from."""
    made_at: str = ""
    operator: str = ""
    software: str = ""

    def plane(self, name: str) -> PlaneCalibration:
        """The intrinsics of a plane; empty ones where nothing has been measured.

        Raises:
            CalibrationError: the name is neither A nor B.
        """
        if name not in PLANES:
            raise CalibrationError(f"the planes are called A and B, not {name!r}")
        return self.planes.get(name, PlaneCalibration())

    def with_distortion(self, name: str, result: DistortionResult) -> Self:
        """A set with another distortion; what was found with the old one stays and is reported as stale."""
        return self._with_plane(name, replace(self.plane(name), distortion=result))

    def with_source(self, name: str, result: SourceResult) -> Self:
        """A set with another source, found with the distortion that the set holds."""
        plane = self.plane(name)
        return self._with_plane(name, replace(plane, source=result, source_distortion=plane.distortion_fingerprint))

    def with_relation(self, result: RelationResult) -> Self:
        """A set with another relation."""
        return replace(self, relation=result)

    @property
    def problems(self) -> tuple[str, ...]:
        """Why the set cannot serve two planes yet, as sentences; empty when it can."""
        found = [f"plane {name}: {problem}" for name in PLANES for problem in self.plane(name).problems]
        if self.relation is None:
            found.append("the relation of the planes has not been solved")
        elif self.relation.intrinsics != tuple(self.plane(name).fingerprint for name in PLANES):
            found.append("the relation of the planes was solved with other intrinsics; solve it again")
        return tuple(found)

    def view(self, name: str) -> View:
        """The view of a plane's straightened pictures, in the world of plane A's detector.

        Raises:
            CalibrationFaultError: something is missing or stale; the sentence says what to do.
        """
        plane = self.plane(name)
        if plane.problems:
            raise CalibrationFaultError(
                Fault.STALE, f"calibration set {self.name!r} cannot be used for plane {name}: {plane.problems[0]}"
            )
        if name != "A" and self.problems:
            raise CalibrationFaultError(
                Fault.STALE, f"calibration set {self.name!r} cannot be used for plane {name}: {self.problems[-1]}"
            )
        assert plane.distortion is not None
        assert plane.source is not None
        detector_from_a = Rigid.identity() if name == "A" else self._relation.inverse()
        return view_of(name, plane.distortion.grid, plane.source.source_mm, detector_from_a)

    @property
    def _relation(self) -> Rigid:
        assert self.relation is not None
        return self.relation.detector_a_from_detector_b

    def _with_plane(self, name: str, plane: PlaneCalibration) -> Self:
        self.plane(name)
        return replace(self, planes=MappingProxyType({**self.planes, name: plane}))


def view_of(name: str, grid: DetectorGrid, source_mm: tuple[float, float, float], detector_from_world: Rigid) -> View:
    """The view of straightened pictures whose source stands at a place of the detector frame.

    ``x_camera = C (x_detector - source)`` with ``C = diag(1, -1, -1)``; the principal point is the foot of the source.

    Raises:
        CalibrationError: the source is not in front of the detector.
    """
    x, y, distance = source_mm
    if not distance > 0:
        raise CalibrationError(f"plane {name}: the source must stand in front of the detector, not at {distance} mm")
    camera_from_detector = Rigid(
        rotation=CAMERA_FROM_DETECTOR, translation_mm=-CAMERA_FROM_DETECTOR @ np.asarray(source_mm, dtype=np.float64)
    )
    focal_px = distance / grid.spacing_mm
    return View(
        name=name,
        camera_from_world=camera_from_detector @ detector_from_world,
        focal_px=(focal_px, focal_px),
        principal_px=(grid.centre_px[0] + x / grid.spacing_mm, grid.centre_px[1] - y / grid.spacing_mm),
        width_px=grid.width_px,
        height_px=grid.height_px,
        pixel_spacing_mm=grid.spacing_mm,
    )


def _fingerprint(correction: Correction, *numbers: float) -> str:
    """SHA-256 of every digit of the numbers; the same after a file was written and read."""
    values = {"correction": asdict(correction), "numbers": list(numbers)}
    text = json.dumps(values, sort_keys=True, default=lambda value: value.item())
    return hashlib.sha256(text.encode()).hexdigest()
