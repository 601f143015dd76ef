"""What stands on a terminal: lines broken at blanks, tables whole, one order live and in the end, phases, logs."""

import io
import re
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from fnopt.cli import show, winner
from fnopt.run.drawn import folded, tables_of
from fnopt.run.leaderboard import score_text
from fnopt.run.progress import Board, Lines
from fnopt.schedules import cosine
from fnopt.sweep.ranking import Kept
from fnopt.train import objective_of

WIDTHS = (60, 80, 100, 120)
ACCURACY = objective_of("classes", None, dev=True)
LINES = {
    "classes": ["99 classes: " + ", ".join(f"class-{k}" for k in range(99))],
    "space": ["b1         = when(optimizer='adam', b1=one_minus_log_uniform(0.5, 0.999))"] * 2,
    "long words": ["x" * 70 + " " + "y" * 50 + " z"],
    "wide": ["日本語 " * 40],
    "short": ["a b"],
}


def plain(text):
    return re.sub("\x1b\\[[0-9;?]*[A-Za-z]", "", text)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("case", LINES)
def test_lines_break_at_blanks_under_their_column(capsys, monkeypatch, width, case):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", str(width))
    show.say("data", *LINES[case])
    said = capsys.readouterr().out.splitlines()
    words = [word for line in LINES[case] for word in line.split()]
    assert " ".join(said).split() == ["data", *words]  # no word is broken
    cells = [sum(2 if ord(c) > 0x2E80 else 1 for c in line) for line in said]
    assert all(n <= width or len(line.split()) <= 2 for n, line in zip(cells, said, strict=True))
    assert all(line.startswith(" " * show.MARGIN) and line[show.MARGIN] != " " for line in said[1:])


def test_a_pipe_gets_lines_as_they_are(capsys):
    show.say("data", *LINES["classes"])
    assert capsys.readouterr().out == f"data        {LINES['classes'][0]}\n"


def test_names_reach_no_terminal_as_commands(capsys):
    show.say("data", "class \x1b]0;title\x07 and \u202e")
    assert capsys.readouterr().out == "data        class \\x1b]0;title\\x07 and \\u202e\n"
    rows = [["rank", "config", "dev/\x1b[2J"], ["1", "0", "\x07"]]
    out = io.StringIO()
    Console(file=out, width=80).print(*tables_of(rows, 80))
    assert not {"\x1b", "\x07"} & set(out.getvalue()) and "\\x1b[2J" in out.getvalue() and "\\x07" in out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("columns", [2, 15])
def test_a_table_keeps_every_cell_whole(width, columns):
    rows = [["rank", "config", "dev/accuracy", *(f"number_{k}" for k in range(columns))]]
    rows += [[str(r), str(7 * r), "0.9639", *(f"{r}.{k:06}" for k in range(columns))] for r in range(1, 11)]
    out = io.StringIO()
    Console(file=out, width=width).print(*tables_of(rows, width), sep="\n")
    said = out.getvalue()
    assert max(map(len, said.splitlines())) <= width and "…" not in said
    assert all(cell in said for row in rows[1:] for cell in row)


def lane(config, accuracy, loss, status="done", epochs=3):
    return SimpleNamespace(
        config=config, seed=0, fold=0, epochs=epochs, status=status, why="", params=None, stats=None,
        scores={"dev": {"accuracy": accuracy, "loss": loss}},
    )  # fmt: skip


def test_ties_are_decided_by_one_rule_everywhere():
    """By loss, then by number: in the bar, the live table, the log and the ranking."""
    lanes = [
        lane(0, 0.9, 0.5), lane(1, 0.9, 0.3), lane(2, 0.9, 0.3), lane(3, 0.8, 0.1), lane(4, 1.0, 0.0, "pruned", 1),
        lane(5, np.nan, np.nan, "diverged"),
    ]  # fmt: skip
    kept = Kept(ACCURACY, 6, 1)
    kept.lanes = {(r.config, 0, 0): r for r in lanes}
    board = Board(ACCURACY, Console(file=io.StringIO(), width=200), shown=6)
    log = Lines(ACCURACY, io.StringIO())
    for watch in (board, log):
        watch.start(7, 21)
        watch.done(lanes[3:])
        watch.done(lanes[:3])
    ranking = [standing.config for standing in kept.ranking()]
    assert ranking == [1, 2, 0, 3, 4, 5]
    assert [standing.config for standing in board.leaders()] == ranking[:5]
    assert log._leaders.best() == board._leaders.best() == "best dev/accuracy 0.9000 (1)"
    board.stop()


