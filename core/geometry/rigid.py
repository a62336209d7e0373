"""Rigid motions ``a_from_b``: one or a batch, frozen, float64, always in SO(3) x R^3."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from core.errors import GeometryError

ROTATION_TOLERANCE = 1e-6
"""Largest departure of R^T R from the identity that is taken as rounding."""
_NEARLY = 1e-9
"""Products of rotations depart less; their nearest rotation needs no decomposition."""
_IDENTITY = np.eye(3)


@final
@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rigid:
    """The motion ``x_a = R x_b + t``; leading dimensions are a batch.

    A pose is a ``world_from_body``. Transforms are named ``a_from_b`` so that frames cancel by
    name: ``a_from_c = a_from_b @ b_from_c``.
    """

    rotation: Float[np.ndarray, "*batch 3 3"]
    translation_mm: Float[np.ndarray, "*batch 3"]

    def __post_init__(self) -> None:
        """Refuse anything that is no rigid motion.

        Raises:
            GeometryError: wrong shapes, non-finite numbers, mirrored or sheared rotations.
        """
        rotation = np.array(self.rotation, dtype=np.float64)
        translation_mm = np.array(self.translation_mm, dtype=np.float64)
        if rotation.shape[-2:] != (3, 3) or translation_mm.shape != rotation.shape[:-1]:
            raise GeometryError(
                f"a rigid motion needs a 3x3 rotation and 3 translations, got shapes "
                f"{rotation.shape} and {translation_mm.shape}"
            )
        if not (np.isfinite(rotation).all() and np.isfinite(translation_mm).all()):
            raise GeometryError("a rigid motion holds a number that is not finite (NaN or infinity)")
        _refuse_no_rotation(rotation, ROTATION_TOLERANCE)
        rotation.flags.writeable = False
        translation_mm.flags.writeable = False
        object.__setattr__(self, "rotation", rotation)
        object.__setattr__(self, "translation_mm", translation_mm)

    @classmethod
    def identity(cls, batch: tuple[int, ...] = ()) -> Self:
        """The motion that changes nothing, as a batch of the given shape."""
        return cls(
            rotation=np.broadcast_to(np.eye(3), (*batch, 3, 3)),
            translation_mm=np.zeros((*batch, 3)),
        )

    @classmethod
    def from_matrix(cls, matrix: Float[np.ndarray, "*batch 4 4"]) -> Self:
        """From homogeneous matrices; the last row must be 0 0 0 1."""
        matrix = np.asarray(matrix, dtype=np.float64)
        if matrix.shape[-2:] != (4, 4) or not np.allclose(matrix[..., 3, :], [0, 0, 0, 1]):
            raise GeometryError("a homogeneous matrix is 4x4 with the last row 0 0 0 1")
        return cls(rotation=matrix[..., :3, :3], translation_mm=matrix[..., :3, 3])

    @classmethod
    def from_rounded(
        cls,
        rotation: Float[np.ndarray, "*batch 3 3"],
        translation_mm: Float[np.ndarray, "*batch 3"],
        tolerance: float = 1e-2,
    ) -> Self:
        """From a rotation that a file rounded: re-orthonormalised if it is one within tolerance.

        Raises:
            GeometryError: it is further from a rotation than rounding explains, or mirrored.
        """
        rotation = np.asarray(rotation, dtype=np.float64)
        if not np.isfinite(rotation).all():
            raise GeometryError("the rotation holds a number that is not finite (NaN or infinity)")
        _refuse_no_rotation(rotation, tolerance)
        return cls(rotation=nearest_rotation(rotation), translation_mm=translation_mm)

    @classmethod
    def from_euler(
        cls,
        angles_deg: Float[np.ndarray, "*batch 3"] | Sequence[float],
        translation_mm: Float[np.ndarray, "*batch 3"] | Sequence[float],
        order: str = "ZXY",
    ) -> Self:
        """From Euler angles; upper case is intrinsic, ``ZXY`` is JointTrack's "312" (Rz Rx Ry)."""
        angles = np.asarray(angles_deg, dtype=np.float64)
        flat = Rotation.from_euler(order, angles.reshape(-1, 3), degrees=True).as_matrix()
        return cls(
            rotation=flat.reshape(*angles.shape[:-1], 3, 3),
            translation_mm=np.asarray(translation_mm, dtype=np.float64),
        )

    @classmethod
    def exp(cls, twist: Float[np.ndarray, "*batch 6"]) -> Self:
        """The SE(3) exponential of ``(v_mm, w_rad)``.

        ``R = exp([w])``, ``t = V v`` with ``V = I + (1-cos a)/a^2 [w] + (a-sin a)/a^3 [w]^2``
        (Murray, Li & Sastry 1994, eq. 2.36).
        """
        twist = np.asarray(twist, dtype=np.float64)
        velocity, omega = twist[..., :3], twist[..., 3:]
        return cls(
            rotation=so3_exp(omega),
            translation_mm=(_left_jacobian(omega) @ velocity[..., None])[..., 0],
        )

    def log(self) -> Float[np.ndarray, "*batch 6"]:
        """The twist ``(v_mm, w_rad)`` with ``Rigid.exp(twist) == self`` and ``|w| <= pi``."""
        omega = so3_log(self.rotation)
        velocity = np.linalg.solve(_left_jacobian(omega), self.translation_mm[..., None])[..., 0]
        return np.concatenate([velocity, omega], axis=-1)

    def __matmul__(self, other: Self) -> Self:
        """Compose: ``a_from_c = a_from_b @ b_from_c``; re-orthonormalised so products stay in SO(3)."""
        return type(self)(
            rotation=nearest_rotation(self.rotation @ other.rotation),
            translation_mm=self.apply(other.translation_mm[..., None, :])[..., 0, :],
        )

    def inverse(self) -> Self:
        """``b_from_a`` of an ``a_from_b``."""
        transposed = np.swapaxes(self.rotation, -1, -2)
        return type(self)(
            rotation=transposed,
            translation_mm=-(transposed @ self.translation_mm[..., None])[..., 0],
        )

    def apply(self, points_mm: Float[np.ndarray, "*batch n 3"]) -> Float[np.ndarray, "*batch n 3"]:
        """Move points given in frame b into frame a."""
        rotated = np.asarray(points_mm, dtype=np.float64) @ np.swapaxes(self.rotation, -1, -2)
        return rotated + self.translation_mm[..., None, :]

    def rotate(self, vectors: Float[np.ndarray, "*batch n 3"]) -> Float[np.ndarray, "*batch n 3"]:
        """Turn directions given in frame b into frame a (no translation)."""
        return np.asarray(vectors, dtype=np.float64) @ np.swapaxes(self.rotation, -1, -2)

    def as_matrix(self) -> Float[np.ndarray, "*batch 4 4"]:
        """Homogeneous 4x4 matrices."""
        matrix = np.zeros((*self.rotation.shape[:-2], 4, 4))
        matrix[..., :3, :3] = self.rotation
        matrix[..., :3, 3] = self.translation_mm
        matrix[..., 3, 3] = 1.0
        return matrix

    def euler_deg(self, order: str = "ZXY") -> Float[np.ndarray, "*batch 3"]:
        """Euler angles in degrees, in the order of the letters (upper case: intrinsic)."""
        flat = Rotation.from_matrix(self.rotation.reshape(-1, 3, 3))
        with np.errstate(all="ignore"):
            angles = flat.as_euler(order, degrees=True, suppress_warnings=True)
        return np.asarray(angles).reshape(*self.rotation.shape[:-2], 3)

    def turned(
        self,
        rotation_vector_rad: Float[np.ndarray, "3"] | Sequence[float],
        about_mm: Float[np.ndarray, "3"] | Sequence[float],
    ) -> Self:
        """Turn the body about a point, both given in frame a; the point stays where it is."""
        turn = so3_exp(np.asarray(rotation_vector_rad, dtype=np.float64))
        pivot = np.asarray(about_mm, dtype=np.float64)
        return type(self)(
            rotation=nearest_rotation(turn @ self.rotation),
            translation_mm=turn @ (self.translation_mm - pivot) + pivot,
        )

    def shifted(self, by_mm: Float[np.ndarray, "3"] | Sequence[float]) -> Self:
        """Move the body by a vector given in frame a."""
        return type(self)(
            rotation=self.rotation,
            translation_mm=self.translation_mm + np.asarray(by_mm, dtype=np.float64),
        )

    def perturbed(
        self,
        twist: Float[np.ndarray, "6"] | Sequence[float],
        pivot_body_mm: Float[np.ndarray, "3"] | Sequence[float],
    ) -> Self:
        """Move the pivot (in frame b) by ``twist[:3]`` mm and turn about it by ``twist[3:]`` rad.

        Both are expressed along the axes of frame a. This is the update the optimisers use.
        """
        twist = np.asarray(twist, dtype=np.float64)
        pivot_mm = self.apply(np.asarray(pivot_body_mm, dtype=np.float64)[None])[0]
        turn = so3_exp(twist[3:])
        return type(self)(
            rotation=nearest_rotation(turn @ self.rotation),
            translation_mm=turn @ (self.translation_mm - pivot_mm) + pivot_mm + twist[:3],
        )

    def angle_deg_to(self, other: Self) -> Float[np.ndarray, "*batch"]:
        """Geodesic angle between the two rotations in degrees."""
        relative = np.swapaxes(self.rotation, -1, -2) @ other.rotation
        return np.asarray(np.degrees(np.linalg.norm(so3_log(relative), axis=-1)))

    def close_to(self, other: Self, mm: float = 1e-9, deg: float = 1e-7) -> bool:
        """Whether both motions agree within the given distances."""
        shift = np.abs(self.translation_mm - other.translation_mm).max(initial=0.0)
        return bool(shift <= mm and np.max(self.angle_deg_to(other), initial=0.0) <= deg)


