"""What ``fnopt sweep`` does where the options do not say how long to train and which configurations to stop."""

import pytest
from cli_cases import write_pets

from fnopt.cli.spaces import standard
from fnopt.cli.sweep import Asked, _options, _ready, _rule
from fnopt.model import recipes
from fnopt.sweep.stop import Hyperband
from fnopt.train import EarlyStopping


@pytest.mark.parametrize(
    ("told", "rule", "kind"),
    [
        ({}, "hyperband", Hyperband),
        ({"stop": "none"}, "none", type(None)),
        ({"patience": 3}, None, EarlyStopping),
        ({"stop": "none", "patience": 3}, "none", EarlyStopping),
    ],
)
def test_hyperband_unless_another_rule_is_given(told, rule, kind):
    asked = Asked(data="iris", **told)
    assert _rule(asked) == rule
    assert type(_options(asked._replace(stop=_rule(asked), epochs=3))["stop"]) is kind


def test_the_plan_says_the_length_and_the_rule(tmp_path, capsys):
    write_pets(tmp_path)  # 60 rows, of which 36 are trained on
    asked = Asked(data=str(tmp_path / "pets.csv"), target="kind")
    ready = _ready(asked)
    wanted = 300  # one batch an epoch: the most
    assert ready.epochs == wanted
    assert f"{wanted} epochs" in (told := capsys.readouterr().out) and "stopped by hyperband" in told
    lr = ready.space["lr"]
    assert float(lr.schedule.steps) == wanted
    ready = _ready(asked._replace(epochs=7, stop="none"))
    assert ready.epochs == 7 and "stopped by" not in capsys.readouterr().out
    updates = recipes.default("classes", 1078, 1)["updates"] // 2
    assert _ready(Asked(data="digits")).epochs == -(-updates // 17)  # 1,078 rows by 64, the middle batch size


def test_the_standard_rate_falls_to_zero():
    lr = standard("classes", 20)["lr"]
    assert (float(lr.schedule.steps), float(lr.schedule.floor), float(lr.staircase)) == (20.0, 0.0, 0.0)