def test_columns_of_the_live_table_stay_in_their_places():
    file = io.StringIO()
    board = Board(ACCURACY, Console(file=file, force_terminal=True, width=80))
    board.configs = [{"lr": 0.5, "b1": 0.9}, {"lr": 0.25}, {"lr": 1e-10, "size": 4}]
    board.start(9, 9)
    heads = []
    for k, score in ((1, 0.5), (0, 0.6), (2, 0.7)):
        board.done([lane(k, score, 0.1)])
        out = io.StringIO()
        Console(file=out, width=80).print(board._drawn().renderables[0])
        heads.append(out.getvalue().splitlines()[:2])
    assert heads[0] == heads[1] == heads[2] and re.search("lr +b1 +size", heads[0][1])
    board.compiling(2, 3)
    assert "compiling 2 of 3" in board._bar.tasks[0].description
    board.compiling(0, 3)
    assert board._bar.tasks[0].description == "sweep"
    board.stopping(True)
    board.stop()
    assert "stopping after this compile, keeping what is done; Ctrl-C again ends at once" in plain(file.getvalue())


def test_the_live_table_leaves_out_what_is_the_same_in_all():
    board = Board(ACCURACY, Console(file=io.StringIO(), width=80))
    board.configs = [{"lr": "Cosine", "lr.peak": peak, "lr.steps": 900.0, "l2": 0.0} for peak in (0.1, 0.2)]
    board.start(2, 2)
    board.done([lane(0, 0.5, 0.1)])
    out = io.StringIO()
    Console(file=out, width=80).print(board._drawn().renderables[0])
    board.stop()
    assert "lr.peak" in out.getvalue() and "l2" in out.getvalue() and "lr.steps" not in out.getvalue()


def test_the_winners_line_leaves_out_what_is_the_same_in_all():
    peaks = (0.1, 0.2)
    configs = [{"lr": cosine(peak, steps=900.0), "hidden": (4,)} for peak in peaks]
    sweep = SimpleNamespace(configs=configs, names=(), best=SimpleNamespace(config=1, hyper=configs[1]))
    assert winner._apart(sweep) == "lr.peak=0.2, hidden=4"


def test_a_log_has_a_line_each_tenth():
    file = io.StringIO()
    log = Lines(objective_of("values", "r2", dev=True), file)
    log.start(20, 200)
    for k in range(20):
        for _ in range(10):
            log.tick(1)
        log.done([SimpleNamespace(config=k, scores={"dev": {"r2": k / 20, "loss": 1.0}}, status="done", epochs=10)])
    said = file.getvalue().splitlines()
    assert [line.split(":")[0] for line in said] == [f"{k} %" for k in range(10, 100, 10)]
    assert re.fullmatch(r"50 %: 9 of 20 trained, best dev/r2 0\.4000 \(8\), 0 s, about 0 s left", said[4])
    assert "\x1b" not in file.getvalue()


def test_scores_in_any_unit():
    values = {
        0.98765: "0.9877",
        0.0: "0.0000",
        4712.80123: "4712.8",
        3.2e-25: "3.2e-25",
        -0.5: "-0.5000",
        1e25: "1e+25",
    }
    assert {v: score_text(v) for v in values} == values and score_text(float("nan")) == "–"


def test_folding_without_a_width():
    assert folded("a " * 500, None) == ["a " * 500]


def test_a_word_while_jax_is_imported(capsys, monkeypatch):
    from fnopt.cli.starting import starting

    with starting():
        pass
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with starting():
        assert capsys.readouterr().err == "starting …"
    assert capsys.readouterr().err == "\r          \r"
