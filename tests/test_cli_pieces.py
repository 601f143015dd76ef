"""The pieces of the command line that train nothing: spaces from TOML, what data are taken for, the doctor."""

import subprocess
import sys
import tomllib
from pathlib import Path

import jax
import numpy as np
import pytest

import fnopt
from fnopt import schedules
from fnopt import space as spaces
from fnopt.cli import doctor, source
from fnopt.cli.spaces import parse, read_space, standard

README = Path(__file__).parent.parent / "README.md"

PARSED = {
    "range": ("lr = {log_uniform = [1e-4, 1e-1]}", {"lr": spaces.log_uniform(1e-4, 1e-1)}),
    "points": ("lr = {uniform = [0, 1], points = 7}", {"lr": spaces.uniform(0, 1, points=7)}),
    "whole numbers": ("steps = {log_integer = [8, 512]}", {"steps": spaces.log_integer(8, 512)}),
    "bell": ("lr = {log_normal = [-3, 1]}", {"lr": spaces.log_normal(-3, 1)}),
    "choice": ("batch_size = {choice = [32, 64]}", {"batch_size": spaces.choice(32, 64)}),
    "choice of widths": ("hidden = {choice = [[32], [64, 64]]}", {"hidden": spaces.choice((32,), (64, 64))}),
    "plain": ('batch_size = 64\nshuffle = true\ninit = "he"', {"batch_size": 64, "shuffle": True, "init": "he"}),
    "plain widths": ("hidden = [64, 64]", {"hidden": (64, 64)}),
    "none": ('norm = {choice = ["none", "batch"]}', {"norm": spaces.choice(None, "batch")}),
    "when": (
        'b1 = {uniform = [0.5, 0.9], when = {optimizer = "adam"}}',
        {"b1": spaces.when(optimizer="adam", b1=spaces.uniform(0.5, 0.9))},
    ),
    "when any of": (
        'b1 = {value = 0.8, when = {optimizer = ["adam", "adamw"]}}',
        {"b1": spaces.when(optimizer=["adam", "adamw"], b1=0.8)},
    ),
    "schedule": (
        'lr = {schedule = "cosine", peak = {log_uniform = [1e-4, 1e-1]}, steps = 900}',
        {"lr": schedules.cosine(peak=spaces.log_uniform(1e-4, 1e-1), steps=900)},
    ),
}


@pytest.mark.parametrize("case", PARSED)
def test_space_from_toml(tmp_path, case):
    content, wanted = PARSED[case]
    (tmp_path / "space.toml").write_text(content)
    assert repr(read_space(tmp_path / "space.toml")) == repr(wanted)
    windows = b"\xef\xbb\xbf" + content.replace("\n", "\r\n").encode()  # as editors of Windows save it
    (tmp_path / "space.toml").write_bytes(windows)
    assert repr(read_space(tmp_path / "space.toml")) == repr(wanted)


def test_the_readmes_space_is_a_space():
    text = README.read_text(encoding="utf-8").split("<!-- space -->\n```toml\n", 1)[1].split("```", 1)[0]
    space = parse(tomllib.loads(text))
    assert repr(space["b1"]) == repr(standard("classes", 30)["b1"])
    assert space["batch_size"] == 64


def test_the_readmes_tour_runs(capsys):
    names = {}
    for block in ("tour", "scores"):
        text = README.read_text(encoding="utf-8").split(f"<!-- {block} -->\n```python\n", 1)[1].split("```", 1)[0]
        exec(compile(text, "README.md", "exec"), names)
    assert names["sweep"].curves("dev/f1_macro").shape == (4, 1, 1, 3)
    assert {leaf.shape[0] for leaf in jax.tree.leaves(names["states"].params)} == {32}
    assert "ranked by dev/accuracy" in capsys.readouterr().out


TASKS = {
    "labels of text": ("u", None, "classes"),
    "few whole numbers": (1, None, "classes"),
    "whole numbers told to be values": (1, "values", "values"),
    "fractions": (0.5, None, "values"),
}


