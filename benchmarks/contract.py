"""The contract in counts: every number of every optimizer, wrapper and schedule, ours and optax's, by one script.

Optimizers go through ``fo.check.optimizer``. Ours have all their numbers as leaves at once; of optax's, one number at a
time is a leaf and the factory is made anew in each update, which is kinder: a number that cannot be traced does not
count against the others. Schedules: see ``benchmarks.contract_schedules``.

python -m benchmarks.contract [--out benchmarks/CONTRACT.md]
"""

import argparse
import inspect
from collections import Counter, namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

import fnopt as fo
from benchmarks import machine, peers
from benchmarks.contract_schedules import schedules

PROPERTIES = {
    "number is a leaf": "traced",
    "one trace": "one trace",
    "vmap = loop": "vmap = loop",
    "carry float32": "carry float32",
    "carry bfloat16": "carry bfloat16",
    "carry float16": "carry float16",
    "derivative": "derivative",
    "refuses nonsense": "nonsense",
    "resume = straight run": "resume",
}
Counts = dict[str, tuple[int, int]]  # column -> held, of


class Line(NamedTuple):
    """What one optimizer, wrapper or schedule came to."""

    whose: str
    kind: str
    name: str
    counts: Counts
    first: str  # of what failed


def ours() -> Iterator[Line]:
    """Every optimizer of the table, and every wrapper around Adam."""
    for name, optimizer in fo.optim.TABLE.items():
        yield line("fnopt", "optimizer", name, fo.check.optimizer(optimizer).rows)
    for name, wrap in fo.optim.WRAPPERS.items():
        settings = () if name in fo.optim.PLAIN else ({"w": 0.1, "*": 0.5},)
        yield line("fnopt", "wrapper", name, fo.check.optimizer(wrap(fo.optim.adam, *settings)).rows)


def theirs() -> Iterator[Line]:
    """Every optimizer of optax that takes a learning rate, one number at a time."""
    optax = peers.load("optax_update").optax
    for name in NAMES:
        factory = getattr(optax, name, None) or getattr(optax.contrib, name)
        defaults = {p.name: p.default for p in inspect.signature(factory).parameters.values()}
        defaults |= {k: 1e-3 for k in ("learning_rate",) if k in defaults}
        if isinstance(defaults["learning_rate"], float):
            numbers = {k: v for k, v in defaults.items() if type(v) is float or (type(v) is int and k != "seed")}
            rows = [row for number, value in numbers.items() for row in checked(factory, number, float(value))]
            yield line("optax", "optimizer", name, rows)


NAMES = (
    *("adabelief", "adadelta", "adafactor", "adagrad", "adam", "adamax", "adamaxw", "adamw", "adan", "amsgrad"),
    *("fromage", "lamb", "lars", "lion", "nadam", "nadamw", "noisy_sgd", "novograd", "optimistic_gradient_descent"),
    *("radam", "rmsprop", "rprop", "sgd", "sign_sgd", "sm3", "yogi"),
    *("muon", "prodigy", "schedule_free_adamw", "schedule_free_sgd", "dadapt_adamw", "momo"),
)


def checked(factory: Any, number: str, value: float) -> list[Any]:
    """The contract with this number a leaf; one that cannot even begin has failed every property."""
    fields = namedtuple("Hyper", [number])

    def init(params: Any, **numbers: Any) -> Any:
        hyper = fields(**{name: jnp.asarray(x) for name, x in numbers.items()})
        return fo.State(jnp.zeros((), jnp.int32), params, hyper, made(hyper).init(params))

    def made(hyper: Any) -> Any:
        others = {} if number == "learning_rate" else REQUIRED
        return factory(
            **{k: v for k, v in others.items() if k in inspect.signature(factory).parameters}, **hyper._asdict()
        )

    def update(state: Any, grads: Any) -> Any:
        updates, memory = made(state.hyper).update(grads, state.memory, state.params)
        params = jax.tree.map(lambda p, u: (p + u).astype(p.dtype), state.params, updates)
        return state._replace(step=state.step + 1, params=params, memory=memory)

    rows = list(fo.check.optimizer((init, update), numbers={number: value}).rows)
    seen = {row.property for row in rows}
    Row = type(rows[0])
    lacking = [p for p in PROPERTIES if p not in seen]
    return [*rows, *(Row(p, number, False, "could not be traced") for p in lacking)]


REQUIRED = {"learning_rate": 1e-3, "noise_scale": 0.1, "eta": 0.01, "gamma": 0.55}


def line(whose: str, kind: str, name: str, rows: Any) -> Line:
    """Rows as counts."""
    held: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for row in rows:
        if row.property in PROPERTIES:
            of[PROPERTIES[row.property]] += 1
            held[PROPERTIES[row.property]] += row.passed
    wrong = next((f"{r.property}, {r.number}: {r.found}" for r in rows if not r.passed), "")
    return Line(whose, kind, name, {column: (held[column], of[column]) for column in of}, wrong)


def table(lines: list[Line]) -> str:
    """Markdown: a line an optimizer, held of all."""
    columns = list(dict.fromkeys(PROPERTIES.values()))
    head = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    rows = []
    for some in lines:
        cells = (f"{h}/{n}" if n else "–" for h, n in (some.counts.get(c, (0, 0)) for c in columns))
        rows.append(f"| {some.name} | " + " | ".join(cells) + " |")
    return "\n".join([*head, *rows])


def total(lines: list[Line], name: str) -> Line:
    """The sum of some lines."""
    columns = dict.fromkeys(c for some in lines for c in some.counts)
    counts = {c: tuple(sum(some.counts.get(c, (0, 0))[k] for some in lines) for k in (0, 1)) for c in columns}
    return Line("", "", name, counts, "")  # pyright: ignore


def report(lines: list[Line]) -> str:
    """The whole page."""
    parts = ["# The optimizers' contract, held of all checks", "", f"By `python -m benchmarks.contract`. {facts()}", ""]
    groups = list(dict.fromkeys((some.whose, some.kind) for some in lines))
    sums = [total([s for s in lines if (s.whose, s.kind) == group], f"{group[0]} {group[1]}s") for group in groups]
    parts += [table(sums), ""]
    for group in groups:
        some = [s for s in lines if (s.whose, s.kind) == group]
        parts += [f"## {group[0]}: {group[1]}s", "", table(some), ""]
    return "\n".join(parts)


def facts() -> str:
    """Versions and device in a line."""
    found = machine.facts()
    return ", ".join(
        [f"Python {found['python']}", *(f"{name} {version}" for name, version in found["versions"].items())]
    )


def main() -> None:
    """Print, and write where asked."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.contract")
    parser.add_argument("--out", type=Path, help="a Markdown file to write")
    asked = parser.parse_args()
    lines: list[Line] = []
    sources = [ours(), schedules("fnopt")]
    if not peers.missing("optax_update"):
        sources += [theirs(), schedules("optax")]
    for source in sources:
        for one in source:
            lines.append(one)
            print(one.whose, one.kind, one.name, one.counts, one.first[:120], flush=True)
    page = report(lines)
    print("\n" + page)
    if asked.out:
        asked.out.write_text(page)


if __name__ == "__main__":
    main()
