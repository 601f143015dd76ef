"""Odd inputs of ``predict``: arrays, frames and files."""

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np

import fnopt as fo
from benchmarks.abuse.outcome import Refused, called, command
from benchmarks.abuse.studies import finished, scratch
from benchmarks.abuse.tally import Failed, Trial


class Frame:
    """The least that a data frame is: columns by name, in an order."""

    def __init__(self, columns: dict[str, Any]) -> None:
        self._columns = columns
        self.columns = list(columns)
        self.shape = (len(next(iter(columns.values()))), len(columns)) if columns else (0, 0)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, names: Any) -> Any:
        return Frame({n: self._columns[n] for n in names}) if isinstance(names, list) else self._columns[names]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array([self._columns[name] for name in self.columns], dtype).T


NAMES = ("a", "b", "c")


@cache
def _models() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3)) * (1, 10, 100) + (0, 5, 1e6)
    y = (x[:, 0] > 0).astype(int)
    named = fo.data.dataset(x, y)._replace(features=NAMES)
    kinds = {"classes": (fo.classifier(hidden=(4,)), named), "values": (fo.regressor(hidden=(4,)), None)}
    kinds["values"] = (fo.regressor(hidden=(4,)), fo.data.dataset(x, x[:, 0] * 3.0)._replace(features=NAMES))
    return {kind: fo.fit(model, data, epochs=3, hyper={"lr": 1e-2}) for kind, (model, data) in kinds.items()}


@cache
def _rows() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(5, 3)) * (1, 10, 100) + (0, 5, 1e6)


def _with(value: Any, dtype: Any = float) -> np.ndarray:
    rows = _rows().astype(dtype)
    rows[2, 1] = value
    return rows


REFUSED: dict[str, Callable[[], Any]] = {
    "1e300 in a cell": lambda: _with(1e300),
    "infinity": lambda: _with(np.inf),
    "NaN": lambda: _with(np.nan),
    "complex": lambda: _rows() + 1j,
    "a masked cell": lambda: np.ma.masked_array(_rows(), mask=_rows() > 1e6),
    "text": lambda: _rows().astype(str).astype("U20") + "x",
    "objects": lambda: np.array([[object(), 1, 2]] * 5),
    "None among numbers": lambda: np.array([[None, 1.0, 2.0]] * 5, dtype=object),
    "one column less": lambda: _rows()[:, :2],
    "one column more": lambda: np.hstack([_rows(), _rows()[:, :1]]),
    "one row as a vector": lambda: _rows()[0],
    "a scalar": lambda: 3.0,
    "three axes": lambda: _rows()[None],
    "dates": lambda: _rows().astype("datetime64[s]"),
    "ragged lists": lambda: [[1.0, 2.0, 3.0], [1.0]],
    "a frame with another name": lambda: Frame({"a": _rows()[:, 0], "b": _rows()[:, 1], "d": _rows()[:, 2]}),
    "a frame with a column less": lambda: Frame({"a": _rows()[:, 0], "b": _rows()[:, 1]}),
    "None": lambda: None,
    "a dict": lambda: {"a": 1.0},
}
SAME: dict[str, Callable[[], Any]] = {
    "lists": lambda: _rows().tolist(),
    "big endian": lambda: _rows().astype(">f8"),
    "Fortran order": lambda: np.asfortranarray(_rows()),
    "a view by steps": lambda: np.repeat(_rows(), 2, axis=0)[::2],
    "read only": lambda: _frozen(_rows()),
    "a frame": lambda: Frame(dict(zip(NAMES, _rows().T, strict=True))),
    "a frame in another order": lambda: Frame({n: _rows()[:, NAMES.index(n)] for n in ("c", "a", "b")}),
    "objects that are numbers": lambda: _rows().astype(object),
    "long double": lambda: _rows().astype(np.longdouble),
    "a subclass": lambda: _rows().view(np.matrix),
}


def _frozen(rows: np.ndarray) -> np.ndarray:
    rows = rows.copy()
    rows.flags.writeable = False
    return rows


def of_predict(rng: random.Random) -> Iterator[Trial]:
    """An odd input is refused in words, or gives the answer of the plain one."""
    for kind in ("classes", "values"):
        for name, make in REFUSED.items():
            yield Trial(f"{kind}: {name}", _refused(kind, make))
        for name, make in SAME.items():
            yield Trial(f"{kind}: {name}", _same(kind, make))
        yield Trial(f"{kind}: no rows", _none(kind))
    for name, text in FILES.items():
        yield Trial(f"a file: {name}", _file(text))


def _refused(kind: str, make: Callable[[], Any]) -> Callable[[], None]:
    def do() -> None:
        run = _models()[kind]
        for ask in (run.predict, run.outputs, *([run.predict_proba] if kind == "classes" else [])):
            if not isinstance(called(lambda ask=ask: ask(make())), Refused):
                raise Failed(f"{ask.__name__} answers")

    return do


def _same(kind: str, make: Callable[[], Any]) -> Callable[[], None]:
    def do() -> None:
        run = _models()[kind]
        for ask in (run.predict, run.outputs):
            found = called(lambda ask=ask: ask(make()))
            if not isinstance(found, Refused) and not np.array_equal(np.asarray(found), np.asarray(ask(_rows()))):
                raise Failed(f"{ask.__name__} answers something else")

    return do


def _none(kind: str) -> Callable[[], None]:
    def do() -> None:
        found = called(lambda: _models()[kind].predict(np.zeros((0, 3))))
        if not isinstance(found, Refused) and len(np.asarray(found)):
            raise Failed(f"{len(found)} predictions of no rows")

    return do


_HEADER = "weight,colour,age,kind\n"
FILES = {
    "only a header": _HEADER,
    "nothing": "",
    "a column less": "weight,colour\n3,black\n",
    "a column twice": "weight,weight,colour,age\n3,3,black,4\n",
    "columns in another order": "age,colour,weight\n4,black,3.5\n",
    "a new category": "weight,colour,age\n3,green,4\n",
    "text for a number": "weight,colour,age\nheavy,black,4\n",
    "a formatted number": "weight,colour,age\n1.234,56,black,4\n",
    "infinity": "weight,colour,age\ninf,black,4\n",
    "1e300": "weight,colour,age\n1e300,black,4\n",
    "a short row": "weight,colour,age\n3,black\n",
    "a long row": "weight,colour,age\n3,black,4,5,6\n",
    "an unclosed quote": 'weight,colour,age\n3,"black,4\n',
    "zero bytes": "weight,colour,age\n3,bl\x00ack,4\n",
}


def _file(text: str) -> Callable[[], None]:
    def do() -> None:
        path = scratch() / "new.csv"
        path.write_text(text)
        shown = command("predict", str(finished().folder), str(path))
        if shown.code == 0 and "another order" not in text and len(shown.out.splitlines()) - 1 > text.count("\n"):
            raise Failed("more predictions than rows")

    return do
