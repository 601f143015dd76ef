"""The commands and their options, as typer shows them; what they do stands in the modules that they name."""

from pathlib import Path
from typing import Annotated

import typer

from fnopt.cli import options
from fnopt.cli.interrupts import spoken
from fnopt.cli.starting import starting

SEPARATOR = "What stands between cells; found out unless given."
NO_HEADER = "The first line is data: columns are called by their numbers, 1, 2, …"
HEADER = "The first line holds names although it looks like data."
ENCODING = "How the text is written: utf-8 unless given, latin-1, cp1252, utf-16, …"

app = typer.Typer(
    name="fnopt",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="A configuration is one choice of all that is searched; train is learned from, dev ranks, test scores the "
    "winner in the end; ± is a standard error. Every mistake is one line on stderr and exit code 2; "
    "FNOPT_TRACEBACK=1 shows where it was raised.",
)


def _version(asked: bool) -> None:
    if asked:
        from fnopt.cli.doctor import version_of

        print(f"fnopt {version_of('fnopt') or '(not installed as a package)'}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Train hundreds of configurations of a network side by side, and keep the best."""


@app.command(short_help="Search for the best configuration, retrain and test it.")
@spoken
def sweep(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="digits, iris, wine, breast_cancer or diabetes, which need no file; or a .csv or .tsv file "
            "(also .gz), an .npz file with x and y, or a file of IDX images.",
        ),
    ],
    target: Annotated[str | None, typer.Option(help="The column of a table to predict.")] = None,
    n: Annotated[
        str | None, typer.Option(metavar="N", help="How many configurations: 256 unless given, or the whole grid.")
    ] = None,
    epochs: Annotated[
        str | None,
        typer.Option(metavar="N", help="Passes over the training part for each; 2,000 updates or more unless given."),
    ] = None,
    seeds: Annotated[
        str, typer.Option(metavar="N", help="How many times each is trained; its score is the mean.")
    ] = "1",
    folds: Annotated[
        str | None,
        typer.Option(metavar="N", help="Cross-validate on N folds of train and dev together, instead of one dev."),
    ] = None,
    space: Annotated[
        Path | None,
        typer.Option(help="A TOML file that says what is searched, as in lr = {log_uniform = [1e-4, 1e-1]}."),
    ] = None,
    search: Annotated[str, typer.Option(help="random, sobol, grid or coarse_to_fine.")] = "random",
    objective: Annotated[
        str | None, typer.Option(help="What ranks them: dev/accuracy for classes and dev/loss otherwise unless given.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="classes, values or labels; recognised from the target unless given.")
    ] = None,
    stop: Annotated[
        str | None,
        typer.Option(
            help="End poor configurations early: hyperband (unless given), halving, asynchronous_halving or median; or "
            "continue with changed copies of good ones in their places: population; or none."
        ),
    ] = None,
    minutes: Annotated[
        str | None, typer.Option(metavar="X", help="End after X minutes; fnopt resume continues.")
    ] = None,
    patience: Annotated[
        str | None, typer.Option(metavar="N", help="Stop a configuration after N epochs without a better score.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="The columns to learn from, as in size,'*_code': names and patterns; all unless given."),
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="Columns to leave out, names and patterns.")] = None,
    keep: Annotated[
        list[str] | None, typer.Option(help="Columns to use although they look like identifiers, names and patterns.")
    ] = None,
    text: Annotated[
        list[str] | None, typer.Option(help="A column to read as text although it holds numbers; may be repeated.")
    ] = None,
    missing: Annotated[
        str | None,
        typer.Option(
            help="Missing cells: mean (of the training part, which is meant unless given), drop (the row) or error."
        ),
    ] = None,
    missing_marks: Annotated[
        list[str] | None, typer.Option(help="Texts that stand for a missing cell beside the usual ones, as in x,none.")
    ] = None,
    separator: Annotated[str | None, typer.Option(help=SEPARATOR)] = None,
    no_header: Annotated[bool, typer.Option("--no-header", help=NO_HEADER)] = False,
    header: Annotated[bool, typer.Option("--header", help=HEADER)] = False,
    encoding: Annotated[str | None, typer.Option(help=ENCODING)] = None,
    labels: Annotated[
        Path | None, typer.Option(help="The file of labels that belongs to a file of IDX images.")
    ] = None,
    split: Annotated[
        str,
        typer.Option(help="Shares of train, dev and test, or of train and dev alone; or percentages as in 60,20,20."),
    ] = "0.6,0.2,0.2",
    seed: Annotated[
        str, typer.Option(metavar="N", help="What the split, the proposals and the training draw from.")
    ] = "0",
    repeat: Annotated[
        str, typer.Option(metavar="N", help="Retrain the winner N times and average its test scores.")
    ] = "1",
    threads: Annotated[
        str | None,
        typer.Option(metavar="N", help="How many chunks are in hand at once: one more than cores unless given."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder to write, runs/NAME unless given.")] = None,
) -> None:
    """Search for the best configuration on some data, retrain it, test it once, and write it all down.

    Ctrl-C keeps what is done; the same command, or fnopt resume, continues from there.
    """
    with starting():
        from fnopt.cli.sweep import Asked, run_sweep

    asked = Asked(
        data=data,
        target=target,
        n=options.whole("--n", n),
        epochs=options.whole("--epochs", epochs),
        seeds=options.whole("--seeds", seeds),
        folds=options.whole("--folds", folds),
        space=space,
        search=search,
        objective=objective,
        task=task,
        stop=stop,
        patience=options.whole("--patience", patience),
        minutes=options.above_zero("--minutes", minutes),
        missing=missing,
        columns=tuple(columns or ()),
        ignore=tuple(ignore or ()),
        keep=tuple(keep or ()),
        missing_marks=tuple(missing_marks or ()),
        header=options.either("--header", header, "--no-header", no_header),
        encoding=encoding,
        text=tuple(text or ()),
        separator=separator,
        labels=labels,
        split=split,
        seed=options.whole("--seed", seed),
        repeat=options.whole("--repeat", repeat),
        threads=options.whole("--threads", threads),
        out=out,
    )
    raise typer.Exit(run_sweep(asked))


@app.command(short_help="Go on with a sweep that was broken off.")
@spoken
def resume(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that sweep wrote.")],
    threads: Annotated[
        str | None,
        typer.Option(metavar="N", help="How many chunks are in hand at once: one more than cores unless given."),
    ] = None,
    minutes: Annotated[str | None, typer.Option(metavar="X", help="End after X minutes.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Go on although versions or cores differ, and so the last bits may.")
    ] = False,
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where its data are now, if the file was moved or renamed.")
    ] = None,
) -> None:
    """Go on with a sweep that was interrupted, killed, or ran out of time: the result is that of an unbroken one."""
    with starting():
        from fnopt.cli.sweep import resume as go_on

    limits = options.whole("--threads", threads), options.above_zero("--minutes", minutes)
    raise typer.Exit(go_on(folder, *limits, anyway, data))


@app.command(short_help="Score the winner of a sweep on the test part now.")
@spoken
def score(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that sweep wrote.")],
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where its data are now, if the file was moved or renamed.")
    ] = None,
) -> None:
    """Score the winner so far on the test part, although the sweep is not finished; each look is counted."""
    with starting():
        from fnopt.cli.sweep import score as score_now

    raise typer.Exit(score_now(folder, data))


