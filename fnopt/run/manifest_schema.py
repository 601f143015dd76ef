"""What ``sweep.json`` may look like, checked once as it is read."""

from collections.abc import Mapping
from typing import Any

from fnopt.run.augmentations import described
from fnopt.run.manifest import identity_of
from fnopt.store.schema import (
    Schema,
    anything,
    dict_of,
    either,
    flag,
    list_of,
    maybe,
    number,
    one_of,
    record,
    row,
    shown,
    text,
    whole,
)

APART = ("identity", "configs", "widths", "fingerprint", "versions", "measured", "notes", "digest")
FORMS = ({"tuple"}, {"dict"}, {"wrapper", "inside", "settings"}, {"schedule", "fields"}, {"unsaved"})  # of ``codec``


def encoded(value: Any, where: str) -> None:
    """What ``codec.encode`` writes: numbers, names, tuples, schedules and optimizers."""
    if value is None or isinstance(value, bool | str):
        return
    if type(value) in (int, float):
        return _finite_whole(value, where)
    if not isinstance(value, dict) or set(value) not in FORMS:
        raise ValueError(f"{where} must be a hyperparameter as fnopt writes it, got {shown(value)}")
    for name in ("wrapper", "schedule", "unsaved"):
        if name in value:
            text(value[name], f"{where}.{name}")
    if "tuple" in value:
        list_of(encoded)(value["tuple"], where)
    for name in ("dict", "fields"):
        if name in value:
            dict_of(encoded)(value[name], where)
    for name in ("inside", "settings"):
        if name in value:
            encoded(value[name], f"{where}.{name}")


def _finite_whole(value: Any, where: str) -> None:
    if type(value) is int:
        number()(value, where)


def encoded_dict(value: Any, where: str) -> None:
    """The same of a dict of hyperparameters by name."""
    encoded(value, where)
    if not isinstance(value, dict) or "dict" not in value:
        raise ValueError(f"{where} must be hyperparameters by name, got {shown(value)}")


LABEL = either("text or a number", text, number())
TEXTS = maybe(list_of(text))
COLUMN = either("a column of a table as fnopt writes it", row(text, TEXTS), row(text, TEXTS, maybe(text), TEXTS))
ROWS = list_of(whole(0, 2**31 - 1))
KEY = record({"impl": text, "data": list_of(whole(0, 2**32 - 1), 1, 64)})
DESCRIBED = record(
    {
        "classes": maybe(list_of(LABEL)),
        "features": maybe(list_of(text)),
        "columns": maybe(list_of(COLUMN)),
        "missing": maybe(text),
        "target": text,
        "name": text,
    }
)
MODEL = record(
    {
        "kind": text,
        "structure": maybe(encoded_dict),
        "functions": maybe(text),
        "numbers": encoded_dict,
        "standardize": flag,
        "standardize_target": flag,
    },
    {"augment": described},
)
PLAIN = either("a number, true, false or null", maybe(number()), flag, text)
MANIFEST: Schema = record(
    {
        "format": whole(),
        "model": MODEL,
        "class_weight": maybe(either("a list of pairs or a name", text, list_of(row(LABEL, number())))),
        "space": dict_of(anything),
        "search": text,
        "seeds": whole(1, 2**20),
        "epochs": whole(1, 2**31 - 1),
        "objective": row(one_of("train", "dev"), text),
        "every": whole(0, 2**31 - 1),
        "stop": maybe(row(text, list_of(PLAIN))),
        "folds": maybe(list_of(row(maybe(ROWS), ROWS), 1)),
        "key": KEY,
        "data": record({"digest": text, "train": DESCRIBED, "dev": maybe(DESCRIBED)}),
        "options": row(list_of(encoded), list_of(whole(1)), maybe(whole())),
        "identity": text,
        "configs": list_of(encoded_dict, 1),
        "widths": list_of(whole(1, 2**20)),
        "fingerprint": dict_of(text),
        "versions": dict_of(text),
        "measured": list_of(row(whole(), whole(1), number(0))),
        "notes": dict_of(anything),
        "digest": text,
    },
    {"follow": list_of(row(text, flag, maybe(text)), 1), "level": number()},
)


def check_manifest(asked: Mapping[str, Any], path: str) -> None:
    """ValueError, naming the file and the field, where ``sweep.json`` is not one that a sweep writes."""
    try:
        MANIFEST(asked, "it")
        told = {name: value for name, value in asked.items() if name not in APART}
        if identity_of(told) != asked["identity"]:
            raise ValueError("its identity is not that of its content")
    except ValueError as error:
        raise ValueError(f"{path!r} was altered: {str(error).replace('it.', '', 1)}") from None
