"""Real data inside the package, small enough to try things on: no file, no network."""

from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from fnopt._checks import one_of
from fnopt._types import Dataset
from fnopt.data._cells import default_float
from fnopt.data.dataset import dataset

NAMES = ("breast_cancer", "diabetes", "digits", "iris", "wine")
"""The names that :func:`load` knows."""


def load(name: str) -> Dataset:
    """Built-in data by name.

    Args:
        name: one of :data:`NAMES`.

    Returns:
        ``x`` in the default float type, ``y`` int32 for classes, floating for values.

    Raises:
        ValueError: for another name, with the nearest one.

    >>> load("wine").x.shape
    (178, 13)
    >>> load("irs")
    Traceback (most recent call last):
    ...
    ValueError: unknown data 'irs'; did you mean 'iris'?
    """
    if name not in NAMES and (len(Path(name).parts) > 1 or Path(name).suffix):
        raise ValueError(f"{name!r} is a file: fo.data.{_reader(name)} reads it; load knows {', '.join(NAMES)}")
    one_of("data", name, NAMES)
    with as_file(files("fnopt.data") / "files" / f"{name}.npz") as path, np.load(path, allow_pickle=False) as kept:
        arrays = dict(kept)
    classes = arrays["classes"].tolist() if "classes" in arrays else None
    features, y = arrays["features"].tolist(), arrays["y"] if classes else arrays["y"].astype(default_float())
    data = dataset(arrays["x"].astype(default_float()), y, classes=classes, features=features, name=name)
    return data._replace(target=str(arrays["target"]))


def _reader(name: str) -> str:
    """The call that reads a file of this name."""
    if Path(name).suffix == ".npz":
        return f"read_npz({name!r})"
    return "read_idx(images, labels)" if "idx" in name else f"read_csv({name!r}, target=…)"


def digits() -> Dataset:
    """1797 handwritten digits, 8 × 8 pixels from 0 to 16 in rows of 64; classes 0 to 9.

    Source: Alpaydin and Kaynak, "Optical Recognition of Handwritten Digits", 1998, the test part,
    https://doi.org/10.24432/C50P49, CC BY 4.0.

    >>> data = digits()
    >>> data.x.shape, data.classes
    ((1797, 64), (0, 1, 2, 3, 4, 5, 6, 7, 8, 9))
    """
    return load("digits")


def iris() -> Dataset:
    """150 flowers, four lengths in cm; three species.

    Source: Fisher, "The use of multiple measurements in taxonomic problems", 1936, https://doi.org/10.24432/C56C76,
    CC BY 4.0; with the values of the paper where the repository's copy has two rows wrong, as in scikit-learn.

    >>> iris().classes
    ('setosa', 'versicolor', 'virginica')
    """
    return load("iris")


def wine() -> Dataset:
    """178 wines, 13 chemical measurements on very different scales; three cultivars.

    Source: Forina and others, "PARVUS", 1988, https://doi.org/10.24432/C5PC7J, CC BY 4.0.

    >>> wine().features[:2]
    ('alcohol', 'malic_acid')
    """
    return load("wine")


def breast_cancer() -> Dataset:
    """569 tumours, 30 measurements of cell nuclei in an image; malignant (0) or benign (1).

    Source: Wolberg, Mangasarian and Street, "Breast Cancer Wisconsin (Diagnostic)", 1995,
    https://doi.org/10.24432/C5DW2B, CC BY 4.0.

    >>> breast_cancer().classes
    ('malignant', 'benign')
    """
    return load("breast_cancer")


def diabetes() -> Dataset:
    """442 patients, ten measurements in raw units; the progression of diabetes after a year, a value from 25 to 346.

    Source: Efron, Hastie, Johnstone and Tibshirani, "Least Angle Regression", 2004,
    https://doi.org/10.1214/009053604000000067; its authors state no licence, the copy is scikit-learn's (BSD-3-Clause).

    >>> data = diabetes()
    >>> data.x.shape, data.y[:2].tolist(), data.target
    ((442, 10), [151.0, 75.0], 'progression')
    """
    return load("diabetes")
