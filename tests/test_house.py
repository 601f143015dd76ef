"""No file imports another in a circle, imports for type checkers and inside of functions included."""

import ast
from pathlib import Path

import fnopt

ROOT = Path(fnopt.__file__).parent
# In a circle today: a file that leaves it leaves this list, and none may join.
CIRCLE = {
    f"fnopt.run.{name}"
    for name in (
        "assemble",
        "checkpoint",
        "checkpoint_schema",
        "diagnosis",
        "faults",
        "files",
        "fit",
        "importance",
        "late_bar",
        "leaderboard",
        "lineage",
        "manifest",
        "manifest_schema",
        "measure",
        "noise",
        "notebook",
        "polish",
        "programs",
        "progress",
        "rebuild",
        "refit",
        "remarks",
        "run",
        "shown",
        "store",
        "sweep",
        "tables",
        "tracking",
        "unsaid",
    )
}


def modules():
    """Every module of the package by name, the root apart."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(["fnopt", *parts]).removesuffix(".__init__")] = path
    del found["fnopt"]
    return found


def imports(name, path, known):
    """The modules that a file imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= inside & known or {node.module}
            if not inside <= known:
                found.add(node.module)
    return (found & known) - {name}


def circles(graph):
    """Strongly connected parts of more than one node. Tarjan, 1972."""
    number, low, stack, parts = {}, {}, [], []

    def visit(node):
        number[node] = low[node] = len(number)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in number:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == number[node]:
            part = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(part) > 1:
                parts.append(set(part))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return parts


def test_circles_are_found():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert sorted(map(sorted, circles(graph))) == [["a", "b", "c"], ["d", "e"]]


def test_no_file_joins_a_circle_of_imports():
    known = modules()
    graph = {name: imports(name, path, set(known)) for name, path in known.items()}
    found = set().union(*circles(graph), set())
    assert found == CIRCLE, {"joined": sorted(found - CIRCLE), "left, take them from the list": sorted(CIRCLE - found)}
