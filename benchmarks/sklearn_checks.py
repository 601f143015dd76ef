"""scikit-learn's check_estimator of both estimators as they come, without an argument: every check trains the recipe.

    python -m benchmarks.sklearn_checks

The suite runs the same checks with a small network (tests/sklearn/test_conformance.py).
"""

import sys
import time
import warnings
from collections import Counter

from sklearn.utils.estimator_checks import check_estimator

from fnopt.sklearn import FnoptClassifier, FnoptRegressor

EXPECTED = {"check_sample_weight_equivalence_on_dense_data": "float32 does not sum to 1e-7"}


def main() -> int:
    """A line an estimator, and the name and error of each check that failed; 1 where one did."""
    failed = 0
    for estimator in (FnoptClassifier(), FnoptRegressor()):
        start, cpu = time.perf_counter(), time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = check_estimator(estimator, on_skip=None, on_fail=None, expected_failed_checks=EXPECTED)
        counts = Counter(result["status"] for result in found)
        seconds = f"{time.perf_counter() - start:.0f} s, {time.process_time() - cpu:.0f} s of the processor"
        print(f"{type(estimator).__name__}: {dict(counts)} in {seconds}", flush=True)
        for result in found:
            if result["status"] == "failed":
                print(f"  {result['check_name']}: {result['exception']!r:.300}")
        failed += counts["failed"]
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
