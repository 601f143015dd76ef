"""caviar: the same bits alone or among many, prefix, traces, merging, stores, replays, refits, bad input."""

import csv
import json
import subprocess
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnopt as fo
from fnopt._compile import TRACES
from fnopt.run.store import curves_csv, table_csv

KEY = jax.random.key(3)
MODEL = fo.classifier()
SPACE = dict(
    lr=fo.log_uniform(1e-3, 1e-1),
    b1=fo.when(optimizer="adam", b1=fo.one_minus_log_uniform(0.5, 0.999)),
    l2=fo.log_uniform(1e-6, 1e-2),
    dropout=fo.uniform(0.0, 0.6),
    batch_size=fo.choice(16, 32),
    hidden=8,
    optimizer=fo.choice("momentum", "adam"),
)


def parts(m=150, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, m).astype(np.int32)
    x = rng.normal(size=(m, 4)).astype(np.float32) + np.eye(3, 4, dtype=np.float32)[y]
    return fo.data.split(fo.data.dataset(x, y), (0.6, 0.4), key=jax.random.key(seed))


TRAIN, DEV = parts()


def sweep_of(n, **options):
    options = {"epochs": 3, "key": KEY, **options}
    return fo.caviar(MODEL, options.pop("space", SPACE), *options.pop("data", (TRAIN, DEV)), n=n, **options)


@pytest.fixture(scope="module")
def ten():
    return sweep_of(10)


def digests(sweep):
    return {k[:2]: r.digest for k, r in sorted(sweep.kept.lanes.items())}


def curves(sweep, config):
    return jax.tree.leaves(sweep.lanes(config)[0].history)


@pytest.mark.parametrize("n", [1, 37])
def test_bits_do_not_depend_on_how_many_are_trained(ten, n):
    """Contract "bits" and "prefix": the common configurations have the same weights and curves, to the bit."""
    other = sweep_of(n)
    for i in range(min(n, 10)):
        assert digests(other)[i, 0] == digests(ten)[i, 0]
        assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(curves(other, i), curves(ten, i), strict=True))


@pytest.mark.parametrize("config", [0, 5, 9])
def test_replay_gives_the_same_bits(ten, config):
    run = ten.replay(config)
    recorded = ten.lanes(config)[0]
    assert run.going.result.digest == recorded.digest
    pairs = zip(jax.tree.leaves(run.history), curves(ten, config), strict=True)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)
    assert run.scores == recorded.scores


def test_a_wrong_replay_would_be_noticed(ten):
    """The comparison that replay makes is a real one: with an altered record it raises."""
    recorded = ten.kept.lanes[2, 0, 0]
    ten.kept.lanes[2, 0, 0] = recorded._replace(digest="0" * 64)
    try:
        with pytest.raises(RuntimeError, match="other bits"):
            ten.replay(2)
    finally:
        ten.kept.lanes[2, 0, 0] = recorded


def test_threads_do_not_change_the_results(ten):
    assert digests(sweep_of(10, threads=1)) == digests(ten) == digests(sweep_of(10, threads=3))


def test_bits_survive_diverging_neighbours():
    """A lane's neighbours in its chunk turn NaN at once; its own bits stay."""
    space = {**SPACE, "optimizer": "momentum", "batch_size": 16, "b1": None}
    space.pop("b1")
    alone = sweep_of(1, space={**space, "lr": 0.05, "l2": 1e-4, "dropout": 0.1})
    mixed = sweep_of(
        None, search="grid", space={**space, "lr": fo.choice(0.05, 1e30, 1e25, 1e20), "l2": 1e-4, "dropout": 0.1}
    )
    rows = mixed.table()
    assert [row["status"] for row in rows] == ["done", "diverged", "diverged", "diverged"]
    assert all("not finite at step" in row["why"] for row in rows[1:])
    assert digests(mixed)[0, 0] == digests(alone)[0, 0]
    assert mixed.best.config == 0 and mixed.ranking()[-1].status == "diverged"


def test_seeds_share_nothing_and_are_averaged():
    sweep = sweep_of(3, seeds=3)
    assert len(set(digests(sweep).values())) == 9
    row = sweep.table()[1]
    scores = [r.scores["dev"]["accuracy"] for r in sweep.lanes(1)]
    assert row["score"] == pytest.approx(np.mean(scores))
    assert row["standard_error"] == pytest.approx(np.std(scores, ddof=1) / np.sqrt(3))
    assert sweep.replay(1, seed=2).going.result.digest == digests(sweep)[1, 2]


