"""Each word typed is taken as it was meant, or refused in the terminal's own words, before data are read."""

import pytest
from typer.main import get_command

from fnopt.cli.app import app
from fnopt.cli.entry import run

COMMANDS = get_command(app).commands
FLAGS = {(name, p.opts[0]) for name, c in COMMANDS.items() for p in c.params if getattr(p, "is_flag", False)}
OPTIONS = [
    (name, p.opts[0], p.multiple)
    for name, command in COMMANDS.items()
    for p in command.params
    if p.param_type_name == "option" and (name, p.opts[0]) not in FLAGS and p.opts[0] != "--help"
]
ARGUMENTS = {
    "sweep": ["nowhere.csv"],
    "resume": ["nowhere"],
    "score": ["nowhere"],
    "predict": ["nowhere", "nowhere.csv"],
    "doctor": [],
}
SAMPLES = {"--split": "0.6,0.2,0.2", "--objective": "dev/loss", "--minutes": "1"}
NUMBERS = ["--n", "--epochs", "--seeds", "--folds", "--patience", "--seed", "--repeat", "--threads"]


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """The one line that a command is refused with, without its beginning."""
    monkeypatch.chdir(tmp_path)

    def line(*words):
        assert run(words) == 2
        said = capsys.readouterr()
        assert not said.out
        assert said.err.startswith("error: ") and said.err.count("\n") == 1
        assert not list(tmp_path.iterdir())
        return said.err.removeprefix("error: ").rstrip("\n")

    return line


def test_an_option_of_one_value_is_given_once(refused):
    """Of two values, one would be dropped in silence: a second target would leave the first among the inputs."""
    for name, option, several in OPTIONS:
        for again in ([option, "2"], [f"{option}=2"]):
            said = refused(name, *ARGUMENTS[name], option, "2", *again)
            assert (f"{option} given twice: 2 and 2" in said) is not several, said
            assert several or f"fnopt {name} --help" in said


def test_two_targets(refused):
    said = refused("sweep", "multi.csv", "--target", "strength", "--target", "strength2")
    assert said.startswith("--target given twice: strength and strength2")


def test_a_misspelt_option_points_to_its_command(refused):
    for name, option, _ in OPTIONS:
        wrong = option[:-1] + "q" if len(option) > 4 else option + "q"
        said = refused(name, *ARGUMENTS[name], wrong, "2")
        assert f"fnopt {name} has no option {wrong}" in said and f"(see fnopt {name} --help)" in said
        assert "did you mean --" in said or len(option) < 5
    assert "did you mean --epochs?" in refused("sweep", "iris", "--epoch", "3")
    assert "did you mean --minutes?" in refused("resume", "runs/iris", "--minute=3")


def test_a_misspelt_command_points_to_the_nearest(refused):
    assert "fnopt has no command 'swep'; did you mean 'sweep'?" in refused("swep", "iris")
    assert "it has sweep, resume, score, predict" in refused("xyz")
    assert "options follow the command" in refused("--n", "sweep", "iris")


def test_values_that_are_missing_or_empty(refused):
    for name, option, _ in OPTIONS:
        assert f"{option} wants a value" in refused(name, *ARGUMENTS[name], option)
        assert f"{option} is empty" in refused(name, *ARGUMENTS[name], option, "")
        assert f"{option} is empty" in refused(name, *ARGUMENTS[name], f"{option}=")
        if option != "--separator":
            assert f"{option} is empty" in refused(name, *ARGUMENTS[name], option, "  ")
    assert "--target wants a value, got the option --n" in refused("sweep", "a.csv", "--target", "--n", "3")
    for name, option in FLAGS:
        if name in ARGUMENTS:
            assert f"{option} takes no value, got '1'" in refused(name, *ARGUMENTS[name], f"{option}=1")


