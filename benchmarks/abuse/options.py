"""Odd values and odd combinations of the command line's options, and odd paths."""

import os
import random
import shutil
from collections.abc import Callable, Iterator

from benchmarks.abuse.outcome import command
from benchmarks.abuse.studies import copy_of, finished, scratch, space_file, table, test_lines
from benchmarks.abuse.tally import Failed, Trial

VALUES: dict[str, tuple[str, ...]] = {
    "--n": ("0", "-1", "1.5", "abc", "", "1e3", "1", "２", "9" * 30),
    "--epochs": ("0", "-3", "abc", "", "1", "2.0"),
    "--seeds": ("0", "-1", "x", "1", "2"),
    "--folds": ("0", "1", "2", "60", "1000", "x"),
    "--search": ("randm", "", "grid", "sobol", "bayes", "coarse_to_fine"),
    "--objective": ("accuracy", "dev/acuracy", "test/loss", "", "dev/", "/loss", "dev/loss", "dev/roc_auc", "mse"),
    "--task": ("regression", "classification", "class", "", "values", "labels", "classes"),
    "--stop": ("halvin", "", "hyperband", "none", "asha", "median", "population", "early_stopping"),
    "--patience": ("-1", "x", "0", "1"),
    "--minutes": ("0", "-1", "x", "nan", "inf", "0.01"),
    "--missing": ("zero", "", "mean", "drop", "error"),
    "--text": ("colour", "nothing", "age", ""),
    "--separator": (",", ";", "", ",,", "\t", "a", "|"),
    "--split": ("60,20,20", "0.6,0.4", "1,0,0", "a,b,c", "", "0.6,0.2,0.2", "0.9,0.9,0.9", "nan,0.5,0.5", "-1,1,1"),
    "--seed": ("-1", "x", "4294967296", "0", "1"),
    "--repeat": ("0", "x", "1", "2"),
    "--threads": ("0", "-1", "x", "1", "9999"),
    "--target": ("kind", "Kind", "", "nothing", "age", "colour", "\x1b[31m"),
    "--space": ("nothing.toml", "", "/", "/dev/null"),
    "--ignore": ("colour", "kind", "nothing", "*", "", "col*,age"),
    "--columns": ("weight", "nothing", "", "w*", "kind"),
    "--keep": ("colour", "nothing", ""),
    "--missing-marks": ("black", "", "x,y"),
    "--labels": ("nothing", ""),
    "--nothing": ("1", ""),
    "--epoch": ("3",),
}
SOUND: dict[str, tuple[str, ...]] = {
    "--n": ("1", "3"), "--epochs": ("2", "5"), "--seeds": ("2",), "--folds": ("2", "3"), "--repeat": ("2",),
    "--search": ("random", "grid", "sobol", "coarse_to_fine"), "--objective": ("dev/loss", "accuracy", "dev/f1"),
    "--stop": ("none", "hyperband", "halving", "asynchronous_halving", "median", "population"), "--threads": ("1", "2"),
    "--missing": ("drop", "mean"), "--split": ("0.5,0.3,0.2", "0.7,0.2,0.1"), "--seed": ("3",), "--target": ("colour",),
    "--ignore": ("age", "col*"), "--text": ("colour",), "--patience": ("1",), "--minutes": ("5",),
}  # fmt: skip
FLAGS = ("--no-header", "--quiet", "--anyway", "-x", "--help=3")
COMMANDS = ("swep", "sweeps", "", "--", "-", "help", "predict", "resume", "doctor x", "sweep", "--vers", "report")
PATHS = ("", " ", ".", "..", "/", "/proc/nope", "/dev/full", "out/", "a/b/c", "~", "x" * 300, "a\x1bb", "-")


def of_options(rng: random.Random) -> Iterator[Trial]:
    """120 calls of sweep with one odd option, two, or three; and 20 of some that are sound, which are asked again."""
    singles = [(name, value) for name, values in VALUES.items() for value in values]
    rng.shuffle(singles)
    for name, value in singles[:80]:
        yield Trial(f"{name} {value[:30]!r}", _swept((name, value)), 120.0)
    for _ in range(40):
        names = rng.sample(sorted(VALUES), rng.choice((2, 3)))
        given = [word for name in names for word in (name, rng.choice(VALUES[name]))]
        given += rng.sample(FLAGS, rng.choice((0, 0, 1)))
        if rng.random() < 0.2:
            given += given[:2]
        yield Trial(" ".join(repr(word[:30]) for word in given), _swept(tuple(given)), 120.0)
    for _ in range(20):
        names = rng.sample(sorted(SOUND), rng.choice((2, 3, 4)))
        given = tuple(word for name in names for word in (name, rng.choice(SOUND[name])))
        yield Trial(" ".join(given), _swept(given, again=True), 120.0)


def _swept(given: tuple[str, ...], again: bool = False) -> Callable[[], None]:
    def do() -> None:
        folder = scratch()
        usual = {"--target": "kind", "--space": str(space_file()), "--n": "2", "--epochs": "1"}
        words = [word for name, value in usual.items() if name not in given for word in (name, value)]
        shown = command("sweep", str(table()), *words, "--out", str(folder / "out"), *given)
        if shown.code == 2 and (folder / "out").exists():
            raise Failed(f"a folder was left behind after {shown.err.strip()!r}")
        if shown.code == 0 and again:
            results = (folder / "out" / "results.csv").read_bytes()
            resumed = command("resume", str(folder / "out"))
            if resumed.code or (folder / "out" / "results.csv").read_bytes() != results:
                raise Failed(f"resume: exit code {resumed.code} {resumed.err.strip()!r}, or other results")
            if not test_lines(shown.out) or test_lines(resumed.out) != test_lines(shown.out):
                raise Failed(f"resume shows {test_lines(resumed.out)} for {test_lines(shown.out)}")
        shutil.rmtree(folder)

    return do


def of_commands(rng: random.Random) -> Iterator[Trial]:
    """Odd commands, and odd paths for each option and argument that is one."""
    for words in COMMANDS:
        yield Trial(f"fnopt {words!r}", lambda words=words: command(*words.split(" ")) and None)
    for path in PATHS:
        yield Trial(f"--out {path[:20]!r}", _out(path), 60.0)
    for path in ("", ".", "/", "nothing", "/dev/null", "x" * 300):
        yield Trial(f"resume {path[:20]!r}", lambda path=path: command("resume", path) and None)
        yield Trial(f"sweep {path[:20]!r}", lambda path=path: command("sweep", path, "--target", "y") and None)
        yield Trial(f"predict {path[:20]!r}", lambda path=path: command("predict", path, str(table())) and None)
        yield Trial(
            f"predict of {path[:20]!r}", lambda path=path: command("predict", str(finished().folder), path) and None
        )


def _out(path: str) -> Callable[[], None]:
    def do() -> None:
        folder, before = scratch(), os.getcwd()
        (folder / "precious.txt").write_text("mine")
        os.chdir(folder)
        try:
            command(
                "sweep", str(table()), "--target", "kind", "--space", str(space_file()), "--n", "1", "--epochs", "1",
                "--out", path,
            )  # fmt: skip
            run = copy_of(finished())
            command("predict", str(run), str(table()), "--out", path)
        finally:
            os.chdir(before)
        if (folder / "precious.txt").read_text() != "mine":
            raise Failed("a foreign file was changed")

    return do