def test_a_second_sweep_compiles_nothing(ten):
    """Other values of the data, another key, other bounds: no trace at all."""
    before = TRACES.copy()
    space = {**SPACE, "lr": fo.log_uniform(1e-2, 1.0), "dropout": fo.uniform(0.1, 0.2)}
    sweep_of(10, space=space, data=parts(seed=5), key=jax.random.key(77), epochs=5)
    assert TRACES - before == {}


def test_merged_structures_agree_with_their_own_programs(ten):
    """One program for both optimizers and batch sizes gives what fit gives with each structure's own, to rounding."""
    assert len({entry.program.trial for entry in ten.entries}) == 1
    for i in (0, 1, 2, 3):
        config = {**ten.configs[i], "dropout": None}
        space = {name: value for name, value in config.items() if value is not None}
        optimizer, size = fo.choice(config["optimizer"], "sgd"), fo.choice(config["batch_size"], 20)
        several = {**space, "optimizer": optimizer, "batch_size": size}
        merged = fo.caviar(MODEL, several, TRAIN, DEV, search="grid", epochs=3, key=KEY)
        own = fo.fit(MODEL, TRAIN, DEV, hyper=space, epochs=3, key=jax.random.fold_in(jax.random.fold_in(KEY, 1), 0))
        run = merged.replay(0)
        assert merged.configs[0]["optimizer"] == config["optimizer"]
        for a, b in zip(jax.tree.leaves(run.params), jax.tree.leaves(own.params), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-5)
        np.testing.assert_allclose(run.history["dev"]["loss"], own.history["dev"]["loss"], rtol=1e-4)


def test_a_replayed_run_goes_on(ten):
    longer = sweep_of(10, epochs=5)
    assert ten.replay(4).more(epochs=2).going.result.digest == digests(longer)[4, 0]


def test_early_stopping_is_one_per_configuration():
    sweep = sweep_of(8, epochs=20, stop=fo.early_stopping(patience=2))
    epochs = {row["epochs"] for row in sweep.table()}
    assert len(epochs) > 1 and "stopped" in {row["status"] for row in sweep.table()}
    for i in range(8):
        lane = sweep.lanes(i)[0]
        assert lane.scores["dev"]["accuracy"] == max(lane.history["dev"]["accuracy"])
        assert lane.epochs == len(lane.history["cost"])
    assert sweep.replay(3).going.result.digest == digests(sweep)[3, 0]


def test_table_rows_are_configurations(ten):
    rows = ten.table()
    assert [row["config"] for row in rows] == list(range(10))
    assert {row["optimizer"] for row in rows} == {"adam", "momentum"}
    for row in rows:
        assert (row["b1"] is None) == (row["optimizer"] == "momentum")
        assert row["score"] == row["dev/accuracy"]
    best = max(rows, key=lambda row: (row["score"], -row["dev/loss"]))
    assert ten.best.config == best["config"] and ten.best.score == best["score"]
    assert "dev/accuracy" in str(ten) and "chunk" in str(ten.plan)


