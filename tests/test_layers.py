"""Imports point down only, optional libraries are asked for and never imported, every public name is explained."""

import ast
import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import fnopt

ROOT = Path(fnopt.__file__).parent
LAYERS = {
    "_types": 0, "_html": 0, "_checks": 0, "_keys": 0, "_compile": 0, "_names": 0, "_forks": 0, "_programs": 0,
    "_own_code": 0,
    "tree": 1, "numbers": 1, "schedules": 1, "averages": 1,
    "nn": 2, "losses": 2, "space": 2, "penalties": 2, "optim": 2, "data": 2, "metrics": 2, "surfaces": 2,
    "train": 3, "model": 4, "sweep": 5, "store": 5, "analysis": 5, "report": 5,
    "run": 6, "check": 7, "cli": 7, "plot": 7, "sklearn": 7, "track": 7,
}  # fmt: skip
CORE = {"jax", "jaxlib", "chex", "numpy", "fnopt", "scipy"}  # scipy comes with jax, and is asked for inside functions
FILES = sorted(ROOT.rglob("*.py"))
MODULES = sorted(m.name for m in pkgutil.walk_packages([str(ROOT)], "fnopt.") if "__main__" not in m.name)


def layer_of(module: str) -> tuple[int, str]:
    part = module.split(".")[1]
    return LAYERS[part], part


def imports_of(path: Path) -> list[tuple[str, int, bool]]:
    """(module, line, whether at the top of the file) of every import, type-checking ones left out."""
    tree = ast.parse(path.read_text())
    found = []

    def visit(node: ast.AST, top: bool) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.extend((a.name, node.lineno, top) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports"
            if node.module == "fnopt":
                found.extend((f"fnopt.{a.name}", node.lineno, top) for a in node.names)
            else:
                found.append((node.module or "", node.lineno, top))
        inner = top and not isinstance(node, ast.FunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            visit(child, inner)

    visit(tree, True)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    if path == ROOT / "__init__.py":
        return
    own = ".".join(["fnopt", *path.relative_to(ROOT).with_suffix("").parts])
    level, part = layer_of(own)
    for module, line, _ in imports_of(path):
        if not module.startswith("fnopt."):
            continue
        other, name = layer_of(module)
        ok = name == part or other < level or (level < 2 and other == level)
        assert ok, f"{path}:{line}: {own} (layer {level}) imports {module} (layer {other})"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_core_libraries_below_the_outer_layer(path):
    import sys

    outer = path.relative_to(ROOT).parts[0] in ("cli", "sklearn")  # what is named for a library is made of it
    for module, line, top in imports_of(path):
        name = module.split(".")[0]
        assert name not in {"optax", "pickle"}, f"{path}:{line}"
        assert not module.startswith("jax._src"), f"{path}:{line}"
        if not outer:
            assert name in CORE or name in sys.stdlib_module_names, f"{path}:{line} imports {module}"
            assert name != "scipy" or not top, f"{path}:{line}: scipy is imported where it is used"


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring(name):
    module = importlib.import_module(name)
    assert module.__doc__, f"{name} has no docstring"
    for attribute, value in vars(module).items():
        if attribute.startswith("_") or getattr(value, "__module__", None) != name:
            continue
        if inspect.isfunction(value) or inspect.isclass(value):
            assert inspect.getdoc(value), f"{name}.{attribute} has no docstring"


def test_the_root_only_re_exports():
    """What type checkers read and what is imported when it is asked for are one table; nothing else stands there."""
    tree = ast.parse((ROOT / "__init__.py").read_text())
    allowed = ast.ImportFrom | ast.Expr | ast.Assign
    checking, asked = (node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(checking.test) == "TYPE_CHECKING" and ast.unparse(asked.test) == "not TYPE_CHECKING"
    assert all(isinstance(node, allowed) for node in (*checking.body, *asked.body))
    assert all(isinstance(node, allowed | ast.If) for node in tree.body)
    told = {(node.module, name.name, name.asname) for node in checking.body for name in node.names}
    pairs = [(home, name.split(" as ")) for home, names in fnopt._HOMES.items() for name in names.split(", ")]
    assert told == {(home, name[0], name[-1]) for home, name in pairs}
    assert set(fnopt.__all__) == {name for *_, name in told} <= set(dir(fnopt))


def test_the_version_is_one():
    import tomllib

    from fnopt.run.manifest import VERSION

    pyproject = ROOT.parent / "pyproject.toml"
    assert tomllib.loads(pyproject.read_text())["project"]["version"] == fnopt.__version__ == VERSION
