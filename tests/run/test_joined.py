"""Parts trained on together keep every number, whatever type each came in."""

import numpy as np

import fnopt as fo
from fnopt.run.setup import joined


def test_parts_together_keep_every_number():
    far = fo.data.dataset([[1e9 + 0.5], [2e9 + 0.5]], [2**63 + 1, 5])
    near = fo.data.dataset([[1.0], [2.0]], [5, 5])
    made = joined(far, near)
    assert np.asarray(made.x).ravel().tolist() == [1e9 + 0.5, 2e9 + 0.5, 1.0, 2.0]
    assert np.asarray(made.y).tolist() == [2**63 + 1, 5, 5, 5]


def test_labels_that_stand_for_themselves_join_numbered_ones():
    numbered = fo.data.dataset([[1.0], [2.0]], [0, 1], classes=(2, 1))
    plain = fo.data.dataset([[1.0], [2.0]], [1, 2])
    assert np.asarray(joined(numbered, plain).y).tolist() == [0, 1, 1, 0]


def test_tiny_weights_are_kept():
    light = fo.data.dataset([[1.0], [2.0]], [0, 1], [1e-50, 2e-50])
    assert np.asarray(joined(light, light).weight).tolist() == [1e-50, 2e-50] * 2
