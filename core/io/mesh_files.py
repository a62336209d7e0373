"""Read surfaces (STL, OBJ, PLY, VTK, VTP) into millimetres; units are asked for, never assumed."""

import io
import struct
import zlib
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import Path
from types import MappingProxyType
from typing import final

import numpy as np
import trimesh
from jaxtyping import Float, Int

from core.errors import MeshError, UnitsError
from core.geometry.mesh import TriangleMesh
from core.io.stl import read_stl
from core.io.text_files import read_bytes
from core.io.vtk_polydata import Surface, read_vtk, read_vtp

UNITS_MM = MappingProxyType({"mm": 1.0, "cm": 10.0, "m": 1000.0})
"""Units that surfaces come in, and their size in mm."""
ENDINGS = (".stl", ".obj", ".ply", ".vtk", ".vtp")
SMALLEST_MM, LARGEST_MM = 20.0, 600.0
"""Longest side of what is registered in a knee: from a patellar button to a whole femur."""

_TYPICAL_MM = 80.0
_MOST_BYTES = 2 * 2**30
_DAMAGED = (
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    EOFError,
    LZMAError,
    struct.error,
    zlib.error,
)
"""What the parsers raise on damaged bytes."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class UnitsGuess:
    """Which units would give a size that a knee can hold."""

    units: tuple[str, ...]
    """Plausible units, the likeliest first; empty where none fits."""
    longest: float
    """Longest side in the file's own numbers."""

    @property
    def likely(self) -> str | None:
        """The likeliest unit, if any is plausible."""
        return self.units[0] if self.units else None

    @property
    def question(self) -> str:
        """The question to ask, with the size in each unit."""
        sizes = ", ".join(f"{unit} ({self.size_in(unit)})" for unit in UNITS_MM)
        if not self.units:
            return f"are its numbers in {sizes}? None of these is the size of an implant or a bone of the knee"
        told = " or ".join(self.units)
        return f"are its numbers in {sizes}? By its size, {told} {'fits' if len(self.units) == 1 else 'fit'} a knee"

    def size_in(self, unit: str) -> str:
        """How long the body is if its numbers are in a unit, for people to read."""
        return f"{self.longest * UNITS_MM[unit]:.3g} mm long"


def guess_units(extent: Float[np.ndarray, "3"]) -> UnitsGuess:
    """Units in which a bounding box, given in the file's own numbers, is as large as a part of a knee."""
    longest = float(np.max(extent))
    fitting = [unit for unit, mm in UNITS_MM.items() if SMALLEST_MM <= longest * mm <= LARGEST_MM]
    fitting.sort(key=lambda unit: abs(np.log(longest * UNITS_MM[unit] / _TYPICAL_MM)))
    return UnitsGuess(units=tuple(fitting), longest=longest)


def read_mesh(path: Path, units: str | None) -> TriangleMesh:
    """The surface of a file in mm, with equal vertices joined but otherwise as it is.

    Args:
        path: the file.
        units: "mm", "cm" or "m"; None to be asked by the error.

    Raises:
        MeshError: the file is missing, empty, damaged, or holds no surface.
        UnitsError: units are missing (the message is the question), unknown, or make no sense.
    """
    path = Path(path)
    if units is not None and units not in UNITS_MM:
        raise UnitsError(f"units {units!r} are unknown; {path.name} may be in {', '.join(UNITS_MM)}")
    surface = read_surface(path)
    guess = guess_units(surface.extent_mm)
    if units is None:
        raise UnitsError(f"{path.name} does not say its units: {guess.question}; say which with --units")
    if units not in guess.units:
        likely = f"; its numbers are probably in {' or '.join(guess.units)}" if guess.units else "; check its export"
        raise UnitsError(
            f"{path.name} in {units} would be {guess.size_in(units)}, but parts of a knee are {SMALLEST_MM:.0f} to "
            f"{LARGEST_MM:.0f} mm long{likely}"
        )
    return surface.scaled(UNITS_MM[units])


def read_surface(path: Path) -> TriangleMesh:
    """The surface of a file in the file's own units (named mm in the value all the same).

    Vertices with equal coordinates become one and faces that use a vertex twice go, as STL needs.

    Raises:
        MeshError: the file is missing, empty, damaged, or holds no surface.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise MeshError(f"surface {path} is of no known kind; it may be {', '.join(ENDINGS)}")
    raw = read_bytes(path, "surface", MeshError, _MOST_BYTES)
    try:
        vertices, faces = _parsed(raw, ending)
        if len(faces) == 0:
            raise MeshError("it holds no faces, perhaps only points")
        if not np.isfinite(vertices).all():
            raise MeshError("some of its vertices are no finite numbers (NaN or infinity)")
        return TriangleMesh(**_joined(vertices, faces))
    except MeshError as error:
        raise MeshError(f"surface {path} cannot be used: {error}; export it again as a surface of triangles") from error
    except MemoryError as error:
        raise MeshError(f"surface {path} is damaged or too large for the memory; export it again") from error
    except _DAMAGED as error:
        why = str(error)[:160] or type(error).__name__
        raise MeshError(f"surface {path} is damaged or no {ending[1:].upper()} file: {why}; export it again") from error


def _parsed(raw: bytes, ending: str) -> Surface:
    if ending == ".stl":
        corners = read_stl(raw)
        return corners.reshape(-1, 3), np.arange(3 * len(corners)).reshape(-1, 3)
    if ending == ".vtk":
        return read_vtk(raw)
    if ending == ".vtp":
        return read_vtp(raw)
    return _parsed_by_trimesh(raw, ending[1:])


def _parsed_by_trimesh(raw: bytes, kind: str) -> Surface:
    if kind == "ply" and not raw.startswith(b"ply"):
        raise ValueError("it does not begin with 'ply'")
    loaded = trimesh.load(
        io.BytesIO(raw), file_type=kind, force="mesh", process=False, maintain_order=True, skip_materials=True
    )
    if not isinstance(loaded, trimesh.Trimesh):
        return np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int64)
    return np.asarray(loaded.vertices, dtype=np.float64), np.asarray(loaded.faces, dtype=np.int64)


def _joined(
    vertices: Float[np.ndarray, "n 3"], faces: Int[np.ndarray, "m 3"]
) -> dict[str, Float[np.ndarray, "k 3"] | Int[np.ndarray, "l 3"]]:
    """Exactly equal vertices as one, in order of first use; without faces that are lines or points."""
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise MeshError("a face refers to a vertex that is not there")
    vertices = vertices + 0.0  # -0.0 and 0.0 are one place
    order = np.lexsort(vertices.T)
    ordered = vertices[order]
    new = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    label = np.empty(len(vertices), dtype=np.int64)
    label[order] = np.cumsum(new) - 1
    triangles = label[faces]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    if len(triangles) == 0:
        raise MeshError("all of its faces are lines or points")
    used, first, back = np.unique(triangles, return_index=True, return_inverse=True)
    rank = np.argsort(first, kind="stable")
    place = np.empty(len(used), dtype=np.int64)
    place[rank] = np.arange(len(used))
    return {"vertices_mm": ordered[new][used[rank]], "faces": place[back].reshape(triangles.shape)}
