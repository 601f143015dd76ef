"""Checks whose messages show what was expected, what came, and the cure."""

import importlib
import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from numbers import Real
from operator import index
from types import ModuleType
from typing import Any

SAME = {  # what the same thing is called elsewhere, in small letters without underscores
    "learningrate": ("lr",),
    "epsilon": ("eps",),
    "beta1": ("b1",),
    "beta2": ("b2",),
    "batchsize": ("batch_size",),
    "batch": ("batch_size",),
    "auc": ("roc_auc",),
    "mse": ("mean_squared_error",),
    "rmse": ("root_mean_squared_error",),
    "mae": ("mean_absolute_error",),
    "mcc": ("matthews_corrcoef",),
    "k": ("every_k",),
    # tasks
    "regression": ("values",),
    "regressor": ("values",),
    "numeric": ("values",),
    "continuous": ("values",),
    "classification": ("classes",),
    "classifier": ("classes",),
    "categorical": ("classes", "choice"),
    "binary": ("classes",),
    "multiclass": ("classes",),
    "multilabel": ("labels",),
    # searches
    "gridsearch": ("grid",),
    "gridsearchcv": ("grid",),
    "gridsampler": ("grid",),
    "randomsearch": ("random",),
    "randomizedsearchcv": ("random",),
    "randomsampler": ("random",),
    "uniform": ("random",),
    "qmc": ("sobol",),
    "qmcsampler": ("sobol",),
    "halton": ("sobol",),
    "coarsetofine": ("coarse_to_fine",),
    # rules that end trials
    "asha": ("asynchronous_halving",),
    "ashascheduler": ("asynchronous_halving",),
    "asynchyperband": ("asynchronous_halving",),
    "asynchyperbandscheduler": ("asynchronous_halving",),
    "sha": ("halving",),
    "successivehalving": ("halving",),
    "successivehalvingpruner": ("asynchronous_halving",),
    "hyperbandpruner": ("hyperband",),
    "hyperbandscheduler": ("hyperband",),
    "bohb": ("hyperband",),
    "medianpruner": ("median",),
    "medianstopping": ("median",),
    "medianstoppingrule": ("median",),
    "pbt": ("population",),
    "populationbasedtraining": ("population",),
    # activations
    "swish": ("silu",),
    "logistic": ("sigmoid",),
    "leaky": ("leaky_relu",),
    "lrelu": ("leaky_relu",),
    "linear": ("identity",),
    # optimizers
    "sgdm": ("momentum",),
    "heavyball": ("momentum",),
    "nag": ("nesterov",),
    "lbfgsb": ("lbfgs",),
    "rmsproptf": ("rmsprop",),
}


COUNTED = 2**31  # programs count epochs, examples and units with 32 bits
SHOWN = 256  # bits of a whole number that a message still writes out
HIDDEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # Unicode's control, format, surrogate, line and paragraph characters
JOINERS = "\u200c\u200d"  # format characters that scripts and pictures are written with, and that move nothing


def printable(text: Any) -> str:
    r"""``text`` with every character that a terminal obeys or that cannot be encoded written as its escape.

    Names from data and file systems pass through this before they reach a line, a table or an error: control
    characters (of C0, C1 and DEL), writing directions, separators of lines and lone surrogates. What is printed
    as it stands comes back as it is.

    >>> printable("title \x1b]0;mine\x07, \u202eexe, naïve")
    'title \\x1b]0;mine\\x07, \\u202eexe, naïve'
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(_escaped(c) if unicodedata.category(c) in HIDDEN and c not in JOINERS else c for c in text)


def _escaped(c: str) -> str:
    return c.encode("unicode_escape", "surrogatepass").decode("ascii")


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is meant by ``name``: in other letters, elsewhere's word, a misspelling or a part; or None.

    >>> closest("LogUniform", ["log_uniform", "uniform"]), closest("regression", ["values"]), closest("x", ["adam"])
    ('log_uniform', 'values', None)
    """
    known, name = sorted(known), str(name)
    alike = {folded(k): k for k in known}  # small letters, which come last, where two differ in them only
    plain = folded(name)
    if plain in alike:
        return alike[plain]
    same = [k for k in SAME.get(plain, ()) if k in known]
    close = same or get_close_matches(name, known, n=1)
    close = close or [alike[k] for k in get_close_matches(plain, alike, n=1)]
    close = close or [k for k in known if len(name) > 2 and k and (k.startswith(name) or name.startswith(k))]
    return close[0] if close else None


def folded(name: str) -> str:
    """A name in small letters without what stands between its words."""
    return name.lower().replace("_", "").replace("-", "").replace(" ", "")


