"""Real implant components turned and shifted so that they sit in the simulated knee like its own ones.

Manufacturers' files have axes of their own. The simulated knee has y up along the bone, z in front and x to the
right of someone who faces the knee; the closest of the 24 turns that take axes to axes is found by comparing
surfaces with the parametric component, and the middles of the boxes are laid on each other (trays: their tops).
"""

from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from scipy.spatial import KDTree

from core.geometry.mesh import TriangleMesh
from core.geometry.mesh_repair import as_manifold, from_manifold, repair
from core.geometry.rigid import Rigid
from core.io.mesh_files import read_mesh
from core.simulation.implants import Side, femoral_component, tibial_component
from tests.real_data import REAL

_SAMPLES = 3000
REGISTERED_WITHIN_MM = 0.03
"""How far the surfaces given to the registration may depart from the X-rayed ones."""
REGISTERED_EDGE_MM = 2.5

FILES = {
    "cams": (
        "models/opensim_jam_cams_tka/cams_femur_implant_Mplus_JWI_meters_reduce.stl",
        "models/opensim_jam_cams_tka/cams_tibia_implant_JWI_meters.stl",
        "m",
    ),
    "kneeling": ("monoplane_tka/kneel_left/KR_left_8_fem.stl", "monoplane_tka/kneel_left/KR_left_8_tib.stl", "mm"),
}
"""Femoral and tibial component with the unit of the files."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Components:
    """Femoral and tibial component in the simulated knee's axes."""

    name: str
    femoral: TriangleMesh
    tibial: TriangleMesh
    side: Side

    def registered(self) -> tuple[TriangleMesh, TriangleMesh]:
        """Other triangles of nearly the same surfaces, for the registration."""
        return _retriangulated(self.femoral), _retriangulated(self.tibial)


def procedural() -> Components:
    """The simulated knee's own components."""
    return Components(name="procedural", femoral=femoral_component(1.0), tibial=tibial_component(1.0), side=Side.RIGHT)


def real_components(name: str) -> Components:
    """A real implant, aligned; the side is the one whose parametric component is closer."""
    femur_file, tibia_file, units = FILES[name]
    femur = repair(read_mesh(REAL / femur_file, units), name=femur_file).mesh
    tibia = repair(read_mesh(REAL / tibia_file, units), name=tibia_file).mesh
    fits = {side: _aligned(femur, femoral_component(2.0, side)) for side in Side}
    side = min(fits, key=lambda key: fits[key][1])
    tray, like = _aligned(tibia, tibial_component(2.0, side))[0], tibial_component(2.0, side)
    rise = like.vertices_mm[:, 1].max() - tray.vertices_mm[:, 1].max()
    tray = TriangleMesh(vertices_mm=tray.vertices_mm + np.array([0.0, rise, 0.0]), faces=tray.faces)
    return Components(name=name, femoral=fits[side][0], tibial=tray, side=side)


def _aligned(mesh: TriangleMesh, like: TriangleMesh) -> tuple[TriangleMesh, float]:
    """The surface in the axes of another one, and the mean distance (mm) that is left, both ways."""
    draw = np.random.default_rng(0)
    ours = mesh.vertices_mm[draw.choice(len(mesh.vertices_mm), _SAMPLES)] - mesh.centre_mm
    theirs = like.vertices_mm[draw.choice(len(like.vertices_mm), _SAMPLES)] - like.centre_mm
    tree = KDTree(theirs)

    def gap(rotation: np.ndarray) -> float:
        turned = ours @ rotation.T
        return float(tree.query(turned)[0].mean() + KDTree(turned).query(theirs)[0].mean())

    best = min(_axis_turns(), key=gap)
    pose = Rigid(rotation=best, translation_mm=like.centre_mm - best @ mesh.centre_mm)
    return TriangleMesh(vertices_mm=pose.apply(mesh.vertices_mm), faces=mesh.faces), gap(best)


def _axis_turns() -> list[np.ndarray]:
    """The 24 rotations that take coordinate axes to coordinate axes."""
    turns = []
    for order in permutations(range(3)):
        for signs in product((-1.0, 1.0), repeat=3):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = signs
            if np.linalg.det(matrix) > 0:
                turns.append(matrix)
    return turns


def _retriangulated(mesh: TriangleMesh) -> TriangleMesh:
    solid = as_manifold(mesh)
    if solid is None:
        return mesh
    return from_manifold(solid.simplify(REGISTERED_WITHIN_MM).refine_to_length(REGISTERED_EDGE_MM))
