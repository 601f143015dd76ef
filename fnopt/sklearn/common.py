"""The constructor's arguments, taken as they come."""

from collections.abc import Mapping
from typing import Any


def keep(estimator: Any, arguments: Mapping[str, Any]) -> None:
    """Every argument of a constructor as an attribute, unchanged: scikit-learn asks for no more and no less."""
    for name, value in arguments.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)
