"""`make chart-readme`: write what the chart's files repeat of others.

In ngshare/README.md, the tables of values, from the comments of ngshare/values.yaml. In ngshare/values.schema.json, the
names that `settings` accepts: every variable of docs/configuration.md that the chart does not set itself.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).parent / "ngshare"
README, SCHEMA = CHART / "README.md", CHART / "values.schema.json"
CONFIGURATION = Path(__file__).parents[2] / "docs" / "configuration.md"
BEGIN, END = "<!-- made from values.yaml by `make chart-readme` -->\n", "<!-- end of what is made -->\n"
# Nobody sets these in a pod: anybody could act as any user; the server is told its port.
NEVER = {"NGSHARE_STANDALONE", "JUPYTERHUB_SERVICE_URL"}


def write_tables(readme: str, values: str) -> str:
    """Return the README with the tables of the values between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "".join(_tables(values)) + "\n" + END + after


def write_settings(schema: str, configuration: str) -> str:
    """Return the schema with the names of the settings."""
    server, _, _ = configuration.partition("## In the users' servers")
    variables = set(re.findall(r"^\| `(\w+)` \|", server, re.MULTILINE))
    templates = (CHART / "templates" / "_pods.tpl").read_text()
    own = set(re.findall(r"^ *- name: ([A-Z_]+)$", templates, re.MULTILINE))
    content = json.loads(schema)
    content["properties"]["settings"]["properties"] = {
        name: {"type": "string"} for name in sorted(variables - own - NEVER)
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _tables(text: str) -> Iterator[str]:
    """Yield a heading for each `## …` of values.yaml, and the rows below it."""
    lines = text.splitlines()
    document = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(document, yaml.MappingNode):
        raise ValueError("values.yaml is not a mapping")
    sections = [(number, line[3:]) for number, line in enumerate(lines) if line.startswith("## ")]
    for path, number, value in _values(document, lines):
        while sections and sections[0][0] < number:
            yield f"\n### {sections.pop(0)[1]}\n\n| value | default | meaning |\n|---|---|---|\n"
        default = json.dumps(yaml.safe_load(yaml.serialize(value)), ensure_ascii=False)
        yield f"| `{path}` | `{default}` | {_comment(lines, number)} |\n"


def _values(node: yaml.MappingNode, lines: list[str], path: str = "") -> Iterator[tuple[str, int, yaml.Node]]:
    """Yield the path, line and value of each key that has a comment, and of those below a mapping without one."""
    for key, value in node.value:
        here, number = f"{path}{key.value}", key.start_mark.line
        if isinstance(value, yaml.MappingNode) and not _comment(lines, number):
            yield from _values(value, lines, f"{here}.")
        elif not _comment(lines, number):
            raise ValueError(f"values.yaml: {here} has no comment")
        else:
            yield here, number, value


def _comment(lines: list[str], number: int) -> str:
    """Return the text of the comment that ends directly above a line."""
    found: list[str] = []
    while number and re.match(r" *# ", lines[number - 1]):
        number -= 1
        found.insert(0, lines[number].lstrip(" #"))
    return " ".join(found).replace("|", "\\|")


def contents() -> dict[Path, str]:
    """Return what each of the files should contain."""
    return {
        README: write_tables(README.read_text(), (CHART / "values.yaml").read_text()),
        SCHEMA: write_settings(SCHEMA.read_text(), CONFIGURATION.read_text()),
    }


def main() -> int:
    for path, content in contents().items():
        path.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
