"""What a user's ``predict`` puts out, compared with the task before anything is trained."""

from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

from fnopt._types import Trial
from fnopt.model import Frame, Prepared
from fnopt.sweep.merge import plain, shapes_of
from fnopt.train import BLOCK

ROWS = "m"


def check_outputs(trial: Trial, data: Prepared) -> None:
    """Raise ValueError or TypeError, with what was expected and got, where the outputs do not fit the task."""
    rows = min(BLOCK, int(data.train.rows))
    shapes = shapes_of(trial, data.example)
    leaves, structure = jax.tree.flatten(shapes)
    x = (rows, *data.example.x.shape[1:]), data.example.x.dtype
    shape, dtype = _outputs(trial, structure, tuple((a.shape, a.dtype) for a in leaves), x, jnp.result_type(float))
    fitting, words = _expected(data.frame, rows)
    if shape not in fitting:
        raise ValueError(f"`predict` must return {words}; got shape {_text(shape, rows)}")
    if not jnp.issubdtype(dtype, jnp.floating):
        raise TypeError(f"`predict` must return {words}, floating; got dtype {dtype}")


@lru_cache(maxsize=1024)
def _outputs(trial: Trial, structure: Any, each: tuple[Any, ...], x: Any, number: Any) -> tuple[tuple[int, ...], Any]:
    """Shape and type of the outputs; ``number`` is the type of numbers, on which they depend."""
    del number
    params, stats = structure.unflatten([jax.ShapeDtypeStruct(*leaf) for leaf in each])
    made = jax.eval_shape(trial.predict, params, stats, jax.ShapeDtypeStruct(*x), plain(trial))
    if not hasattr(made, "shape"):
        raise TypeError(f"`predict` must return one array, its rows the examples, got a {type(made).__name__}")
    return made.shape, made.dtype


def _expected(frame: Frame, m: int) -> tuple[set[tuple[int, ...]], str]:
    """The shapes that fit a task, and in words what is expected."""
    if frame.task == "classes":
        classes = frame.classes or ()
        if len(classes) == 2:
            return {(m,), (m, 1), (m, 2)}, f"logits of shape ({ROWS},) or ({ROWS}, 2) for the two classes {[*classes]}"
        names = ", ".join(map(repr, classes[:4])) + (", …" if len(classes) > 4 else "")
        words = f"logits of shape ({ROWS}, {len(classes)}), a column for each of the {len(classes)} classes ({names})"
        return {(m, len(classes))}, words
    if frame.task == "labels":
        return {(m, frame.outputs)}, f"logits of shape ({ROWS}, {frame.outputs}), one column a label, as y has them"
    if frame.labels is None:
        return {(m,), (m, 1)}, f"values of shape ({ROWS},), as y has them"
    shapes = {(m, frame.labels)} | ({(m,)} if frame.labels == 1 else set())
    return shapes, f"values of shape ({ROWS}, {frame.labels}), as y has them"


def _text(shape: tuple[int, ...], rows: int) -> str:
    """A shape with its number of rows as a letter."""
    first = [ROWS if shape[0] == rows else str(shape[0])] if shape else []
    sizes = [*first, *map(str, shape[1:])]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
