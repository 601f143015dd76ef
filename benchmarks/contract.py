"""The contract in counts: every number of every optimizer, wrapper and schedule, ours and optax's, by one script.

What our optimizers and wrappers hold is counted by the tests' own run, ``pytest -m holds --contract FILE``, which this
script starts where it is given no such file. Most of it comes from ``fo.check.optimizer``, through which optax's go
here. Ours have all their numbers as leaves at once; of optax's, one number at a time is a leaf and the factory is made
anew in each update, which is kinder: a number that cannot be traced does not count against the others. Schedules, ours
too, are counted here: see ``benchmarks.contract_schedules``.

python -m benchmarks.contract [--tests counts.json] [--out benchmarks/CONTRACT.md]
"""

import argparse
import inspect
import json
import subprocess
import sys
import tempfile
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
COLUMNS = PROPERTIES | {  # with what the tests hold beside it
    "formula": "formula",
    "torch": "as torch",
    "optax": "as optax",
    "optimum": "optimum",
    "all cuts": "all cuts",
}
Counts = dict[str, tuple[int, int]]  # column -> held, of


class Line(NamedTuple):
    """What one optimizer, wrapper or schedule came to."""

    whose: str
    kind: str
    name: str
    counts: Counts
    first: str  # of what failed


def ours(told: Path | None) -> Iterator[Line]:
    """Every optimizer, and every wrapper, as the tests found them."""
    with tempfile.TemporaryDirectory() as folder:
        path = told or tested(Path(folder) / "counts.json")
        rows = json.loads(path.read_text())
    found: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}
    for kind, name, column, held, of in rows:
        counts = found.setdefault((kind, name), {})
        if column in COLUMNS:
            counts[COLUMNS[column]] = (held, of)
    for kind, names in (("optimizer", fo.optim.NAMES), ("wrapper", fo.optim.WRAPPERS)):
        for name in names:
            counts = found.get((kind, name), {})
            yield Line("fnopt", kind, name, counts, ", ".join(c for c, (held, of) in counts.items() if held < of))


def tested(path: Path) -> Path:
    """The file that the tests write; a property that a test broke off on has no count, and pytest names the test."""
    command = ["-m", "pytest", "tests", "-m", "holds", "-p", "no:cacheprovider", "--contract"]
    subprocess.run([sys.executable, *command, str(path)], cwd=Path(__file__).parent.parent, check=False)
    return path


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
    columns = [c for c in dict.fromkeys(COLUMNS.values()) if any(c in some.counts for some in lines)]
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
    parts += [LEGEND]
    groups = list(dict.fromkeys((some.whose, some.kind) for some in lines))
    sums = [total([s for s in lines if (s.whose, s.kind) == group], f"{group[0]} {group[1]}s") for group in groups]
    parts += [table(sums), ""]
    for group in groups:
        some = [s for s in lines if (s.whose, s.kind) == group]
        parts += [f"## {group[0]}: {group[1]}s", "", table(some), ""]
    return "\n".join(parts)


LEGEND = """What fnopt's optimizers and wrappers hold is counted by the tests' run: properties by `fo.check.optimizer`,
through which optax's go too; formula: 300 steps (L-BFGS 30) as a float64 oracle written from the paper takes them, in
float64 and float32; as torch, as optax: their trajectory, where the definitions agree; optimum: convex problems solved
to 1e-5; all cuts: after any step through a file to the same bits, in each wrapper and in none, each under every kind of
schedule. A carry holds with numbers of Python's and with float32 arrays. A derivative holds where it is finite, with a
leaf of zero gradient, and alike in forward and reverse mode: what fnopt misses there is finite, and differs between the
modes by the rounding of Muon's five steps, of compact's moments.
"""


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
    parser.add_argument("--tests", type=Path, help="what `pytest -m holds --contract FILE` wrote; run here if left out")
    asked = parser.parse_args()
    lines: list[Line] = []
    sources = [ours(asked.tests), schedules("fnopt")]
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
