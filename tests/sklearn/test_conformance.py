"""scikit-learn's own checks of an estimator. Those that train are slow together: nearly each has shapes of its own."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from fnopt.sklearn import FnoptClassifier, FnoptRegressor

SMALL = dict(hidden_layer_sizes=4, solver="adam", learning_rate_init=0.05, max_iter=30)
BOTH = FnoptClassifier(**SMALL), FnoptRegressor(**SMALL)
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "rows that count twice and rows that stand twice meet in other "
    "batches, and float32 does not sum to 1e-7"
}
QUICK = {  # they train nothing
    *("check_estimator_cloneable", "check_estimator_tags_renamed", "check_valid_tag_types", "check_estimator_repr"),
    *("check_no_attributes_set_in_init", "check_estimators_unfitted", "check_mixin_order", "check_complex_data"),
    *("check_do_not_raise_errors_in_init_or_set_params", "check_all_zero_sample_weights_error", "check_fit1d"),
    *("check_estimators_empty_data_messages", "check_estimator_sparse_tag", "check_estimator_sparse_array"),
    *("check_estimator_sparse_matrix", "check_parameters_default_constructible", "check_get_params_invariance"),
    *("check_set_params", "check_requires_y_none"),
}


def name_of(check):
    while not hasattr(check, "__name__"):
        check = check.func
    return check.__name__


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("estimator", BOTH)
def test_the_checks_that_train_nothing(estimator):
    done = set()
    for one, check in estimator_checks_generator(estimator):
        if name_of(check) in QUICK:
            check(one)
            done.add(name_of(check))
    assert done == QUICK


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(list(BOTH), expected_failed_checks=lambda estimator: EXPECTED)
def test_every_check_of_scikit_learn(estimator, check):
    check(estimator)
