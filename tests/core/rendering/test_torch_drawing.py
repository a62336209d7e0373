"""Drawn pictures in torch: gradient checks in float64, and the fast raster against the exact reference.

The path length through a polyhedron is smooth in the pose but for rays that meet an edge, and the sum of trilinear
samples but for samples on a cell's face. With steps of 1e-6 (mm, rad) none of the rays of these scenes is crossed by an
edge, so torch's own check passes at a relative tolerance of 1e-5. For metal (attenuation times path length far above
one) a picture sampled at pixel centres has no useful derivative, however exact: there the fast raster is compared with
differences of the supersampled reference instead (test_moment_raster).
"""

import numpy as np
import pytest
import torch
from torch.autograd.gradcheck import GradcheckError

from core.errors import GeometryError
from core.geometry.rigid import Rigid, so3_exp
from core.geometry.volume import Volume
from core.registration.level import Level, Pictures
from core.registration.recipe import Recipe, Stage
from core.registration.values import Body, Shot
from core.rendering.path_length import path_length
from core.rendering.ray_casting import path_length_and_derivatives, path_length_reference
from core.rendering.torch_drawing import draw, exact_line_integrals, exact_path_length, skew
from core.rendering.volume_sampling import sampled_integrals
from tests.scenes import implant, lopsided, rig

POSES = (
    Rigid(rotation=so3_exp(np.array([0.3, -0.8, 1.1])), translation_mm=[12.0, -7.0, 25.0]),
    Rigid(rotation=so3_exp(np.array([0.2, 0.4, -0.3])), translation_mm=[0.0, 30.0, 0.0]),
)
EPSILON = 1e-6
RELATIVE = 1e-5


def blob(count: int = 30, spacing: float = 2.0) -> Volume:
    """A smooth lopsided density that is empty long before the grid ends."""
    k, j, i = np.meshgrid(*[np.linspace(-1, 1, count + 2 * n) for n in range(3)], indexing="ij")
    r2 = (1.3 * i + 0.2 * j) ** 2 + (1.7 * j) ** 2 + (1.2 * k - 0.3 * i) ** 2
    density = np.where(r2 < 0.8, 0.05 * (1 - r2 / 0.8) ** 3 * (1 + 0.5 * np.sin(4 * i)), 0.0)
    where = Rigid(rotation=so3_exp(np.array([0.1, 0.2, -0.4])), translation_mm=[-30.0, -28.0, -33.0])
    return Volume(
        attenuation_per_mm=density.astype(np.float32),
        spacing_mm=np.array([spacing, spacing * 1.1, spacing * 0.9]),
        body_from_grid=where,
    )


def moved(twist: torch.Tensor, poses, pivots) -> tuple[torch.Tensor, torch.Tensor]:
    """Poses after shifts of the pivots and turns about them, as torch sees them."""
    turns, shifts = [], []
    for k, (pose, pivot) in enumerate(zip(poses, pivots, strict=True)):
        turn = torch.linalg.matrix_exp(skew(twist[k, 3:])) @ torch.from_numpy(pose.rotation.copy())
        at = torch.from_numpy(pose.apply(pivot[None])[0])
        turns.append(turn)
        shifts.append(at + twist[k, :3] - turn @ torch.from_numpy(pivot.copy()))
    return torch.stack(turns), torch.stack(shifts)


def drawings(kind: str, view):
    if kind == "surfaces":
        meshes = (lopsided(3), implant(6.0))
        pivots = np.stack([mesh.centre_mm for mesh in meshes])
        return exact_path_length(meshes, view, pivots), pivots
    volumes = (blob(), blob(24, 2.5))
    pivots = np.stack([volume.centre_mm for volume in volumes])
    return exact_line_integrals(volumes, view, pivots, step_mm=1.7), pivots


@pytest.mark.parametrize("kind", ["surfaces", "volumes"])
@pytest.mark.parametrize("plane", [0, 1])
def test_torchs_gradient_check_passes_for_shifts_and_turns(kind, plane):
    view = rig(40)[plane]
    drawing, pivots = drawings(kind, view)

    def picture(twist):
        return draw(*moved(twist, POSES, pivots), pivots, drawing)

    off = torch.tensor(np.random.default_rng(3).normal(0, 0.01, (2, 6)), requires_grad=True)
    drawn = picture(off)
    assert drawn.dtype == torch.float64
    assert (drawn > 0.01 * drawn.max()).sum() > 40
    for body in range(2):
        assert torch.autograd.grad(picture(off).sum(), off)[0][body].abs().min() > 0
    assert torch.autograd.gradcheck(picture, (off,), eps=EPSILON, rtol=RELATIVE, atol=1e-4)


