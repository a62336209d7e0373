"""Write a simulated study: pictures, calibration, surfaces, and the truth to compare with.

The calibration written is the nominal one while the pictures keep the residual distortion of their image
chain, and the surfaces written are coarser than those that were X-rayed: as in life, what registration is
told is not quite what happened.
"""

import shutil
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import tifffile

from core.errors import StudyError
from core.geometry.mesh import TriangleMesh
from core.geometry.rigid import Rigid
from core.io.mayacam import write_mayacam2
from core.io.poses_csv import write_poses
from core.io.software import SOFTWARE
from core.io.study import StudyFile
from core.io.study.add import body_from_file, trial_from_files
from core.io.study.refusals import told
from core.simulation.detector import ImageChain
from core.simulation.implants import femoral_component, tibial_component
from core.simulation.knee import SimulatedKnee, make_knee
from core.simulation.motion import gait_phases
from core.study.values import PoseRecord, PoseStatus

TRIAL = "gait"
FEMUR, TIBIA = "femur", "tibia"
PLANES = ("a", "b")
REGISTRATION_EDGE_MM = 1.9
"""Edge length of the surfaces in the study; the pictures are made from finer ones."""
_WORKERS = 2
_AUTHOR = "simulation"


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One report of a study being written."""

    done: int
    count: int
    """Both in picture pairs."""
    message: str

    @property
    def fraction(self) -> float:
        """Share of the work done, 0..1."""
        return self.done / self.count


def write_simulated_study(
    path: Path | str,
    *,
    frames: int,
    seed: int,
    name: str | None = None,
    size_px: int = 1024,
    bits: int = 8,
    start_phase: float = 0.0,
    frames_per_cycle: int | None = None,
) -> Generator[Progress, None, None]:
    """A new study at ``NAME.study`` of a knee that walks: one gait cycle over all frames by default.

    Inside: ``images/{a,b}/frame_0000.tif``, ``calibration/{a,b}.txt`` (MayaCam 2.0), ``models/*.stl``
    (mm), ``truth/{femur,tibia}.csv`` (world_from_body). A study that is not finished, because it was
    cancelled or something failed, is removed again.

    Raises:
        StudyError: something is there already, or no frames are asked for.
        StorageError: the disk refuses.
    """
    folder = Path(path)
    if frames < 1:
        raise StudyError(f"a simulated study needs at least one frame, got {frames}")
    phases = gait_phases(frames, start=start_phase, frames_per_cycle=frames_per_cycle)
    StudyFile.create(folder, name or folder.stem, author=_AUTHOR).close()
    with _removed_unless_finished(folder), told(folder):
        yield Progress(done=0, count=frames, message="preparing the knee")
        knee = make_knee(phases, seed, size_px=size_px, chain=ImageChain(bits=bits))
        with closing(_write_pictures(folder, knee)) as pairs:
            for done in pairs:
                yield Progress(done=done, count=frames, message=f"picture pair {done} of {frames}")
        _write_models(folder)
        _write_calibration(folder, knee)
        _write_truth(folder, knee)
        _link(folder)


def picture_path(folder: Path, plane: str, frame: int) -> Path:
    """Where the picture of a frame in plane "a" or "b" lies in a simulated study."""
    return folder / "images" / plane / f"frame_{frame:04d}.tif"


@contextmanager
def _removed_unless_finished(folder: Path) -> Iterator[None]:
    with ExitStack() as if_it_fails:
        if_it_fails.callback(shutil.rmtree, folder, ignore_errors=True)
        yield
        if_it_fails.pop_all()


def _write_pictures(folder: Path, knee: SimulatedKnee) -> Generator[int, None, None]:
    """Draw and write pairs on two cores, a few ahead; yields how many pairs are on the disk."""
    for plane in PLANES:
        (folder / "images" / plane).mkdir(parents=True)
    with ExitStack() as finally_:
        pool = ThreadPoolExecutor(max_workers=_WORKERS)
        finally_.callback(pool.shutdown, wait=True, cancel_futures=True)
        ahead: deque[Future[None]] = deque()
        done = 0
        for index in range(len(knee.poses)):
            ahead.append(pool.submit(_write_pair, folder, knee, index))
            if len(ahead) > 2 * _WORKERS:
                ahead.popleft().result()
                done += 1
                yield done
        while ahead:
            ahead.popleft().result()
            done += 1
            yield done


def _write_pair(folder: Path, knee: SimulatedKnee, index: int) -> None:
    for number, plane in enumerate(PLANES):
        tifffile.imwrite(picture_path(folder, plane, index), knee.picture(index, number), compression="zlib")


def _write_models(folder: Path) -> None:
    (folder / "models").mkdir()
    for name, mesh in (
        (FEMUR, femoral_component(REGISTRATION_EDGE_MM)),
        (TIBIA, tibial_component(REGISTRATION_EDGE_MM)),
    ):
        (folder / "models" / f"{name}.stl").write_bytes(_stl(mesh))


def _stl(mesh: TriangleMesh) -> bytes:
    """A binary STL file (80 bytes of header, count, then normal, corners and two spare bytes a face)."""
    corners = mesh.vertices_mm[mesh.faces].astype("<f4")
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    rows = np.zeros(len(corners), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("spare", "<u2")])
    rows["normal"] = normals / np.where(lengths > 0, lengths, 1.0)
    rows["corners"] = corners
    title = f"{SOFTWARE} simulated component, mm".encode("ascii").ljust(80)
    return title + np.uint32(len(rows)).astype("<u4").tobytes() + rows.tobytes()


def _write_calibration(folder: Path, knee: SimulatedKnee) -> None:
    (folder / "calibration").mkdir()
    for plane, view in zip(PLANES, knee.views, strict=True):
        write_mayacam2(view, folder / "calibration" / f"{plane}.txt")


def _write_truth(folder: Path, knee: SimulatedKnee) -> None:
    (folder / "truth").mkdir()
    for number, body in enumerate((FEMUR, TIBIA)):
        poses = [knee.truth(index)[number] for index in range(len(knee.poses))]
        header = {"trial": TRIAL, "body": body, "seed": str(knee.seed), "frame": "world_from_body"}
        write_poses(folder / "truth" / f"{body}.csv", truth_records(poses), header)


def truth_records(poses: Sequence[Rigid]) -> Mapping[int, PoseRecord]:
    """True poses as records, by frame number."""
    return {
        frame: PoseRecord(world_from_body=pose, status=PoseStatus.IMPORTED, author=_AUTHOR, method="truth")
        for frame, pose in enumerate(poses)
    }


def _link(folder: Path) -> None:
    """Enter pictures, calibration and surfaces into the study, through the same door as anyone's files."""
    trial = trial_from_files(
        TRIAL,
        folder / "images" / "a",
        folder / "images" / "b",
        folder / "calibration" / "a.txt",
        folder / "calibration" / "b.txt",
        "number",
    )
    with StudyFile.open(folder, author=_AUTHOR) as study:
        study.add_trial(trial)
        for body in (FEMUR, TIBIA):
            study.add_body(body_from_file(body, folder / "models" / f"{body}.stl", "mm"))
