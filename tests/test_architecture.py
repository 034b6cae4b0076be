"""Who may import whom: each room only those before it, as docs/design.md draws the house."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A module belongs to the first room whose prefix it has.
ROOMS = [
    ("exchange.paths", 0),
    ("courses.errors", 1),
    ("courses.models", 2),
    ("courses.audit", 3),
    ("courses.permissions", 3),
    ("courses.services", 4),
    ("courses", 5),
    ("exchange.models", 6),
    ("exchange.storage.blobs", 7),
    ("exchange.storage.file_sets", 8),
    ("exchange.api.v1", 11),
    ("exchange.api.v2", 11),
    ("exchange.api", 11),
    ("exchange.services", 9),
    ("exchange.receipts", 9),
    ("exchange.queries", 9),
    ("exchange", 10),
    ("ngshare_site", 12),
]
OURS = {"courses", "exchange", "ngshare_site", "nbgrader_plugin"}
PLUGIN_MAY_IMPORT = {
    "nbgrader",
    "traitlets",
    "requests",
    "urllib3",
    "dateutil",
    "jupyter_server",
    "tornado",
    "sqlalchemy",
}


def modules(package):
    for path in sorted((ROOT / package).rglob("*.py")):
        if "migrations" not in path.parts and "build" not in path.parts:
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


def imports(name, path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name if path.name == "__init__.py" else name.rpartition(".")[0]
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parts, base] if base else parts)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def room(module):
    return next((place for prefix, place in ROOMS if module == prefix or module.startswith(f"{prefix}.")), None)


SERVER = [pair for package in ("courses", "exchange", "ngshare_site") for pair in modules(package)]


@pytest.mark.parametrize(("name", "path"), SERVER, ids=[name for name, _ in SERVER])
def test_rooms_import_only_those_before_them(name, path):
    own = room(name)
    for imported in imports(name, path):
        if imported.split(".")[0] in OURS:
            assert imported.split(".")[0] != "nbgrader_plugin", f"{name} imports {imported}"
            is_module = (ROOT / Path(*imported.split("."))).with_suffix(".py").exists() or "." not in imported
            if is_module or room(imported) is not None:
                assert _module_room(imported) <= own, f"{name} must not import {imported}"


def _module_room(imported):
    """The room of the module that holds the imported name."""
    while imported and not (
        (ROOT / Path(*imported.split("."))).with_suffix(".py").exists() or (ROOT / Path(*imported.split("."))).is_dir()
    ):
        imported = imported.rpartition(".")[0]
    is_bare_package = imported in ("courses", "exchange", "exchange.api")
    return -1 if is_bare_package else room(imported)


def test_the_two_apis_do_not_know_each_other():
    for name, path in modules("exchange"):
        for imported in imports(name, path):
            if name.startswith("exchange.api.v1"):
                assert not imported.startswith("exchange.api.v2"), name
            if name.startswith("exchange.api.v2"):
                assert not imported.startswith("exchange.api.v1"), name


def test_file_name_rule_needs_the_standard_library_alone():
    for imported in imports("exchange.paths", ROOT / "exchange/paths.py"):
        assert imported.split(".")[0] in sys.stdlib_module_names


def test_plugin_is_an_island():
    found = list(modules("nbgrader_plugin"))
    assert found
    for name, path in found:
        for imported in imports(name, path):
            top = imported.split(".")[0]
            assert top in sys.stdlib_module_names | PLUGIN_MAY_IMPORT | {"nbgrader_plugin"}, f"{name}: {imported}"


def test_bytes_are_touched_in_blobs_alone():
    for name, path in SERVER:
        if name != "exchange.storage.blobs":
            assert not any("default_storage" in imported for imported in imports(name, path)), name


def test_no_signals_and_no_save_overrides():
    for name, path in SERVER:
        tree = ast.parse(path.read_text())
        assert not any("django.db.models.signals" in imported for imported in imports(name, path)), name
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and name.endswith(".models"):
                assert not {"save", "delete"} & {item.name for item in node.body if isinstance(item, ast.FunctionDef)}


def test_top_level_holds_no_other_package():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= OURS | {"tests", "benchmarks"}
