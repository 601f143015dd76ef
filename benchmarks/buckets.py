"""Widths in buckets against a program a width: time with compilation, share of padding, and how near the numbers are.

python -m benchmarks.buckets
"""

import time

import jax
import numpy as np

import fnopt as fo
from fnopt.model.widths import bucket
from fnopt.run import programs

SPACE = dict(lr=fo.log_uniform(1e-3, 1e-2), hidden=fo.integer(17, 64), batch_size=64, optimizer="adam")


def main() -> None:
    """48 configurations of one hidden layer of 17 to 64 units, 20 epochs of digits."""
    train, dev, _ = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    pays = programs._narrowest
    made = {}
    for name, decide in (("buckets", pays), ("a program a width", lambda model, space, least: None)):
        programs._narrowest = decide
        start = time.perf_counter()
        sweep = fo.caviar(fo.classifier(), SPACE, train, dev, n=48, epochs=20, key=jax.random.key(1))
        made[name] = sweep
        print(
            f"{name}: {time.perf_counter() - start:.1f} s, {sweep.plan.programs} programs compiled in "
            f"{sweep.plan.compiling:.1f} s, training {sweep.plan.stepping:.1f} s, "
            f"occupancy {sweep.plan.occupancy:.2f}, wasted {sweep.plan.wasted:.1%}",
            flush=True,
        )
    programs._narrowest = pays
    hidden = [config["hidden"] for config in made["buckets"].configs]
    print(f"padded units: {1 - sum(hidden) / sum(map(bucket, hidden)):.1%} of the buckets'")
    two = [s.lanes(i)[0].history["dev"]["loss"] for s in made.values() for i in range(48)]
    first = [abs(a[0] - b[0]) / b[0] for a, b in zip(two[:48], two[48:], strict=True)]
    print(f"dev loss after one epoch, largest relative difference: {np.max(first):.1e}")
    replayed = made["buckets"].replay(5).going.result.digest
    print("bitwise its own replay:", replayed == made["buckets"].kept.lanes[5, 0, 0].digest)


if __name__ == "__main__":
    main()
