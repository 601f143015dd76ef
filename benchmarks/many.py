"""10,000 configurations in one sweep: memory, programs, and the share of proposing.

python -m benchmarks.many
"""

import resource
import time

import jax

import fnopt as fo
from fnopt.sweep.search import propose

SPACE = dict(
    lr=fo.log_uniform(1e-4, 1e-1),
    l2=fo.log_uniform(1e-6, 1e-2),
    hidden=fo.choice((16,), (16, 16)),
    batch_size=32,
    optimizer="adam",
)


def main() -> None:
    """1,000 and then 10,000 configurations of iris, 30 epochs each."""
    train, dev, _ = fo.data.split(fo.data.iris(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    for n in (1_000, 10_000):
        start = time.perf_counter()
        sweep = fo.caviar(fo.classifier(), SPACE, train, dev, n=n, epochs=30, key=jax.random.key(1))
        taken = time.perf_counter() - start
        start = time.perf_counter()
        propose(SPACE, n, jax.random.key(1), "random", fo.classifier().structure)
        proposing = time.perf_counter() - start
        kept = sum(r.params is not None for r in sweep.kept.lanes.values())
        structures = len({tuple(c["hidden"]) for c in sweep.configs})
        print(
            f"{n} configurations: {taken:.1f} s, proposing {proposing / taken:.2%}, {structures} structures, "
            f"{sweep.plan.programs} programs compiled, weights of {kept} kept, peak memory of the process "
            f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB, host {sweep.plan.host:.1%}, "
            f"best {sweep.objective} {sweep.best.score:.4f}"
        )


if __name__ == "__main__":
    main()