def test_fit_takes_the_best_configuration_and_refit_trains_it_on_all(ten):
    assert fo.fit(MODEL, TRAIN, DEV, hyper=ten.best.hyper, epochs=1).hyper["lr"] == ten.best.hyper["lr"]
    model = ten.refit(TRAIN, DEV)
    assert model.going.work.folds[0].train.rows == len(TRAIN) + len(DEV)
    each = -(-len(TRAIN) // model.hyper["batch_size"]), -(-(len(TRAIN) + len(DEV)) // model.hyper["batch_size"])
    assert model.epochs == round(3 * each[0] / each[1])  # the updates of the tuned run
    assert set(model.evaluate(DEV)) > {"loss", "accuracy", "f1"}


def test_weights_of_the_best_ten_are_kept():
    sweep = sweep_of(37)
    kept = {config for (config, *_), r in sweep.kept.lanes.items() if r.params is not None}
    assert kept == {s.config for s in sweep.ranking()[:10]}


def test_a_sweep_without_dev_ranks_on_train():
    sweep = fo.caviar(MODEL, dict(lr=fo.log_uniform(1e-3, 1e-1), hidden=4), TRAIN, n=2, epochs=1)
    assert sweep.objective == "train/accuracy"


def test_folder_is_opened_in_another_process_and_replays(tmp_path, ten):
    path = tmp_path / "runs" / "blobs"
    sweep_of(10, path=path)
    assert sorted(p.name for p in path.iterdir() if p.suffix != ".bin") == [
        ".lock", "curves.csv", "data.npz", "results.csv", "sweep.json",
    ]  # fmt: skip
    code = (
        "import sys, fnopt as fo\n"
        "s = fo.open(sys.argv[1])\n"
        "for i in (0, 5, 9): print(s.replay(i).going.result.digest)\n"
        "print(s.best.config)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    ).stdout.split()
    assert out == [*(digests(ten)[i, 0] for i in (0, 5, 9)), str(ten.best.config)]


def test_files_hold_no_times_and_no_paths_and_are_equal(tmp_path, ten):
    for name in ("a", "b"):
        sweep_of(10, path=tmp_path / name)
    for file in ("results.csv", "curves.csv", "sweep.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert (tmp_path / "a" / "results.csv").read_text() == table_csv(ten.table())
    assert (tmp_path / "a" / "curves.csv").read_text() == curves_csv(ten)
    with open(tmp_path / "a" / "results.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    assert np.float32(rows[3]["lr"]) == ten.configs[3]["lr"] and rows[0].keys() == ten.table()[0].keys()
    assert str(tmp_path) not in (tmp_path / "a" / "sweep.json").read_text()


def test_opened_sweep_is_the_sweep(tmp_path, ten):
    sweep_of(10, path=tmp_path / "s")
    again = fo.open(tmp_path / "s")
    assert str(again) == str(ten) and table_csv(again.table()) == table_csv(ten.table())
    assert digests(again) == digests(ten)
    assert sweep_of(10, path=tmp_path / "s").best == ten.best, "the same call again gives what stands there"


def test_folder_of_another_sweep_is_left_alone(tmp_path):
    sweep_of(2, path=tmp_path / "s")
    before = {p.name: p.read_bytes() for p in (tmp_path / "s").iterdir()}
    with pytest.raises(ValueError, match=r"holds another sweep: epochs \d+ → 4\. Choose"):
        sweep_of(2, epochs=4, path=tmp_path / "s")
    with pytest.raises(ValueError, match="holds 2 configurations of this sweep, n=1 asks for fewer"):
        sweep_of(1, path=tmp_path / "s")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="something else"):
        sweep_of(2, path=tmp_path / "other")
    assert {p.name: p.read_bytes() for p in (tmp_path / "s").iterdir()} == before
    assert [p.name for p in (tmp_path / "other").iterdir()] == ["notes.txt"]


def test_altered_folders_are_named(tmp_path):
    sweep_of(2, path=tmp_path / "s")
    data = tmp_path / "s" / "data.npz"
    whole = data.read_bytes()
    at = whole.index(np.asarray(TRAIN.x).tobytes()[:64])
    data.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    with pytest.raises(ValueError, match=r"data\.npz"):
        fo.open(tmp_path / "s")
    data.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"data\.npz"):
        fo.open(tmp_path / "s")
    data.write_bytes(whole)
    asked = (tmp_path / "s" / "sweep.json").read_text()
    (tmp_path / "s" / "sweep.json").write_text(asked.replace('"epochs": 3', '"epochs": 4'))
    with pytest.raises(ValueError, match=r"sweep\.json.*altered"):
        fo.open(tmp_path / "s")
    (tmp_path / "s" / "sweep.json").write_text(asked)
    for state in (tmp_path / "s").glob("*.bin"):
        state.write_bytes(state.read_bytes()[:-1])
    with pytest.raises(ValueError, match="checkpoint"):
        fo.open(tmp_path / "s")
    with pytest.raises(FileNotFoundError):
        fo.open(tmp_path / "nothing")


def test_nothing_half_written_when_the_call_is_wrong(tmp_path):
    with pytest.raises(ValueError, match="`lr` must be in"):
        sweep_of(2, space={"lr": fo.uniform(-1.0, -0.5)}, path=tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


def test_schedules_and_tuples_are_searched_and_stored(tmp_path):
    space = dict(
        lr=fo.schedules.cosine(peak=fo.log_uniform(1e-3, 1e-1), steps=20),
        dropout=(fo.uniform(0.0, 0.5), 0.1),
        hidden=(6, 6),
    )
    sweep = fo.caviar(MODEL, space, TRAIN, DEV, n=2, epochs=2, key=KEY, path=tmp_path / "s")
    row = sweep.table()[0]
    assert 1e-3 <= row["lr.peak"] <= 1e-1 and 0 <= row["dropout.0"] <= 0.5 and row["dropout.1"] == pytest.approx(0.1)
    assert fo.open(tmp_path / "s").replay(1).going.result.digest == digests(sweep)[1, 0]


def test_interrupted_sweep_keeps_what_is_done():
    class Impatient:
        said = False

        def start(self, lanes, epochs): ...
        def tick(self, epochs):
            time.sleep(0.02)

        def done(self, results):
            import _thread

            if not self.said:  # a second Ctrl-C would end the test run itself
                self.said = True
                _thread.interrupt_main()

    sweep = sweep_of(60, progress=Impatient(), threads=1)
    statuses = [row["status"] for row in sweep.table()]
    assert not sweep.finished and "done" in statuses and "not run" in statuses
    assert sweep.ranking()[-1].status == "not run"


BAD = {
    "number nobody has": (dict(space=dict(b1=fo.uniform(0.1, 0.9), optimizer="sgd")), "no structure of this space"),
    "unknown": (dict(space=dict(learning_rate=0.1)), "unknown name 'learning_rate'"),
    "n": (dict(n=0), "`n`"),
    "seeds": (dict(seeds=0), "`seeds`"),
    "beta": (dict(space=dict(b1=fo.uniform(0.5, 1.5))), r"`b1` must be in \[0, 1\)"),
    "objective": (dict(objective="dev/acuracy"), "did you mean 'accuracy'"),
    "search": (dict(search="hyperband"), "unknown search"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_sweeps_say_what_to_write(name):
    options, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        sweep_of(**{"n": 40, **options})


def test_a_small_sample_may_miss_a_structure():
    """b1 exists under adam alone; a first configuration under momentum is no mistake."""
    for seed in range(4):
        sweep_of(1, key=jax.random.key(seed), epochs=1)


def test_refit_joins_labels_by_what_they_stand_for():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2)).astype(np.float32)
    text = np.where(x[:, 0] > 0, "pos", "neg")
    train = fo.data.dataset(x[:80], text[:80])
    dev = fo.data.dataset(x[80:], (text[80:] == "neg").astype(np.int32), classes=("pos", "neg"))
    sweep = fo.caviar(fo.classifier(hidden=4), dict(lr=0.05), train, dev, n=1, epochs=15, key=KEY)
    model = sweep.refit()
    assert sweep.best.score > 0.9
    assert model.evaluate(train)["accuracy"] > 0.9 and model.evaluate(dev)["accuracy"] > 0.9


def test_a_replayed_run_saves_the_whole_structure(tmp_path):
    pytest.importorskip("safetensors")
    model = fo.classifier(activation="tanh", init="glorot")
    space = dict(lr=0.05, hidden=fo.choice((5,), (6,)))
    run = fo.caviar(model, space, TRAIN, DEV, n=1, epochs=2, key=KEY).replay(0)
    again = fo.load(run.save(tmp_path / "m.safetensors"))
    assert np.array_equal(again.predict_proba(DEV.x), run.predict_proba(DEV.x))


def test_schedules_that_count_epochs_have_the_course_of_the_tuned_run_in_refit():
    space = dict(lr=fo.schedules.exponential(0.1, 0.5).every(), hidden=4, batch_size=16)
    model = fo.caviar(MODEL, space, TRAIN, DEV, n=1, epochs=3, key=KEY).refit()
    np.testing.assert_allclose(model.history["lr"], [0.05, 0.025], rtol=1e-5)  # as many updates in fewer epochs


def test_best_weights_are_kept_for_all_seeds():
    sweep = sweep_of(13, seeds=2, epochs=1)
    kept = {k[:2] for k, r in sweep.kept.lanes.items() if r.params is not None}
    assert kept == {(s.config, seed) for s in sweep.ranking()[:10] for seed in range(2)}
    assert all(row["why"] == "" for row in sweep.table())


def test_when_looks_at_the_model_too_and_refuses_what_never_holds():
    b1 = fo.one_minus_log_uniform(0.5, 0.999)
    sweep = fo.caviar(MODEL, dict(hidden=8, b1=fo.when(optimizer="adam", b1=b1)), TRAIN, DEV, n=2, epochs=1)
    assert all(0.5 <= row["b1"] <= 0.999 for row in sweep.table())
    for given, message in ((dict(optimiser="adam"), "did you mean 'optimizer'"), (dict(optimizer="adm"), "never hold")):
        with pytest.raises(ValueError, match=message):
            fo.caviar(MODEL, dict(b1=fo.when(**given, b1=b1)), TRAIN, DEV, n=2, epochs=1)


def test_a_mistake_in_a_function_leaves_no_folder(tmp_path):
    def mean_loss(params, stats, batch, hyper, key, train):
        return jnp.mean((batch.x @ params) ** 2), stats

    model = fo.supervised(lambda key, e, hyper: (jnp.ones(4), ()), mean_loss, lambda p, s, x, h: x @ p, task="values")
    with pytest.raises(ValueError, match="one value an example"):
        fo.caviar(model, dict(lr=0.1), TRAIN, n=1, epochs=1, path=tmp_path / "s")
    assert list(tmp_path.iterdir()) == []


def test_numpy_numbers_are_numbers(tmp_path):
    space = dict(hidden=np.int64(4), batch_size=fo.choice(*np.array([16, 32])))
    model = fo.classifier(class_weight={np.int64(0): 2.0})
    fo.caviar(model, space, TRAIN, DEV, n=np.int64(2), epochs=np.int64(1), path=tmp_path / "s")
    assert fo.open(tmp_path / "s").n == 2


def test_manifest_is_plain_json(tmp_path):
    sweep_of(2, path=tmp_path / "s", stop=fo.early_stopping(patience=1))
    asked = json.loads((tmp_path / "s" / "sweep.json").read_text())
    assert asked["format"] == 5 and asked["fingerprint"]["jax"] == jax.__version__
    assert asked["stop"] == ["early_stopping", [1.0, 0.0]] and len(asked["configs"]) == 2
    assert set(asked["versions"]) == {"fnopt", "python", "jax", "jaxlib", "numpy"}


def test_family_state_is_each_members_own():
    """Through the shared state each optimizer takes its own steps, to the bit."""
    from fnopt.optim.family import Family, fits

    members = (fo.optim.sgd, fo.optim.momentum, fo.optim.rmsprop, fo.optim.adam)
    params = {"w": jnp.ones((2, 3)), "b": jnp.zeros(3)}
    assert fits(members, params)
    family = Family(members)
    grads = jax.tree.map(lambda p: p * 0.3 + 0.1, params)
    for k, member in enumerate(members):
        numbers = member.init(params, lr=0.05).hyper._asdict()
        given = {name: numbers.get(name, 0.5) for name in family.numbers._fields}
        shared, own = family.at(jnp.asarray(k)).init(params, **given), member.init(params, **numbers)
        for _ in range(3):
            shared = jax.jit(lambda s, k=k: family.at(jnp.asarray(k)).update(s, grads))(shared)
            own = jax.jit(member.update)(own, grads)
        for a, b in zip(jax.tree.leaves(shared.params), jax.tree.leaves(own.params), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_rule_pays_for_no_scores_that_it_does_not_read(monkeypatch):
    """The training part is scored where training ends; at a rung only if it decides there. A replay scores it."""
    from fnopt.sweep import chunk

    train, dev = parts()
    space, rule, asked = dict(lr=fo.log_uniform(1e-4, 1e-1)), fo.halving(eta=2, min_epochs=1), []
    real = chunk.When
    monkeypatch.setattr(chunk, "When", lambda **when: asked.append(int(when["last"])) or real(**when))
    sweep = fo.caviar(MODEL, space, train, dev, n=4, epochs=4, stop=rule, key=KEY)
    assert {*asked} == {0, 4}  # nowhere at the rungs, and at the end
    for row in sweep.table():
        (lane,) = sweep.lanes(row["config"])
        scored = np.isfinite(lane.history["train"]["loss"])
        assert np.isfinite(lane.history["dev"]["loss"]).all() and np.isfinite(row["dev/loss"])
        assert scored.tolist() == [False] * (lane.epochs - 1) + [row["status"] == "done"]
        assert np.isfinite(row["train/loss"]) == (row["status"] == "done")
        assert np.isfinite(sweep.replay(row["config"]).scores["train"]["loss"])
    by_train = dict(objective="train/loss", train_every=0, stop=rule, key=KEY)
    sweep = fo.caviar(MODEL, space, train, dev, n=4, epochs=4, **by_train)
    assert sorted(row["epochs"] for row in sweep.table()) == [1, 1, 2, 4]
    assert all(np.isfinite(row["train/loss"]) for row in sweep.table())
    assert fo.check.lane_identity(sweep).passed
