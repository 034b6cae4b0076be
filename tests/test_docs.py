"""What the documentation says of names is true: variables and their defaults, commands, files that are linked."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.deploy.charts import DESCRIBE

ROOT = Path(__file__).parent.parent
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "deploy" / "helm" / "ngshare" / "README.md",
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")),
]
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \| ", re.MULTILINE)
COMMAND = re.compile(r"(?:\bngshare|manage\.py) ([a-z]+(?:_[a-z]+)+|serve|check|migrate)\b")
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")


def variables_read():
    """{name: default as written in settings.py, or None} of every variable that a reader of env.py is asked for."""
    found = {}
    for node in ast.walk(ast.parse((ROOT / "ngshare_site" / "settings.py").read_text())):
        if isinstance(node, ast.Call) and re.fullmatch(r"env\.\w+", ast.unparse(node.func)):
            default = node.args[1] if len(node.args) > 1 else None
            found[node.args[0].value] = default.value if isinstance(default, ast.Constant) else None
    return found


def variables_described():
    """{name: default} of the tables about the server; the users' servers come last."""
    server, _, _ = (ROOT / "docs" / "configuration.md").read_text().partition("## In the users' servers")
    return dict(ROW.findall(server))


def test_every_variable_is_described_and_no_other():
    assert set(variables_described()) == set(variables_read())


@pytest.mark.parametrize(("name", "default"), variables_read().items())
def test_defaults_are_described_as_they_are(name, default):
    if default not in (None, ""):
        assert variables_described()[name] == f"`{default}`"


def test_only_env_reads_the_environment():
    for package in ("courses", "exchange", "ngshare_site"):
        for path in (ROOT / package).rglob("*.py"):
            if path.name not in ("env.py", "__main__.py", "wsgi.py"):
                assert "os.environ" not in path.read_text(), path
                assert "getenv" not in path.read_text(), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_that_are_described_exist(page):
    assert set(COMMAND.findall(page.read_text())) <= set(get_commands())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in LINK.findall(page.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_chart_repeats_values_and_settings_as_they_are():
    for path, content in DESCRIBE["contents"]().items():
        assert path.read_text() == content, f"{path.name} is not current: run `make chart-readme`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_has_a_chapter_twice(page):
    chapters = re.findall(r"^## .*", page.read_text(), re.MULTILINE)
    assert len(chapters) == len(set(chapters)), chapters