def nearest_rotation(matrix: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch 3 3"]:
    """The rotation closest in Frobenius norm (orthogonal Procrustes, with determinant +1)."""
    excess = np.swapaxes(matrix, -1, -2) @ matrix - _IDENTITY
    if matrix.ndim == 2 and np.abs(excess).max() < _NEARLY and np.linalg.det(matrix) > 0:
        # One step of Newton's iteration for the polar decomposition; what it leaves is of the excess squared.
        return np.asarray(matrix - 0.5 * matrix @ excess)
    left, _, right = np.linalg.svd(matrix)
    sign = np.sign(np.linalg.det(left @ right))
    left = np.concatenate([left[..., :2], left[..., 2:] * sign[..., None, None]], axis=-1)
    return np.asarray(left @ right)


def so3_exp(omega: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3 3"]:
    """Rotation matrices of rotation vectors in radians."""
    flat = Rotation.from_rotvec(np.asarray(omega, dtype=np.float64).reshape(-1, 3)).as_matrix()
    return flat.reshape(*np.shape(omega)[:-1], 3, 3)


def so3_log(rotation: Float[np.ndarray, "*batch 3 3"]) -> Float[np.ndarray, "*batch 3"]:
    """Rotation vectors in radians, of length at most pi."""
    flat = Rotation.from_matrix(np.asarray(rotation).reshape(-1, 3, 3)).as_rotvec()
    return flat.reshape(*np.shape(rotation)[:-2], 3)


def skew(vector: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3 3"]:
    """The matrix [v] with ``[v] x = v cross x``."""
    x, y, z = np.moveaxis(np.asarray(vector, dtype=np.float64), -1, 0)
    zero = np.zeros_like(x)
    rows = [[zero, -z, y], [z, zero, -x], [-y, x, zero]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _left_jacobian(omega: Float[np.ndarray, "*batch 3"]) -> Float[np.ndarray, "*batch 3 3"]:
    angle = np.linalg.norm(omega, axis=-1)[..., None, None]
    small = angle < 1e-4
    safe = np.where(small, 1.0, angle)
    first = np.where(small, 0.5 - angle**2 / 24, (1 - np.cos(safe)) / safe**2)
    second = np.where(small, 1 / 6 - angle**2 / 120, (safe - np.sin(safe)) / safe**3)
    k = skew(omega)
    return np.asarray(np.eye(3) + first * k + second * (k @ k))


def _refuse_no_rotation(rotation: Float[np.ndarray, "*batch 3 3"], tolerance: float) -> None:
    if rotation.ndim == 2 and _plainly_rotation(rotation, tolerance):
        return
    gram = np.swapaxes(rotation, -1, -2) @ rotation
    worst = float(np.abs(gram - np.eye(3)).max(initial=0.0))
    determinants = np.linalg.det(rotation)
    if (determinants < 0).any():
        raise GeometryError(
            f"the 3x3 matrix is mirrored (determinant {float(np.min(determinants)):.3f}), "
            "a rotation has determinant +1; check the handedness of the source"
        )
    if worst > tolerance:
        raise GeometryError(
            f"the 3x3 matrix is no rotation: R^T R differs from the identity by {worst:.2g} (allowed {tolerance:.0e})"
        )


def _plainly_rotation(rotation: Float[np.ndarray, "3 3"], tolerance: float) -> bool:
    """Whether one matrix is a rotation, without the cost of small arrays."""
    a, b, c, d, e, f, g, h, i = rotation.ravel().tolist()
    lengths = max(abs(a * a + d * d + g * g - 1), abs(b * b + e * e + h * h - 1), abs(c * c + f * f + i * i - 1))
    angles = max(abs(a * b + d * e + g * h), abs(a * c + d * f + g * i), abs(b * c + e * f + h * i))
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    return max(lengths, angles) <= tolerance and determinant > 0