def test_arguments_that_are_missing_empty_or_too_many(refused):
    assert "fnopt sweep wants DATA" in refused("sweep", "--n", "3")
    assert "fnopt predict wants DATA" in refused("predict", "nowhere")
    assert "fnopt predict wants RUN and DATA" in refused("predict")
    assert "DATA is empty" in refused("sweep", "")
    assert "FOLDER is empty" in refused("resume", " ")
    assert "takes DATA, got 'wine' too" in refused("sweep", "iris", "wine")
    assert "takes nothing, got 'iris' too" in refused("doctor", "iris")


@pytest.mark.parametrize("value", ["abc", "1.5", "-1", "1e3", "nan", "²", "0x10"])
def test_numbers_in_words(refused, value):
    for option in NUMBERS:
        said = refused("sweep", "nowhere.csv", option, value)
        assert said.startswith(f"{option} must be a whole number ≥ ") and said.endswith(f", got {value}")
    if value not in ("1.5", "1e3"):
        assert refused("sweep", "iris", "--minutes", value) == f"--minutes must be a number above 0, got {value}"
        assert refused("resume", "nowhere", "--minutes", value).startswith("--minutes must be")


def test_numbers_at_their_bounds(refused):
    least = {"--n": 1, "--epochs": 1, "--seeds": 1, "--folds": 2, "--repeat": 1, "--threads": 1}
    for option, low in least.items():
        assert f"whole number ≥ {low}, got {low - 1}" in refused("sweep", "nowhere.csv", option, str(low - 1))
        assert "no file" in refused("sweep", "nowhere.csv", "--target", "y", option, str(low))
    assert "below 2**32" in refused("sweep", "iris", "--seed", str(2**32))
    assert "above 0" in refused("sweep", "iris", "--minutes", "inf")


@pytest.mark.parametrize("value", ["60", "60;20;20", "a,b,c", "1,0,0", "60,20,20,0", "nan,1,1", ",,"])
def test_shares_in_words(refused, value):
    assert refused("sweep", "iris", "--split", value).startswith("--split wants three shares above 0")


def test_shares_and_their_sum(refused):
    from fnopt.cli.options import shares_of

    assert "sum is 1, or percentages whose sum is 100; that of 60,20,30 is 110" in refused(
        "sweep", "iris", "--split", "60,20,30"
    )
    assert shares_of("60,20,20") == shares_of("60%, 20%, 20%") == shares_of("0.6,0.2,0.2") == (0.6, 0.2, 0.2)


OTHERS = {  # what people of other tools type: what it is called here
    "--task": {"regression": "values", "Regressor": "values", "classification": "classes", "multi-label": "labels"},
    "--search": {"grid_search": "grid", "RandomizedSearchCV": "random", "qmc": "sobol", "Sobol": "sobol"},
    "--stop": {
        "asha": "asynchronous_halving",
        "SuccessiveHalving": "halving",
        "HyperbandPruner": "hyperband",
        "pbt": "population",
        "MedianPruner": "median",
    },
    "--missing": {"Mean": "mean", "dropp": "drop"},
}


@pytest.mark.parametrize("option", OTHERS)
def test_words_of_other_tools(refused, option):
    for typed, meant in OTHERS[option].items():
        said = refused("sweep", "iris", option, typed)
        assert option in said and f"did you mean {meant!r}?" in said


def test_words_of_other_tools_in_a_model():
    from fnopt._checks import closest
    from fnopt.nn.activations import TABLE as ACTIVATIONS
    from fnopt.optim import NAMES

    words = {"swish": "silu", "ReLU": "relu", "linear": "identity", "logistic": "sigmoid", "LeakyReLU": "leaky_relu"}
    assert {word: closest(word, ACTIVATIONS) for word in words} == words
    words = {"Adam": "adam", "SGDM": "momentum", "NAG": "nesterov", "RMSProp": "rmsprop", "AdamW": "adamw"}
    assert {word: closest(word, NAMES) for word in words} == words
