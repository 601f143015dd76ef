"""What halving and diverged lanes cost: time against live lane-steps, occupancy, programs compiled.

python -m benchmarks.rungs
"""

import time

import jax

import fnopt as fo
from fnopt._compile import TRACES

SPACE = dict(lr=fo.log_uniform(1e-4, 1e-1), l2=fo.log_uniform(1e-6, 1e-2), batch_size=64, optimizer="adam")
MODEL = fo.classifier(hidden=(64, 64))
ROUNDS = 5


def main() -> None:
    """256 → 16 by halving against all 256 in full; then 30 % NaN lanes against none; rounds in turn, medians."""
    train, dev, _ = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    print("jax", jax.__version__, "on", fo.sweep.fingerprint()["device"])

    def sweep(space=SPACE, **options):  # type: ignore[no-untyped-def]
        start = time.perf_counter()
        made = fo.caviar(MODEL, space, train, dev, epochs=32, key=jax.random.key(1), **{"n": 256, **options})
        return made, time.perf_counter() - start

    rule = fo.halving(eta=2, min_epochs=2)
    sweep(n=8)
    ratios, traces = [], TRACES["advance"]
    for _ in range(ROUNDS):
        (full, whole), (halved, part) = sweep(), sweep(stop=rule)
        share = halved.plan.live / full.plan.live
        ratios.append(part / (whole * share))
    survivors = sum(row["status"] == "done" for row in halved.table())
    alive = {at: r.digest for at, r in halved.kept.lanes.items() if r.status == "done"}
    same = all(full.kept.lanes[at].digest == mine for at, mine in alive.items())
    print(
        f"halving 256 → {survivors}: {share:.1%} of the lane-steps, time {median(ratios):.2f} × (live lane-steps × "
        f"cost of a lane-step in full), occupancy {halved.plan.occupancy:.3f}, {TRACES['advance'] - traces} programs "
        f"compiled after the first; survivors bit-equal to the full sweep: {same}"
    )
    asynchronous, _ = sweep(stop=fo.asynchronous_halving(eta=2, min_epochs=2))
    print(f"asynchronous halving, refilled from the queue: occupancy {asynchronous.plan.occupancy:.3f}")
    sick = {**SPACE, "lr": fo.choice(*[10 ** (-3 + k / 50) if k % 10 < 7 else 1e30 + k * 1e25 for k in range(100)])}
    well = {**SPACE, "lr": fo.choice(*[10 ** (-3 + k / 50) for k in range(100) if k % 10 < 7])}
    ratios = []
    for _ in range(ROUNDS):
        (bad, with_nan), (good, without) = sweep(sick, n=None, search="grid"), sweep(well, n=None, search="grid")
        ratios.append(with_nan / without)
    lost = [row for row in bad.table() if row["status"] == "diverged"]
    healthy = [r.digest for _, r in sorted(bad.kept.lanes.items()) if r.status == "done"]
    same = healthy == [r.digest for _, r in sorted(good.kept.lanes.items())]
    print(
        f"30 % of {bad.n} lanes NaN from the first step: time {median(ratios):.2f} × that of the others alone, "
        f"occupancy {bad.plan.occupancy:.3f}; {len(lost)} listed, as in {lost[0]['why']!r}; neighbours bit-equal: "
        f"{same}"
    )


def median(values: list[float]) -> float:
    """The middle one."""
    return sorted(values)[len(values) // 2]


if __name__ == "__main__":
    main()
