"""Group laws of rigid motions, near identity and half turns too."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.errors import GeometryError
from core.geometry.rigid import Rigid, nearest_rotation, so3_exp, so3_log

angles = st.one_of(st.floats(-np.pi, np.pi), st.floats(-1e-7, 1e-7), st.sampled_from([0.0, np.pi, -np.pi / 2]))


@st.composite
def rotation_vectors(draw):
    axis = draw(arrays(float, 3, elements=st.floats(-1, 1)))
    length = np.linalg.norm(axis)
    axis = np.array([1.0, 0, 0]) if length < 1e-3 else axis / length
    return axis * draw(angles)


@st.composite
def rigid_motions(draw):
    shift = draw(arrays(float, 3, elements=st.floats(-2000, 2000)))
    return Rigid(rotation=so3_exp(draw(rotation_vectors())), translation_mm=shift)


@given(rigid_motions(), rigid_motions(), rigid_motions())
def test_composition_is_associative(a, b, c):
    assert ((a @ b) @ c).close_to(a @ (b @ c), mm=1e-8, deg=1e-5)


@given(rigid_motions(), rigid_motions())
def test_inverse_reverses_composition(a, b):
    assert (a @ b).inverse().close_to(b.inverse() @ a.inverse(), mm=1e-8, deg=1e-5)


@given(rigid_motions())
def test_inverse_undoes(a):
    assert (a @ a.inverse()).close_to(Rigid.identity(), mm=1e-8, deg=1e-5)


@given(rigid_motions())
def test_exp_undoes_log(a):
    assert Rigid.exp(a.log()).close_to(a, mm=1e-5, deg=1e-5)


@given(rotation_vectors())
def test_log_is_the_short_way(omega):
    log = so3_log(so3_exp(omega))
    assert np.linalg.norm(log) <= np.pi + 1e-12
    np.testing.assert_allclose(so3_exp(log), so3_exp(omega), atol=1e-12)


@given(rigid_motions(), arrays(float, (5, 3), elements=st.floats(-500, 500)))
def test_motions_keep_distances(a, points):
    moved = a.apply(points)
    before = np.linalg.norm(points[:, None] - points[None], axis=-1)
    after = np.linalg.norm(moved[:, None] - moved[None], axis=-1)
    np.testing.assert_allclose(after, before, atol=1e-8)


@given(rigid_motions(), rigid_motions(), arrays(float, (4, 3), elements=st.floats(-500, 500)))
def test_composition_applies_right_first(a, b, points):
    np.testing.assert_allclose((a @ b).apply(points), a.apply(b.apply(points)), atol=1e-8)


@given(rigid_motions(), st.sampled_from(["ZXY", "XYZ", "zyx", "ZYX", "YXZ", "xyz"]))
def test_euler_angles_come_back(a, order):
    again = Rigid.from_euler(a.euler_deg(order), a.translation_mm, order)
    assert again.close_to(a, mm=1e-9, deg=1e-4)


@given(rigid_motions(), rotation_vectors(), arrays(float, 3, elements=st.floats(-500, 500)))
def test_turning_keeps_the_pivot(a, omega, pivot_body):
    pivot_mm = a.apply(pivot_body[None])[0]
    turned = a.turned(omega, pivot_mm)
    np.testing.assert_allclose(turned.apply(pivot_body[None])[0], pivot_mm, atol=1e-8)


@given(rigid_motions(), arrays(float, 6, elements=st.floats(-3, 3)), arrays(float, 3, elements=st.floats(-90, 90)))
def test_perturbation_shifts_the_pivot_by_its_translation(a, twist, pivot_body):
    before, after = (p.apply(pivot_body[None])[0] for p in (a, a.perturbed(twist, pivot_body)))
    np.testing.assert_allclose(after - before, twist[:3], atol=1e-8)


@given(rigid_motions())
def test_many_compositions_stay_rotations(a):
    product = a
    for _ in range(200):
        product = product @ a
    gram = product.rotation.T @ product.rotation
    np.testing.assert_allclose(gram, np.eye(3), atol=1e-13)


def test_batches_agree_with_single_motions():
    generator = np.random.default_rng(1)
    twists = generator.normal(size=(4, 3, 6))
    a, b = Rigid.exp(twists), Rigid.exp(twists[::-1])
    both = a @ b
    for i in range(4):
        for j in range(3):
            one = Rigid.exp(twists[i, j]) @ Rigid.exp(twists[::-1][i, j])
            np.testing.assert_allclose(both.as_matrix()[i, j], one.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(
        a.inverse().as_matrix() @ a.as_matrix(), np.broadcast_to(np.eye(4), (4, 3, 4, 4)), atol=1e-12
    )
    np.testing.assert_allclose(Rigid.exp(a.log()).as_matrix(), a.as_matrix(), atol=1e-9)


def test_jointtrack_order_is_rz_rx_ry():
    z, x, y = np.radians([-26.70, -7.42, -0.26])
    rz = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    rx = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    ry = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    pose = Rigid.from_euler([-26.70, -7.42, -0.26], [18.52, 19.70, -1027.7])
    np.testing.assert_allclose(pose.rotation, rz @ rx @ ry, atol=1e-12)


@pytest.mark.parametrize(
    ("rotation", "words"),
    [
        (np.diag([1.0, 1.0, -1.0]), "mirrored"),
        (np.diag([1.0, 1.0, 1.1]), "no rotation"),
        (np.zeros((3, 3)), "no rotation"),
        (np.full((3, 3), np.nan), "not finite"),
    ],
)
def test_what_is_no_rotation_is_refused(rotation, words):
    with pytest.raises(GeometryError, match=words):
        Rigid(rotation=rotation, translation_mm=np.zeros(3))
    with pytest.raises(GeometryError, match=words):
        Rigid.from_rounded(rotation, np.zeros(3))


def test_rounded_rotations_are_straightened():
    exact = so3_exp(np.array([0.3, -1.2, 0.7]))
    pose = Rigid.from_rounded(np.round(exact, 4), np.zeros(3))
    np.testing.assert_allclose(pose.rotation.T @ pose.rotation, np.eye(3), atol=1e-14)
    assert np.degrees(np.linalg.norm(so3_log(pose.rotation @ exact.T))) < 0.01
    np.testing.assert_allclose(nearest_rotation(pose.rotation), pose.rotation, atol=1e-14)


def test_motions_cannot_be_changed():
    pose = Rigid.identity()
    with pytest.raises(ValueError, match="read-only"):
        pose.rotation[0, 0] = 2.0
