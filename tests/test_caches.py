"""One list of all caches of the package with their bounds: a service that tunes many shapes must not grow for ever."""

import ast
from pathlib import Path

import fnopt as fo
from fnopt.sweep.compiled import LIMIT, Made, ProgramCache

ROOT = Path(fo.__file__).parent
CACHES = {  # entries, at most; where none is written, an entry for each device, or for each of a few functions, or one
    ("model/mlp.py", 4096),
    ("model/model.py", "one"),
    ("model/user_functions.py", 256),
    ("optim/family.py", 1024),
    ("optim/from_transform.py", 1024),
    ("optim/lbfgs.py", 1024),
    ("optim/muon.py", 1024),
    ("optim/wrappers/_paths.py", 1024),
    ("run/outputs.py", 1024),
    ("sweep/compiled.py", "one"),
    ("sweep/debugging.py", "one"),
    ("sweep/merge.py", 1024),
    ("sweep/merge.py", 4096),
    ("train/augmented.py", 256),
    ("train/evaluate.py", 256),
}


def caches():
    """(file, bound) of every function with a cache; "one" for no bound."""
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for decorator in getattr(node, "decorator_list", ()):
                if ast.unparse(decorator).split("(")[0].split(".")[-1] in ("cache", "lru_cache"):
                    bounds = [k.value.value for k in getattr(decorator, "keywords", ()) if k.arg == "maxsize"]
                    yield path.relative_to(ROOT).as_posix(), bounds[0] if bounds and bounds[0] else "one"


def test_every_cache_is_in_the_list():
    assert {*caches()} == CACHES


def test_the_program_asked_for_longest_ago_is_dropped_first():
    cache = ProgramCache(3)
    for name in "abcd":
        cache.put(name, Made(name, None, None, None))
        cache.get("a")
    assert {made.run for made in cache.all()} == {"a", "c", "d"}
    assert cache.get("b") is None and cache.get("a").run == "a"
    assert cache.put("a", Made("again", None, None, None)).run == "a"
    cache.clear()
    assert not cache.all() and 1 <= LIMIT <= 4096
