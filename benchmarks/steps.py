"""Microseconds a lane-step: one Adam update of one configuration of a three-layer network, batch 64, digits.

python -m benchmarks --only steps
python -m benchmarks.steps [widths] [lanes] [peers]      # some cells, as in 16,64,256 32,256 optax_vmap
"""

import math
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np

import fnopt as fo
from benchmarks import machine, peers
from benchmarks.agreement import apart, one_step, same_losses, ten_steps
from benchmarks.clock import interleaved, ratio, spread
from benchmarks.peers import Train
from benchmarks.problem import BATCH, Problem, digits, draw, losses
from benchmarks.table import Row, show

TITLE = "steps: µs a lane-step, later calls; ratio: a peer's time over ours, the median of the rounds' ratios"
PEERS = ("optax_vmap", "optax_loop", "torch_func", "torch_loop", "sklearn_mlp")
WIDTHS, LANES = (16, 64, 256, 1024), (1, 32, 256, 1024, 4096)
QUICK_WIDTHS, QUICK_LANES = (16, 64, 256), (32, 256)
ROWS, QUICK_ROWS = 1024, 256  # of the data
LEAST_STEPS, MOST_STEPS = 192, 1600  # of a lane in one call: it also begins, is scored and gives its result
ROUNDS = 5
SPACE = dict(lr=fo.log_uniform(1e-4, 1e-2))


def run(quick: bool) -> Iterator[Row]:
    """The optimizer checks, then one row a contestant and cell of the grid."""
    yield from (one_step(), ten_steps())
    yield from cells(QUICK_WIDTHS if quick else WIDTHS, QUICK_LANES if quick else LANES, PEERS, quick)


def cells(widths: Sequence[int], many: Sequence[int], who: Sequence[str], quick: bool) -> Iterator[Row]:
    """The races of a grid, then by how much the peers that train side by side are slower over all of it."""
    x, y, dev = digits(QUICK_ROWS if quick else ROWS)
    ratios: dict[str, list[float]] = {}
    for width in widths:
        for lanes in many:
            problem = sized(Problem(x, y, width, lanes, 1, 1, dev), quick)
            if problem is None:
                yield dict(width=width, lanes=lanes, note="left out: too long or too large for this machine")
                continue
            for row in race(problem, quick, who):
                ratios.setdefault(row.get("who", ""), []).append(row.get("ratio", math.nan))
                yield row
    for name, found in ratios.items():
        if name.startswith("optax_vmap"):
            yield dict(who=name, ratio=statistics.geometric_mean(found), check=f"mean of {len(found)}", ok=True)


