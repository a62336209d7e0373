"""Pose errors of known offsets."""

import numpy as np
import pytest

from core.errors import PoseError
from core.evaluation.pose_error import PoseErrors
from core.geometry.rigid import Rigid


def test_known_offsets():
    reference = [Rigid.from_euler([10, 20, 30], [1, 2, 3])] * 3
    pivot = np.array([5.0, 0.0, -4.0])
    at = reference[0].apply(pivot[None])[0]
    poses = [reference[0], reference[0].shifted([0, 3, 4]), reference[0].turned(np.radians([0, 0, 2.0]), at)]
    errors = PoseErrors.between(poses, reference, pivot)
    np.testing.assert_allclose(errors.mm, [0, 5, 0], atol=1e-9)
    np.testing.assert_allclose(errors.deg, [0, 0, 2], atol=1e-6)
    assert errors.within(1, 1) == pytest.approx(1 / 3)
    assert errors.percentile(100)[0] == pytest.approx(5)


def test_unequal_numbers_are_refused():
    with pytest.raises(PoseError, match="2 poses"):
        PoseErrors.between([Rigid.identity()] * 2, [Rigid.identity()], np.zeros(3))
    with pytest.raises(PoseError, match="0 poses"):
        PoseErrors.between([], [], np.zeros(3))