@app.command()
@spoken
def predict(
    model: Annotated[Path, typer.Argument(metavar="RUN", help="A folder that sweep wrote, or a .safetensors file.")],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="New examples, in a file like the one it was trained on.")
    ],
    out: Annotated[Path | None, typer.Option(help="The CSV file to write; the terminal unless given.")] = None,
    proba: Annotated[bool, typer.Option("--proba", help="Add the probability of each class.")] = False,
    unknown: Annotated[
        str, typer.Option(help="Categories that training did not see: error, or ignore, which takes them as none.")
    ] = "error",
    separator: Annotated[str | None, typer.Option(help=SEPARATOR)] = None,
    no_header: Annotated[bool, typer.Option("--no-header", help=NO_HEADER)] = False,
    header: Annotated[bool, typer.Option("--header", help=HEADER)] = False,
    encoding: Annotated[str | None, typer.Option(help=ENCODING)] = None,
) -> None:
    """Predict with a trained model: CSV, one row an example."""
    with starting():
        from fnopt.cli.predict import run_predict

    names = options.either("--header", header, "--no-header", no_header)
    unknown = options.name_of("--unknown", unknown, ("error", "ignore")) or "error"
    run_predict(model, data, out, proba, separator, header=names, encoding=encoding, unknown=unknown)


@app.command(short_help="Show devices, versions, speed, and what is missing.")
@spoken
def doctor() -> None:
    """Show devices, cores, versions, speed, and which optional libraries are missing."""
    with starting():
        from fnopt.cli.doctor import run_doctor

    run_doctor()