@pytest.mark.parametrize("case", TASKS)
def test_the_task_is_recognised_or_told(tmp_path, capsys, case):
    first, told, wanted = TASKS[case]
    cells = ("u", "v") if first == "u" else (first, first + 2)
    rows = [f"{k},{cells[k % 2]}" for k in range(20)]
    (tmp_path / "table.csv").write_text("\n".join(["a,y", *rows]))
    found = source.find(str(tmp_path / "table.csv"), "y", told, (), None, None, None)
    assert (found.name, found.task) == ("table", wanted)
    assert np.issubdtype(found.data.y.dtype, np.floating) == (wanted == "values")
    parts = source.parts(found, "0.5,0.25,0.25", 3)
    assert [len(part) for part in parts] == [10, 5, 5]
    source.describe(found, parts, 3)
    said = capsys.readouterr().out
    assert f"task        {wanted}, {'as told' if told else 'recognised'}" in said
    assert ("stratified" if wanted == "classes" else "at random") + " by seed 3" in said


def test_rows_left_out_are_said(tmp_path, capsys):
    (tmp_path / "table.csv").write_text("a,y\n1,u\n,v\n" + "2,u\n3,v\n" * 5)
    found = source.find(str(tmp_path / "table.csv"), "y", None, (), "drop", None, None)
    source.describe(found, source.parts(found, "0.6,0.2,0.2", 0), 0)
    said = capsys.readouterr().out
    assert "left out 1 of 12 rows" in said
    assert "11 examples" in said


def test_numbers_read_as_text_and_a_separator_by_name(tmp_path):
    (tmp_path / "table.tsv").write_text("a\tcode\ty\n1\t7\tu\n2\t8\tv\n")
    found = source.find(str(tmp_path / "table.tsv"), "y", None, ("code",), None, "tab", None)
    assert found.data.features == ("a", "code=7", "code=8")


def test_labels_stand_beside_their_images(tmp_path):
    images, labels = tmp_path / "t10k-images-idx3-ubyte", tmp_path / "t10k-labels-idx1-ubyte"
    images.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 9, 8, 7, 6]))
    labels.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 2, 5, 3]))
    found = source.find(str(images), None, None, (), None, None, None)
    assert found.data.x.tolist() == [[9, 8], [7, 6]]
    other = labels.rename(tmp_path / "others")
    assert source.find(str(images), None, None, (), None, None, other).data.y.tolist() == [5, 3]


PACKAGES = {"typer", "rich", "safetensors", "matplotlib", "tensorboardX", "mlflow-skinny", "optax", "flax", "equinox"}


def test_doctor_tells_what_is_there_and_what_is_missing(monkeypatch, capsys):
    assert doctor.version_of("typer")
    monkeypatch.setattr(doctor, "SIZE", 64)
    monkeypatch.setattr(doctor, "version_of", lambda name: None)
    bare = doctor.facts()
    assert bare["safetensors"] == "missing, needed for saving and loading models: pip install 'fnopt[files]'"
    assert {name for name, fact in bare.items() if fact.startswith("missing, needed for ")} == PACKAGES
    monkeypatch.setattr(doctor, "version_of", lambda name: None if name == "mlflow-skinny" else "1.2.3")
    facts = doctor.facts()
    assert all(facts[name].startswith("1.2.3, for ") for name in PACKAGES)
    assert facts["devices"].startswith("cpu (0)")
    assert "GFLOP/s" in facts["matmul"] and "a core of today reaches" in facts["matmul"]
    assert facts["  jax"] == facts["jax"]
    monkeypatch.setattr(doctor, "facts", lambda: facts)
    doctor.run_doctor()
    said = capsys.readouterr().out.splitlines()
    assert len({line.index(fact) for line, fact in zip(said, facts.values(), strict=True)}) == 1  # one column


def test_every_extra_is_named_by_the_doctor():
    extras = tomllib.loads((README.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    wanted = {p.split(">")[0] for extra in ("cli", "files", "plot", "track", "interop") for p in extras[extra]}
    assert wanted == PACKAGES == {packages[0] for _, packages in doctor.OPTIONAL.values()}


def test_speeds_have_a_scale():
    assert doctor.speed(300.0, "cpu", 4).endswith("75 a core: a core of today reaches 50 to 150")
    assert "so this is slow" in doctor.speed(100.0, "gpu", 4) and "so this" not in doctor.speed(3e4, "gpu", 4)
    assert doctor.speed(3e4, "tpu", 4).startswith("30000 GFLOP/s on tpu")


def test_the_command_exits_with_its_code():
    """Once in a process of its own: code 2, one line, no traceback."""
    code = "from fnopt.cli import main; main()"
    root = Path(fnopt.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code, "sweep", "digit"], capture_output=True, text=True, cwd=root)
    assert done.returncode == 2
    assert done.stderr.startswith("error: unknown data 'digit'; did you mean 'digits'?")
    assert done.stderr.count("\n") == 1
    assert not done.stdout