def nearest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for the nearest known name, else the list of all.

    >>> nearest("adm", ["adam", "sgd"])
    "; did you mean 'adam'?"
    """
    known = sorted(known)
    close = closest(name, known)
    return f"; did you mean {close!r}?" if close is not None else f"; known: {', '.join(known)}"


def one_of(what: str, value: Any, known: Iterable[str]) -> Any:
    """``value`` if it is one of the known names, else ValueError naming the nearest."""
    known = list(known)
    if value not in known:
        raise ValueError(f"unknown {what} {value!r}{nearest(str(value), known)}")
    return value


def unknown_number(owner: str, number: str, known: Sequence[str]) -> str:
    """What an optimizer says of a number that it does not have, with the nearest that it has.

    >>> unknown_number("sgd", "learning_rate", ["lr"])
    'sgd has no number `learning_rate`; did you mean `lr`? it has lr'
    """
    same = [k for k in SAME.get(folded(number), ()) if k in known]
    close = same or get_close_matches(number, known, n=1, cutoff=0.5)
    hint = f"did you mean `{close[0]}`? " if close else ""
    if number == "weight_decay":
        wrapped = f'fo.optim.decay_by_path({owner}, {{"*": 1e-4}})'
        hint = f"take {'fo.optim.adamw or ' if owner == 'adam' else ''}{wrapped}; "
    return f"{owner} has no number `{number}`; {hint}it has {', '.join(known)}"


def whole(name: str, value: Any, least: int = 1) -> int:
    """A whole number, Python's, NumPy's or JAX's, from ``least`` to 2³¹ - 1; True and False are none.

    >>> whole("epochs", 3)
    3
    """
    try:
        number = least - 1 if _truth(value) else index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise ValueError(f"`{name}` must be a whole number ≥ {least}, got {brief(value)}{_searched(value)}")
    if number >= COUNTED:
        raise ValueError(f"`{name}` must be a whole number below {COUNTED}, got {brief(value)}")
    return number


def real(name: str, value: Any, wanted: str = "", holds: Callable[[float], bool] = math.isfinite) -> float:
    """A finite number, Python's, NumPy's or JAX's, as a Python float; ``wanted`` says in words what ``holds`` tests.

    Raises:
        ValueError: for what is no real number (text, None, True and False, a complex number, an array of several), for
            NaN and the infinities, and where ``holds`` is false.

    >>> real("minutes", 2, "above 0", lambda x: x > 0)
    2.0
    """
    kind = getattr(value, "dtype", None)
    some = str(kind).startswith(("int", "uint", "float", "bfloat"))  # by name: no JAX is needed for a check
    plain = isinstance(value, Real) if kind is None else some and getattr(value, "ndim", 0) == 0
    number = as_float(value) if plain and not _truth(value) else math.nan
    if not (math.isfinite(number) and holds(number)):
        wanted = f"number {wanted}" if wanted else "finite number"
        raise ValueError(f"`{name}` must be a {wanted}, got {brief(value)}{_searched(value)}")
    return number


def as_float(value: Any) -> float:
    """``float(value)``, and an infinity of its sign where a whole number or a fraction is beyond every float.

    >>> as_float(3), as_float(-(10**400))
    (3.0, -inf)
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def brief(value: Any) -> str:
    """``repr`` of a value for a message; of a whole number of very many digits, which Python may not write, its size.

    >>> brief(0.5), brief("x"), brief(10**5000)
    ('0.5', "'x'", 'a whole number of 16610 bits')
    """
    if isinstance(value, int) and value.bit_length() > SHOWN:
        return f"a whole number of {value.bit_length()} bits"
    try:
        return repr(value)
    except ValueError:  # such a number stands inside it
        return f"a {type(value).__name__} of very many digits"


def _truth(value: Any) -> bool:
    return isinstance(value, bool) or str(getattr(value, "dtype", "")) == "bool"


def _searched(value: Any) -> str:
    return ": it takes one value and cannot be searched" if hasattr(value, "quantile") else ""


def same_structure(expected: Any, got: Any, what: str) -> None:
    """Raise ValueError, with both trees printed, unless both have one structure and the same shapes."""
    import jax  # here, as messages are wanted before JAX is: in the command line's help
    import jax.numpy as jnp

    a, b = jax.tree.structure(expected), jax.tree.structure(got)
    if a != b:
        raise ValueError(f"{what} must have the structure of the parameters:\n  expected {a}\n  got      {b}")
    for (path, x), y in zip(jax.tree_util.tree_leaves_with_path(expected), jax.tree.leaves(got), strict=True):
        if jnp.shape(x) != jnp.shape(y):
            name = jax.tree_util.keystr(path)
            lanes = jnp.shape(x)[1:] == jnp.shape(y) or jnp.shape(y)[1:] == jnp.shape(x)
            cure = (
                "; where one has an axis of several configurations, write jax.vmap(optimizer.update)" if lanes else ""
            )
            raise ValueError(f"{what}{name} must have the parameter's shape {jnp.shape(x)}, got {jnp.shape(y)}{cure}")


def require(module: str, extra: str) -> ModuleType:
    """Import an optional library, or say in one line how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        name = module.split(".")[0]
        raise ImportError(f"this needs {name}, which is not installed: pip install 'fnopt[{extra}]'") from error