def sized(problem: Problem, quick: bool) -> Problem | None:
    """As many epochs as make a call long enough to time; None for a cell that would take too long."""
    rate = machine.matmul_rate() * 0.25  # what a batched small network reaches
    step = (1e-6 if machine.on_gpu() else 1e-5) + problem.flops / rate
    target, limit = (0.3, 1.0) if quick else (5.0, 20.0)  # seconds: of a call, of an epoch
    epoch = problem.lanes * problem.steps * step
    if epoch > limit or problem.lanes * problem.parameters * 4 * 8 > memory():
        return None
    least = 1 if quick else LEAST_STEPS // problem.steps
    epochs = int(np.clip(target / epoch, least, MOST_STEPS // problem.steps))
    few = int(np.clip(target / 2 / (epochs * problem.steps * (step + 3e-4)), 1, min(problem.lanes, 8)))
    return problem._replace(epochs=epochs, few=few)


def memory() -> float:
    """Bytes that a cell may fill: half of the device's, or 4 GiB where it does not tell."""
    stats = jax.devices()[0].memory_stats() or {}
    return stats.get("bytes_limit", 2**33) / 2


def race(problem: Problem, quick: bool, who: Sequence[str] = PEERS) -> Iterator[Row]:
    """All contestants in turn, on the same learning rates; every round draws other ones, and other weights."""
    trainers, words = peers.trainers(who, problem)
    if "optax_vmap" in trainers and not quick:
        scored = partial(peers.load("optax_vmap").trainer, scored=True)
        trainers["optax_vmap+scores"] = scored(problem)
    ours = Ours(problem)
    made: dict[str, dict[int, Callable[[], Any]]] = {name: {} for name in trainers}

    def turn(train: Train, name: str, k: int) -> None:
        made[name][k] = train(ours.draws[k])

    contestants: dict[str, Callable[[int], Any]] = {
        "fnopt": ours.train,
        **{name: partial(turn, train, name) for name, train in trainers.items()},
        "matmul": lambda k: machine.multiply(),
    }
    first, times = interleaved(contestants, ROUNDS, 1.5 if quick else 60, ours.hand_on)
    rates = [machine.MATMULS * machine.MATMUL_FLOPS / t for t in times.pop("matmul")]
    first.pop("matmul")
    found = {name: [losses(problem, get()) for _, get in sorted(rounds.items())] for name, rounds in made.items()}
    for name, taken in times.items():
        lanes = problem.lanes if name == "fnopt" else len(found[name][0])
        each = [t / (lanes * problem.updates) for t in taken]
        theirs = [t / (problem.lanes * problem.updates) for t in times["fnopt"]]
        reached = [problem.flops / t / r for t, r in zip(each, rates, strict=False)]
        yield dict(
            width=problem.width,
            lanes=problem.lanes,
            who=name,
            us=statistics.median(each) * 1e6,
            ratio=ratio(each, theirs),
            spread=spread(each),
            matmul=statistics.median(reached),
            **_bandwidth(problem, each),
            compile_s=max(first[name] - statistics.median(taken), 0.0),  # what the first call took longer
            call_s=statistics.median(taken),
            epochs=problem.epochs,
            timed=lanes,
            rounds=len(taken),
            **(ours.plan() if name == "fnopt" else {}),
            **(ours.check() if name == "fnopt" else same_losses(ours.losses, found[name])),
            apart=_apart(found, name),
        )
    for word in words:
        yield dict(width=problem.width, lanes=problem.lanes, note=word)


def _apart(found: dict[str, Any], name: str) -> float | None:
    """How far a peer's losses are from those of the first, whose weights and orders it had; scikit-learn shuffles."""
    same = name in found and "optax_vmap" in found and name not in ("optax_vmap", "sklearn_mlp")
    return apart(found[name], found["optax_vmap"]) if same else None


def _bandwidth(problem: Problem, each: list[float]) -> dict[str, float]:
    """The share of the GPU's own copy speed, by the estimate of bytes a step."""
    if not machine.on_gpu():
        return {}
    return {"bandwidth": problem.bytes / statistics.median(each) / machine.copy_rate()}


class Ours:
    """``fo.caviar`` as a contestant; it draws the learning rates that the others of the round train with."""

    def __init__(self, problem: Problem):
        self.problem, hidden = problem, (problem.width, problem.width)
        self.data, self.dev = fo.data.dataset(problem.x, problem.y), fo.data.dataset(*problem.dev)
        self.model = fo.classifier(hidden, batch_size=BATCH, standardize=False)
        self.sweeps: dict[int, Any] = {}
        self.draws: dict[int, Any] = {}

    def train(self, k: int) -> None:
        """One sweep, all of it: proposing, training, dev scores each epoch, training scores at the end, ranking."""
        n, epochs, key = self.problem.lanes, self.problem.epochs, jax.random.key(k)
        self.sweeps[k] = fo.caviar(self.model, SPACE, self.data, self.dev, n=n, epochs=epochs, key=key)

    def hand_on(self, name: str, k: int) -> None:
        """After our own turn, outside the clock: what the others train with this round."""
        if name == "fnopt":
            self.draws[k] = draw(self.problem, [row["lr"] for row in self.sweeps[k].table()], k)

    @property
    def losses(self) -> list[np.ndarray]:
        """The training loss of each lane, round by round."""
        return [np.array([row["train/loss"] for row in s.table()]) for _, s in sorted(self.sweeps.items())]

    def plan(self) -> Row:
        """C, and what the last call's plan says of it: the share of lane-epochs of use, and of time on the host."""
        plan = self.sweeps[max(self.sweeps)].plan
        return dict(C=max(plan.lanes), occupancy=plan.occupancy, host=plan.host)

    def check(self) -> Row:
        """No later call compiled a chunk program, and no lane diverged."""
        compiled = sum(s.plan.programs for k, s in self.sweeps.items() if k > 0)
        finite = all(np.isfinite(some).all() for some in self.losses)
        level = float(np.exp(np.mean([np.log(some).mean() for some in self.losses])))
        return dict(loss=level, check=f"{compiled} compiled after the first call", ok=compiled == 0 and finite)


def main(widths: str = "16,64,256", lanes: str = "32,256", who: str = ",".join(PEERS)) -> None:
    """Some cells, at full length."""
    made = []
    for row in cells([*map(int, widths.split(","))], [*map(int, lanes.split(","))], who.split(","), False):
        made.append({name: x for name, x in row.items() if name not in ("check", "compile_s", "rounds", "apart")})
        print(show("", made[-1:]), flush=True)
    print(show(TITLE, made))


if __name__ == "__main__":
    main(*sys.argv[1:])