def test_the_gradient_check_passes_through_a_loss_of_beer_and_lambert():
    view = rig(32)[0]
    drawing, pivots = drawings("surfaces", view)
    weight = torch.from_numpy(np.random.default_rng(0).normal(size=(32, 32)))

    def loss(twist):
        return (weight * torch.expm1(-0.02 * draw(*moved(twist, POSES, pivots), pivots, drawing))).sum()

    off = torch.zeros((2, 6), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(loss, (off,), eps=EPSILON, rtol=RELATIVE, atol=1e-6)


def test_a_wrong_derivative_fails_the_check():
    """The check can fail: one derivative too large by a hundredth is found."""
    view = rig(24)[0]
    drawing, pivots = drawings("surfaces", view)

    def wrong(poses):
        drawn = drawing(poses).copy()
        drawn[..., 4] *= 1.01
        return drawn

    off = torch.zeros((2, 6), dtype=torch.float64, requires_grad=True)
    with pytest.raises(GradcheckError):
        torch.autograd.gradcheck(
            lambda twist: draw(*moved(twist, POSES, pivots), pivots, wrong), (off,), eps=EPSILON, rtol=RELATIVE
        )


def test_the_reference_with_derivatives_draws_what_the_reference_draws():
    view = rig(64)[1]
    both = path_length_and_derivatives(implant(3.0), view, POSES[0], implant(3.0).centre_mm)
    np.testing.assert_allclose(both[..., 0], path_length_reference(implant(3.0), view, POSES[0]), atol=1e-9)


def test_samples_of_a_box_add_up_to_its_chord():
    full = Volume(
        attenuation_per_mm=np.full((21, 21, 21), 0.03, dtype=np.float32),
        spacing_mm=np.array([2.0, 2.0, 2.0]),
        body_from_grid=Rigid.identity().shifted([-20.0, -20.0, -20.0]),
    )
    view = rig(33)[0]
    middle = tuple(round(part) for part in reversed(view.principal_px))
    drawn = sampled_integrals(full, view, Rigid.identity(), np.zeros(3), step_mm=0.05)
    assert drawn[(*middle, 0)] == pytest.approx(0.03 * 40, rel=0.003)
    with pytest.raises(GeometryError, match="step"):
        sampled_integrals(full, view, Rigid.identity(), np.zeros(3), step_mm=0.0)
    with pytest.raises(GeometryError, match="behind"):
        sampled_integrals(full, view, Rigid.identity().shifted(view.source_world_mm), np.zeros(3))


@pytest.mark.parametrize("plane", [0, 1])
def test_the_fast_raster_pulls_where_the_exact_reference_pulls(plane):
    """Gradients of a smooth loss through torch, and differences of the reference at 6 x 6 rays a pixel."""
    mesh = lopsided()
    bodies = (Body(name="a", levels=(mesh,), pivot_mm=mesh.centre_mm),)
    views = rig(128)
    blank = np.ones((128, 128), dtype=np.uint16)
    pictures = [Pictures.of(Shot(view=view, image=blank, usable=blank > 0)) for view in views]
    stage = Stage(picture_px=128, supersample=2, margin_mm=30.0)
    level = Level(bodies, pictures, POSES[:1], stage, Recipe(attenuation_per_mm=0.02, smoothing_px=0.8))
    cut = level.views[plane].view
    turn = np.kron(np.eye(2), cut.camera_from_world.rotation)

    def fast(poses):
        drawn = level.draw(cut, poses).copy()
        drawn[..., 1:] = drawn[..., 1:] @ turn
        return drawn

    pivots = mesh.centre_mm[None]
    rows, columns = np.mgrid[: cut.height_px, : cut.width_px]
    across, along = columns / cut.width_px - 0.5, rows / cut.height_px - 0.5
    weight = 3 * across - 2 * along + 8 * across**2 + 5 * across * along + 4 * along**2

    twist = torch.zeros((1, 6), dtype=torch.float64, requires_grad=True)
    (torch.from_numpy(weight) * draw(*moved(twist, POSES[:1], pivots), pivots, fast)).sum().backward()
    ours = twist.grad[0].numpy()

    def loss(step: np.ndarray) -> float:
        length = path_length_reference(mesh, cut, POSES[0].perturbed(step, mesh.centre_mm), 6)
        return float((weight * np.expm1(-0.02 * length)).sum())

    reach = np.array([1.0, 1.0, 1.0, 30.0, 30.0, 30.0])
    steps = np.diag(0.5 / reach)
    theirs = np.array([loss(step) - loss(-step) for step in steps]) / (2 * np.diag(steps))
    largest = np.abs(theirs / reach).max()
    np.testing.assert_allclose(ours / reach, theirs / reach, atol=0.03 * largest)


def test_a_matrix_that_is_no_rotation_is_refused():
    drawing, pivots = drawings("surfaces", rig(24)[0])
    with pytest.raises(GeometryError, match="rotation"):
        draw(1.1 * torch.eye(3, dtype=torch.float64).repeat(2, 1, 1), torch.zeros((2, 3)).double(), pivots, drawing)


def test_path_length_of_the_fast_raster_is_the_references():
    view = rig(64)[0]
    exact = path_length_and_derivatives(lopsided(), view, POSES[0], np.zeros(3))[..., 0]
    np.testing.assert_allclose(path_length(lopsided(), view, POSES[0]), exact, atol=2e-4)
