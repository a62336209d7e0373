"""A whole calibration session of a simulated rig: the pictures of all phantoms in both planes, and the truth."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass, field
from typing import final

import numpy as np

from core.calibration.phantoms import BeadPhantom, DiscPlate, GridPlate
from core.geometry.rigid import Rigid
from core.simulation.phantoms.beads import BeadsAsMade, bead_picture, bead_places, made_beads, poses_in_view
from core.simulation.phantoms.chain import PhantomChain, white_picture
from core.simulation.phantoms.clutter import Clutter
from core.simulation.phantoms.disc import DiscAsMade, disc_picture, made_disc
from core.simulation.phantoms.maps import Points, points_on_disc
from core.simulation.phantoms.plate import PlateAsMade, Seating, grid_picture, made_plate, seated_beads
from core.simulation.phantoms.rig import RigSettings, SimulatedPlane, SimulatedRig, distortion_size_mm, make_rig

Truth = Mapping[str, object]
PLANES = ("A", "B")


@final
@dataclass(frozen=True, kw_only=True)
class SessionSettings:
    """What is simulated."""

    grid: GridPlate
    disc: DiscPlate
    beads: BeadPhantom
    rig: RigSettings = field(default_factory=RigSettings)
    chain: PhantomChain = field(default_factory=PhantomChain)
    seating: Seating = field(default_factory=Seating)
    clutter: Clutter = field(default_factory=Clutter)
    turns_deg: tuple[float, ...] = (0.0, 90.0, 180.0, 270.0)
    """Of the disc's tube, counter-clockwise as seen from the source."""
    poses: int = 5
    """Of the bead phantom."""


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PhantomPicture:
    """A picture of the session."""

    folder: str
    """grid_a, disc_a, beads_a, white_a, and the same with b."""
    name: str
    """Without ending."""
    picture: np.ndarray
    done: int
    """How many pictures are done with this one."""
    count: int


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Session:
    """A rig and its phantoms as they really are."""

    rig: SimulatedRig
    settings: SessionSettings
    grid: PlateAsMade
    disc: DiscAsMade
    beads: BeadsAsMade
    seats_mm: Mapping[str, tuple[tuple[float, float], ...]]
    """By plane, where the tube sits at each turn."""
    poses: tuple[Rigid, ...]
    """world_from_phantom of the bead phantom."""
    seed: int


def make_session(
    seed: int, settings: SessionSettings, given: Mapping[str, Callable[[Points], Points]] | None = None
) -> Session:
    """Everything that is true of a session; the same seed gives the same session.

    Raises:
        CalibrationError: a rig that cannot be, or a bead phantom too large for it.
    """
    rig = make_rig(seed, settings.rig, given)
    beads = made_beads(settings.beads, seed)
    return Session(
        rig=rig,
        settings=settings,
        grid=made_plate(settings.grid, seed),
        disc=made_disc(settings.disc, seed),
        beads=beads,
        seats_mm={name: _seats(settings, seed, number) for number, name in enumerate(PLANES)},
        poses=poses_in_view(rig, beads, settings.poses, seed),
        seed=seed,
    )


def simulate_phantoms(session: Session) -> Generator[PhantomPicture, None, Truth]:
    """All pictures of a session, one by one; returns the truth."""
    settings = session.settings
    count = len(PLANES) * (2 + len(settings.turns_deg) + settings.poses)
    done = 0
    for number, plane in enumerate(PLANES):
        for folder, name, picture in _pictures(session, session.rig.planes[plane], 100 * (number + 1)):
            done += 1
            folder_name = f"{folder}_{plane.lower()}"
            yield PhantomPicture(folder=folder_name, name=name, picture=picture, done=done, count=count)
    return truth_of(session)


def _pictures(
    session: Session, plane: SimulatedPlane, stream: int
) -> Generator[tuple[str, str, np.ndarray], None, None]:
    settings, chain = session.settings, session.settings.chain
    seed = session.seed * 1000 + stream
    yield "white", "white", white_picture(plane, chain, seed)
    plate = grid_picture(
        plane, session.grid, seed=seed + 1, chain=chain, seating=settings.seating, clutter=settings.clutter
    )
    yield "grid", "grid", plate
    for index, (turn, seat) in enumerate(zip(settings.turns_deg, session.seats_mm[plane.name], strict=True)):
        picture = disc_picture(plane, session.disc, turn_deg=turn, seat_mm=seat, seed=seed + 10 + index, chain=chain)
        yield "disc", f"turn_{index + 1}_{turn:03.0f}_deg", picture
    for index, pose in enumerate(session.poses):
        picture = bead_picture(plane, session.beads, pose, seed=seed + 40 + index, chain=chain)
        yield "beads", f"pose_{index + 1:02d}", picture


def truth_of(session: Session) -> Truth:
    """All true values as plain numbers, lengths in mm, pixels from the centre of the top-left one."""
    settings, rig = session.settings, session.rig
    return {
        "seed": session.seed,
        "frames": "detector: x right, y up, z to the source, mm; world: detector A; pixel (0, 0): centre of the "
        "top-left one, v down",
        "planes": {name: _plane_truth(session, rig.planes[name], number) for number, name in enumerate(PLANES)},
        "detector_a_from_detector_b": _matrix(rig.detector_a_from_detector_b),
        "angle_deg": rig.angle_deg,
        "grid": {
            "phantom": settings.grid.name,
            "indices": session.grid.indices.tolist(),
            "places_mm": session.grid.places_mm.tolist(),
        },
        "disc": {"phantom": settings.disc.name, **asdict(session.disc), "turns_deg": list(settings.turns_deg)},
        "beads": {
            "phantom": settings.beads.name,
            "places_mm": session.beads.places_mm.tolist(),
            "detector_a_from_phantom": [_matrix(pose) for pose in session.poses],
        },
        "settings": {part: asdict(getattr(settings, part)) for part in ("rig", "chain", "seating", "clutter")},
    }


def _plane_truth(session: Session, plane: SimulatedPlane, number: int) -> Truth:
    points = points_on_disc(plane.field_mm - 2.0, across=41) + plane.field_centre_mm
    seed = session.seed * 1000 + 100 * (number + 1) + 1
    indices, places = seated_beads(session.grid, session.settings.seating, seed)
    size = distortion_size_mm(plane, points)
    return {
        "width_px": plane.width_px,
        "height_px": plane.height_px,
        "source_mm": plane.source_mm.tolist(),
        "field_centre_mm": plane.field_centre_mm.tolist(),
        "field_radius_mm": plane.field_mm,
        "distortion": {"points_mm": points.tolist(), "pixels": plane.map.px_from_mm(points).tolist()},
        "distortion_rms_mm": float(np.sqrt((size**2).mean())),
        "distortion_max_mm": float(size.max()),
        "grid_indices": indices.tolist(),
        "grid_pixels": plane.project(places).tolist(),
        "disc_seats_mm": [list(seat) for seat in session.seats_mm[plane.name]],
        "bead_pixels": [plane.project(bead_places(plane, session.beads, pose)).tolist() for pose in session.poses],
    }


def _seats(settings: SessionSettings, seed: int, number: int) -> tuple[tuple[float, float], ...]:
    draw = np.random.default_rng([seed, 45, number])
    seats = draw.normal(0.0, settings.disc.seat_sd_mm, (len(settings.turns_deg), 2))
    return tuple((float(x), float(y)) for x, y in seats)


def _matrix(motion: Rigid) -> list[list[float]]:
    rows = np.column_stack([motion.rotation, motion.translation_mm]).tolist()
    return [*rows, [0.0, 0.0, 0.0, 1.0]]
