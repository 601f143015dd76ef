"""A space file that Python itself would refuse gets a line that names the file, the cause and the cure."""

import pytest

from fnopt.cli.entry import run
from fnopt.cli.spaces import read_space
from fnopt.cli.words import terminal

FILES = {
    "digits": ("lr = " + "1" * 5000, "too many digits"),
    "digits in a range": ("lr = {log_uniform = [1e-4, " + "1" * 5000 + "]}", "too many digits"),
    "arrays": ("a = " + "[" * 5000 + "]" * 5000, "nested too deep"),
    "tables": ("a = " + "{a = " * 3000 + "1" + "}" * 3000, "nested too deep"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_python_cannot_hold_is_refused_by_its_name(tmp_path, capsys, case):
    content, words = FILES[case]
    path = tmp_path / "space.toml"
    path.write_text(content + "\n")
    assert run(["sweep", "iris", "--space", str(path), "--n", "2", "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}") and words in said and "; " in said and said.count("\n") == 1
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match=words):
        read_space(path)


def test_warnings_speak_of_options():
    said = terminal("this space holds 2 configurations, so n=4 trains some again; search='grid' trains each once")
    assert said.endswith("so --n 4 trains some again; --search grid trains each once")
    assert terminal("give dev, or folds=5; objective= says so") == "give dev, or --folds 5; --objective says so"
