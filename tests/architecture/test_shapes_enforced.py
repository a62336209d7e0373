"""The shapes that signatures name are enforced while tests run."""

import numpy as np
import pytest
from jaxtyping import TypeCheckError

from core.geometry.rigid import Rigid, nearest_rotation, skew
from core.study.values import Trial


def test_a_wrong_shape_is_refused():
    with pytest.raises(TypeCheckError):
        nearest_rotation(np.eye(4))
    with pytest.raises(TypeCheckError):
        Rigid.identity().apply(np.zeros(3))


def test_a_wrong_type_is_refused():
    with pytest.raises(TypeCheckError):
        skew([1.0, 2.0, 3.0])
    with pytest.raises(TypeCheckError):
        Trial.index_of("trial", "first")


def test_batches_and_their_size_must_agree():
    two = Rigid.identity((2,))
    assert two.apply(np.zeros((2, 5, 3))).shape == (2, 5, 3)
    assert two.as_matrix().shape == (2, 4, 4)
