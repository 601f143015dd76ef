"""Augmentations as JSON: those of this package by name and settings; those of anyone's own by the name alone."""

from typing import Any

from fnopt._checks import one_of
from fnopt.data.augment import (
    Augmentation,
    CentreCrop,
    Chain,
    CropTo,
    Own,
    centre_crop,
    chain,
    crop,
    crop_to,
    flip,
    flip_vertical,
    noise,
    zoom,
)
from fnopt.model import Model
from fnopt.store.schema import either, list_of, maybe, record, text, whole

PLAIN: dict[str, Augmentation] = {
    "flip": flip,
    "flip_vertical": flip_vertical,
    "zoom": zoom,
    "crop": crop,
    "noise": noise,
}
SIZED = {"crop_to": crop_to, "centre_crop": centre_crop}
SIZES = list_of(whole(1, 2**31 - 1), 2, 3)


def encode_augmentation(augment: Augmentation) -> dict[str, Any]:
    """An augmentation as JSON has it.

    >>> encode_augmentation(chain(flip, crop_to(6), shape=(8, 8)))
    {'chain': [{'name': 'flip'}, {'name': 'crop_to', 'size': [6, 6]}], 'shape': [8, 8]}
    """
    if isinstance(augment, Chain):
        shape = None if augment.shape is None else list(augment.shape)
        return {"chain": [encode_augmentation(part) for part in augment.parts], "shape": shape}
    for name, one in PLAIN.items():
        if augment == one:
            return {"name": name}
    if isinstance(augment, CentreCrop):
        return {"name": "centre_crop", "size": list(augment.size)}
    if isinstance(augment, CropTo):
        return {"name": "crop_to", "size": list(augment.size)}
    function = augment.function if isinstance(augment, Own) else augment
    return {"own": str(getattr(function, "__name__", type(function).__name__))}


def decode_augmentation(kept: dict[str, Any]) -> Augmentation:
    """The augmentation that :func:`encode_augmentation` wrote.

    Raises:
        ValueError: for one of anybody's own, whose function no file holds.

    >>> decode_augmentation({"name": "crop_to", "size": [6, 6]}) == crop_to(6)
    True
    """
    if "chain" in kept:
        parts = [decode_augmentation(part) for part in kept["chain"]]
        return chain(*parts, shape=kept["shape"])
    if "own" in kept:
        raise ValueError(f"no file holds the function {kept['own']!r} of an augmentation")
    name = one_of("augmentation", kept["name"], (*PLAIN, *SIZED))
    return PLAIN[name] if name in PLAIN else SIZED[name](tuple(kept["size"]))


def of_own(kept: Any) -> str:
    """The name of a function of somebody's own in what :func:`encode_augmentation` wrote; "" where there is none.

    >>> of_own(encode_augmentation(flip)), of_own(encode_augmentation(chain(flip, print)))
    ('', 'print')
    """
    if kept is None:
        return ""
    return kept.get("own") or next(filter(None, map(of_own, kept.get("chain", ()))), "")


def described(value: Any, where: str) -> None:
    """ValueError unless a value looks as :func:`encode_augmentation` writes it."""
    ONE(value, where)


ONE = either(
    "an augmentation as fnopt writes it",
    record({"name": text}, {"size": SIZES}),
    record({"chain": list_of(described, 1), "shape": maybe(SIZES)}),
    record({"own": text}),
)


def augment_of(model: Model) -> dict[str, Any]:
    """What a file says of a model's augmentation: nothing where it has none, so that such files stay what they were."""
    return {} if model.augment is None else {"augment": encode_augmentation(model.augment)}
