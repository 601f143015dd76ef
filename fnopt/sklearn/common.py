"""What estimators and the search share of scikit-learn's ways."""

from collections.abc import Mapping
from typing import Any, cast

from sklearn.base import clone


def keep(estimator: Any, arguments: Mapping[str, Any]) -> None:
    """Every argument of a constructor as an attribute, unchanged: scikit-learn asks for no more and no less."""
    for name, value in arguments.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)


def configured(estimator: Any, arguments: Mapping[str, Any]) -> Any:
    """A clone of an estimator with some arguments of its own; what is an estimator among these is cloned too."""
    made, own = cast(Any, clone(estimator)), cast(Any, clone(dict(arguments), safe=False))
    return made.set_params(**own)
