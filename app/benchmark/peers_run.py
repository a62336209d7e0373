"""The peers, and how one is run: in a process of its own that may crash, hang or be missing."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np

from app.benchmark.ours import scored
from app.benchmark.peers.harness import NOT_INSTALLED
from app.benchmark.registering import RegisterWork, registered
from app.benchmark.results import Row
from app.benchmark.work import Work
from core.errors import DuoscopeError, GeometryError
from core.geometry.rigid import Rigid

SCRIPTS = Path(__file__).parent / "peers"
TIMEOUT_S = 240.0


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """A library to compare with."""

    name: str
    package: str
    """What pip installs."""
    script: Path
    kind: str
    """Of work that it does: ``mesh``, ``volume`` or ``register``."""
    remarks: str = ""


PEERS = (
    Peer(name="Mitsuba", package="mitsuba", script=SCRIPTS / "mitsuba_rays.py", kind="mesh"),
    Peer(name="Open3D", package="open3d", script=SCRIPTS / "open3d_rays.py", kind="mesh"),
    Peer(name="trimesh+embree", package="trimesh embreex", script=SCRIPTS / "trimesh_embree.py", kind="mesh"),
    Peer(name="gVXR", package="gvxr", script=SCRIPTS / "gvxr_raster.py", kind="mesh"),
    Peer(name="ITK Siddon", package="itk-twoprojectionregistration", script=SCRIPTS / "itk_siddon.py", kind="volume"),
    Peer(name="RTK Joseph", package="itk-rtk", script=SCRIPTS / "rtk_joseph.py", kind="volume"),
    Peer(name="nanodrr", package="nanodrr", script=SCRIPTS / "nanodrr_march.py", kind="volume"),
    Peer(name="DiffDRR", package="diffdrr", script=SCRIPTS / "diffdrr_trilinear.py", kind="volume"),
    Peer(
        name="ITK Powell",
        package="itk-twoprojectionregistration",
        script=SCRIPTS / "itk_register.py",
        kind="register",
        remarks="Siddon, normalised correlation",
    ),
    Peer(
        name="nanodrr Adam",
        package="nanodrr",
        script=SCRIPTS / "nanodrr_register.py",
        kind="register",
        remarks="multiscale and gradient NCC as in xvr",
    ),
)


def pythons_of(assignments: Sequence[str], peers: Sequence[Peer] = PEERS) -> dict[str, Path]:
    """``NAME=PATH`` of each option to the Python of each peer; the name is a peer's, of any case, or its first word.

    Raises:
        DuoscopeError: no such peer or no such file.
    """
    found: dict[str, Path] = {}
    for text in assignments:
        name, _, path = text.partition("=")
        known = [peer.name for peer in peers if name.lower() in {peer.name.lower(), peer.name.lower().split()[0]}]
        if not known:
            raise DuoscopeError(f"there is no peer {name!r}; there is: {', '.join(peer.name for peer in peers)}")
        if not Path(path).is_file():
            raise DuoscopeError(f"--peer-python {name}: there is no file {path!r}; give the Python of its environment")
        found |= dict.fromkeys(known, Path(path))
    return found


def measure(
    peer: Peer, work: Work | RegisterWork, repeats: int, *, python: Path | None = None, timeout_s: float = TIMEOUT_S
) -> Row:
    """Run a peer at the work; whatever goes wrong is its row's state, never an error."""
    row = Row(workload=work.title, who=peer.name, told=peer.remarks)
    with tempfile.TemporaryDirectory(prefix="duoscope-peer-") as folder:
        source, target = Path(folder, "work.npz"), Path(folder, "result.npz")
        work.save(source)
        command = [str(python or sys.executable), str(peer.script), str(source), str(target), str(repeats)]
        try:
            # Scripts and their Python are our own or the user's.
            ended = subprocess.run(  # noqa: S603
                command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            return replace(row, state="timed out", told=f"no result within {timeout_s:.0f} s")
        except OSError as error:
            return replace(row, state="failed", told=f"cannot be started: {error}")
        if ended.returncode == NOT_INSTALLED:
            return replace(row, state="not installed", told=f"pip install {peer.package}")
        if ended.returncode != 0 or not target.is_file():
            return replace(row, state="failed", told=_last_line(ended.stderr) or f"ended with {ended.returncode}")
        return _read(row, work, target)


def _read(row: Row, work: Work | RegisterWork, target: Path) -> Row:
    with np.load(target) as stored:
        result: Mapping[str, np.ndarray] = {name: stored[name] for name in stored.files}
    if isinstance(work, RegisterWork):
        return _read_poses(row, work, result)
    if result["drawn"].shape != work.truth.shape or not np.isfinite(result["drawn"]).all():
        return replace(row, state="failed", told=f"drew {result['drawn'].shape} instead of {work.truth.shape}")
    return scored(_timed(row, result), work, result["drawn"])


def _read_poses(row: Row, work: RegisterWork, result: Mapping[str, np.ndarray]) -> Row:
    try:
        found = [Rigid.from_rounded(pose[:3, :3], pose[:3, 3]) for pose in result["world_from_body"]]
    except GeometryError as error:
        return replace(row, state="failed", told=str(error))
    return registered(_timed(row, result), work, found, row.told)


def _timed(row: Row, result: Mapping[str, np.ndarray]) -> Row:
    return replace(
        row,
        version=str(result["version"]),
        cpu_s=float(np.median(result["cpu_s"])),
        wall_s=float(np.median(result["wall_s"])),
    )


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:160] if lines else ""
