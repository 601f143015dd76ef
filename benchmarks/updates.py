"""One update of every optimizer, against optax's: milliseconds, bytes and compile time.

Twice against optax's: as its users have it, with numbers that are constants of the program, and with each number traced
that can be (``inject_hyperparams``), as all of ours are. Each is one compiled program that is given its state for good
(donated) and returns the new one. The gradient is drawn once. Contestants take turns; the ratio is the median over the
rounds.

python -m benchmarks --only updates
"""

import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import fnopt as fo
from benchmarks import machine, peers
from benchmarks.clock import interleaved, ratio, spread
from benchmarks.table import Row

TITLE = "updates: ms an update, later calls; ratio: our time over optax's, the median of the rounds' ratios"
QUICK_NAMES = ("sgd", "adam", "lion")
ROUNDS, TARGET = 7, 0.05  # rounds; seconds that a timed call lasts, by repeating the update
CLOSE, ROUNDING = 1e-4, 2.0**-24  # what the first steps may differ by: of their length, and of the parameters
DEAR = {"muon": 2_000_000}  # parameters above which an optimizer's own matrix products take too long for a table


class Cell(NamedTuple):
    """How many parameters, in how many leaves, over how many lanes."""

    parameters: int
    leaves: int
    lanes: int = 1


FULL = (*(Cell(1_000_000, k) for k in (2, 20, 200)), *(Cell(25_000_000, k) for k in (2, 20, 200)))
VMAPPED = (Cell(1_000_000, 2, 64), Cell(1_000_000, 20, 64))
QUICK = (Cell(1_000_000, 2), Cell(1_000_000, 20), Cell(1_000_000, 2, 64))


def run(quick: bool) -> Iterator[Row]:
    """One row an optimizer and cell; needs optax."""
    if lack := peers.missing("optax_update"):
        yield dict(note=f"skipped: {', '.join(lack)} is not installed")
        return
    for cell in QUICK if quick else (*FULL, *VMAPPED):
        for name in QUICK_NAMES if quick else peers.load("optax_update").SAME:
            if cell.parameters <= DEAR.get(name, cell.parameters):
                yield race(name, cell)


def race(name: str, cell: Cell) -> Row:
    """Both, in turn."""
    peer, optimizer = peers.load("optax_update"), fo.optim.by_name(name)
    theirs, traced, numbers = peer.plain(name), peer.traced(name), peer.SAME[name][-1]
    params, grads = drawn(cell, 0), drawn(cell, 1)

    def begin(p: Any) -> Any:
        return optimizer.init(p, lr=peer.LR, **numbers)

    def update(state: Any, g: Any) -> Any:
        return optimizer.update(state, g)

    several = (lambda f: jax.vmap(f)) if cell.lanes > 1 else (lambda f: f)
    ours = Contestant(several(update), (jax.jit(several(begin))(params),), grads, lambda s: s[0].params)

    def of_optax(transformation: Any) -> "Contestant":
        memory = jax.jit(several(transformation.init))(params)
        return Contestant(several(peer.step(transformation)), (params, memory), grads, lambda s: s[0])

    racing = {"ours": ours, "optax": of_optax(theirs), **({"traced": of_optax(traced)} if traced else {})}
    first = {who: contestant.once() for who, contestant in racing.items()}
    leaves = [
        (jnp.linalg.norm(a - b), jnp.linalg.norm(a - p), jnp.linalg.norm(p))
        for who in racing
        for a, b, p in zip(*map(jax.tree.leaves, (first["ours"], first[who], params)), strict=True)
    ]
    apart = max(float(off / step) for off, step, _ in leaves)
    agree = all(off <= CLOSE * step + ROUNDING * size for off, step, size in leaves)
    repeats = max(1, int(TARGET / max(ours.took, 1e-6)))
    turns = {who: contestant.turn(repeats) for who, contestant in racing.items()}
    _, times = interleaved(turns, ROUNDS, slow=float("inf"))
    each = {who: [t / repeats for t in taken] for who, taken in times.items()}
    ms = {who: statistics.median(some) * 1e3 for who, some in each.items()}
    least = 4 * (2 * ours.count(ours.state[0].memory) + 3 * cell.parameters)
    return dict(
        who=name,
        parameters=cell.parameters,
        leaves=cell.leaves,
        lanes=cell.lanes,
        ms=ms["ours"],
        optax_ms=ms["optax"],
        ratio=ratio(each["ours"], each["optax"]),
        traced=ratio(each["ours"], each["traced"]) if traced else None,  # over optax's with its numbers traced
        spread=spread(each["ours"]),
        compile_s=ours.compiling,
        optax_compile_s=racing["optax"].compiling,
        traced_compile_s=racing["traced"].compiling if traced else None,
        least_bytes=least / cell.parameters,
        bytes=ours.bytes / cell.parameters,
        optax_bytes=racing["optax"].bytes / cell.parameters,
        bandwidth=least / (ms["ours"] * 1e-3) / machine.copy_rate(),
        apart=apart,  # of the first step, relative to its length
        ok=agree or name in peer.DIFFERENT,
    )


class Contestant:
    """A compiled update and the state that it is on."""

    def __init__(self, update: Callable[..., Any], state: tuple[Any, ...], grads: Any, params: Callable[[Any], Any]):
        self.state, self.grads, self.params = jax.tree.map(jnp.array, state), grads, params
        donated = tuple(range(len(state)))
        start = time.perf_counter()
        self.program = jax.jit(update, donate_argnums=donated).lower(*self.state, grads).compile()
        self.compiling = time.perf_counter() - start
        costs = self.program.cost_analysis()
        self.bytes = float((costs[0] if isinstance(costs, list) else costs).get("bytes accessed", float("nan")))

    def once(self) -> Any:
        """The parameters after the first update, copied; the second one tells how long it takes."""
        self._step()
        first = jax.tree.map(jnp.array, self.params(self.state))
        start = time.perf_counter()
        self._step()
        self.took = time.perf_counter() - start
        return first

    def _step(self) -> None:
        made = self.program(*self.state, self.grads)
        self.state = jax.block_until_ready(made if len(self.state) > 1 else (made,))

    def turn(self, repeats: int) -> Callable[[int], None]:
        """So many updates, one after another."""

        def call(k: int) -> None:
            for _ in range(repeats):
                self._step()

        return call

    @staticmethod
    def count(tree: Any) -> int:
        """Numbers in a tree."""
        return sum(leaf.size for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.floating))


def drawn(cell: Cell, seed: int) -> dict[str, Any]:
    """Leaves that are as square as can be, with a leading axis of lanes where there are several."""
    size = cell.parameters // cell.leaves // cell.lanes
    rows = max(int(size**0.5), 1)
    rng = np.random.default_rng(seed)
    shape = (rows, size // rows) if cell.lanes == 1 else (cell.lanes, rows, size // rows)
    return {f"leaf_{k:03d}": jnp.asarray(rng.standard_normal(shape, np.float32)) for k in range(cell.leaves)}
