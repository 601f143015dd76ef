"""scikit-learn's own checks of an estimator."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from fnopt.sklearn import FnoptClassifier, FnoptRegressor

SMALL = dict(hidden_layer_sizes=4, solver="adam", learning_rate_init=0.05, max_iter=30)
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "rows that count twice and rows that stand twice meet in other "
    "batches, and float32 does not sum to 1e-7"
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(
    [FnoptClassifier(**SMALL), FnoptRegressor(**SMALL)], expected_failed_checks=lambda estimator: EXPECTED
)
def test_every_check_of_scikit_learn(estimator, check):
    check(estimator)
