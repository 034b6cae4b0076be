"""What the house forbids. Who may import whom is in pyproject.toml, for import-linter; here is what it cannot say."""

import ast
import sys
from pathlib import Path

import grimp
import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent
SERVER = ("courses", "exchange", "ngshare_site")
PLUGIN_MAY_IMPORT = {
    "cryptography",
    "dateutil",
    "jinja2",
    "jupyter_core",
    "jupyter_server",
    "nbgrader",
    "nbgrader_plugin",
    "requests",
    "sqlalchemy",
    "tornado",
    "traitlets",
    "urllib3",
}


@pytest.fixture(scope="module")
def graph():
    """All modules of ours, and the packages that they import."""
    return grimp.build_graph(*SERVER, "nbgrader_plugin", include_external_packages=True, cache_dir=None)


def sources():
    """[(path, syntax tree)] of the server's modules."""
    paths = [path for package in SERVER for path in sorted((ROOT / package).rglob("*.py"))]
    return [(path.relative_to(ROOT), ast.parse(path.read_text())) for path in paths if "migrations" not in path.parts]


def test_rooms_import_only_those_below_them(capsys):
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_file_name_rule_needs_the_standard_library_alone(graph):
    assert graph.find_modules_directly_imported_by("exchange.paths") <= sys.stdlib_module_names


def test_plugin_imports_its_few_requirements_alone(graph):
    modules = {"nbgrader_plugin", *graph.find_descendants("nbgrader_plugin")}
    imported = {name.split(".")[0] for module in modules for name in graph.find_modules_directly_imported_by(module)}
    assert imported <= sys.stdlib_module_names | PLUGIN_MAY_IMPORT


def test_bytes_are_touched_in_blobs_and_parts_alone():
    naming = [path for path, tree in sources() if "default_storage" in _names(tree)]
    assert naming == [Path("exchange/storage/blobs.py"), Path("exchange/storage/parts.py")]


def test_no_signals_and_no_save_overrides():
    for path, tree in sources():
        assert "signals" not in _names(tree), path
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and path.name == "models.py":
                methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)}
                assert not methods & {"save", "delete", "bulk_create"}, path


def test_top_level_holds_no_other_package():
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= {*SERVER, "nbgrader_plugin", "tests", "benchmarks"}


def _names(tree):
    """Every name that a module imports or uses, each part of a dotted one for itself."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            dotted = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            found.update(part for name in dotted for part in name.split("."))
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found
