"""fnopt for users of scikit-learn: estimators, a search and clustering scores. Needs ``pip install 'fnopt[sklearn]'``.

    from fnopt.sklearn import CaviarSearchCV, FnoptClassifier, FnoptRegressor

``FnoptClassifier`` and ``FnoptRegressor`` take the arguments of ``MLPClassifier`` and ``MLPRegressor`` by their names
there; without any they are ``fo.fit(fo.classifier(), data)``. ``CaviarSearchCV`` is ``RandomizedSearchCV`` whose
candidates are trained side by side in one call of ``fo.caviar``.
"""

from fnopt._checks import require as _require

_require("sklearn", "sklearn")

from fnopt.sklearn.classifier import FnoptClassifier as FnoptClassifier  # noqa: E402
from fnopt.sklearn.clustering import clustering_scores as clustering_scores  # noqa: E402
from fnopt.sklearn.regressor import FnoptRegressor as FnoptRegressor  # noqa: E402
from fnopt.sklearn.search import CaviarSearchCV as CaviarSearchCV  # noqa: E402
