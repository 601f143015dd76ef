"""Caches have bounds: a long process that tunes many shapes keeps its memory."""

import ast
from pathlib import Path

import fnopt
from fnopt.sweep.compiled import Made, ProgramCache

ROOT = Path(fnopt.__file__).parent
OF_THE_MACHINE = {"usual_numbers", "total_memory", "undonated"}  # one entry for a process, a device or a function


def test_what_was_asked_for_longest_ago_goes_first():
    cache = ProgramCache(3)
    for name in "abcd":
        cache.put(name, Made(name, None, None, None))
        cache.get("a")
    assert {made.run for made in cache.all()} == {"a", "c", "d"}
    assert cache.get("b") is None and cache.get("a").run == "a"
    assert cache.put("a", Made("again", None, None, None)).run == "a"
    cache.clear()
    assert not cache.all()


def test_no_cache_is_without_bound():
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for way in getattr(node, "decorator_list", ()):
                text = ast.unparse(way)
                if text.split(".")[-1] == "cache" or text in ("lru_cache", "lru_cache()", "lru_cache(maxsize=None)"):
                    found.add(node.name)
    assert found <= OF_THE_MACHINE, f"without a bound: {sorted(found - OF_THE_MACHINE)}"
