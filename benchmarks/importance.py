"""Which numbers matter in a search of digits: our importances beside Optuna's three evaluators.

python -m benchmarks.importance [n] [epochs]
"""

import sys
import time
import warnings

import jax
import numpy as np

import fnopt as fo

SPACE = dict(
    lr=fo.log_uniform(1e-4, 1e-1),
    b1=fo.when(optimizer="adam", b1=fo.one_minus_log_uniform(0.5, 0.999)),
    l2=fo.log_uniform(1e-6, 1e-1),
    dropout=fo.uniform(0.0, 0.6),
    batch_size=fo.choice(32, 64, 128),
    hidden=fo.choice((32,), (64, 64), (128, 64)),
    optimizer=fo.choice("momentum", "rmsprop", "adam"),
)
BOOTSTRAPS = 200


def main(n: int = 256, epochs: int = 10) -> None:
    """The ranking, how often the learning rate is the first, and what others say of the same scores."""
    train, dev, _ = fo.data.split(fo.data.digits(), (0.6, 0.2, 0.2), key=jax.random.key(0), stratify=True)
    asked = dict(n=n, epochs=epochs, key=jax.random.key(3), objective="dev/accuracy")
    sweep = fo.caviar(fo.classifier(), SPACE, train, dev, **asked)
    start = time.perf_counter()
    found = sweep.importances(bootstraps=BOOTSTRAPS)
    print(f"{sweep}\n\n{found}\n{BOOTSTRAPS} bootstraps in {time.perf_counter() - start:.1f} s")
    print(f"lr is the first in {found.first['lr']:.1%} of them")
    start = time.perf_counter()
    sweep.importances(bootstraps=0)
    print(f"without bootstraps {time.perf_counter() - start:.3f} s")
    for name, shares in optunas(sweep).items():
        ranked = sorted(shares, key=shares.__getitem__, reverse=True)
        print(f"{name:<24}{', '.join(f'{x} {shares[x]:.1%}' for x in ranked)}")


def optunas(sweep: fo.Sweep) -> dict[str, dict[str, float]]:
    """What Optuna's evaluators say; fANOVA and mean decrease of impurity want every name in every trial."""
    import optuna
    from optuna import importance

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    study = optuna.create_study(direction="maximize")
    usual = dict(fo.optim.adam.numbers._field_defaults)
    kinds = {
        "lr": optuna.distributions.FloatDistribution(1e-4, 1e-1, log=True),
        "b1": optuna.distributions.FloatDistribution(0.5, 0.999),
        "l2": optuna.distributions.FloatDistribution(1e-6, 1e-1, log=True),
        "dropout": optuna.distributions.FloatDistribution(0.0, 0.6),
        "batch_size": optuna.distributions.CategoricalDistribution((32, 64, 128)),
        "hidden": optuna.distributions.CategoricalDistribution(("32", "64-64", "128-64")),
        "optimizer": optuna.distributions.CategoricalDistribution(("momentum", "rmsprop", "adam")),
    }
    for row in sweep.table():
        if np.isfinite(row["score"]):
            params = {name: usual["b1"] if row[name] is None else row[name] for name in kinds}
            study.add_trial(optuna.trial.create_trial(params=params, distributions=kinds, value=row["score"]))
    evaluators = dict(
        fanova=importance.FanovaImportanceEvaluator(seed=0),
        mean_decrease_impurity=importance.MeanDecreaseImpurityImportanceEvaluator(seed=0),
        ped_anova=importance.PedAnovaImportanceEvaluator(),
    )
    return {name: importance.get_param_importances(study, evaluator=one) for name, one in evaluators.items()}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
