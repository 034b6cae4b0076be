"""The sample alerts and the dashboard: they name metrics that there are."""

import json
import re

import pytest
import yaml

from tests.ngshare_site.test_metrics import HERE
from tests.servers import ROOT

FOLDER = ROOT / "deploy" / "monitoring"
METRIC = re.compile(r"\bngshare_\w+")

pytestmark = pytest.mark.django_db


def alerts():
    (group,) = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    return group["rules"]


def expressions():
    """{where it stands: an expression}"""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    found = {f"alert {rule['alert']}": rule["expr"] for rule in alerts()}
    for panel in dashboard["panels"]:
        found |= {f"panel {panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]}
    found |= {
        f"variable {each['name']}": each["query"]["query"]
        for each in dashboard["templating"]["list"]
        if each["type"] == "query"
    }
    return found


@pytest.fixture
def offered(client):
    """{metric: the names of its labels}"""
    client.get("/healthz")
    found = {}
    for line in client.get("/metrics", **HERE).text.splitlines():
        if match := re.match(r"(ngshare_\w+)(?:\{(.*)\})? ", line):
            found.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return found


def test_every_metric_that_they_name_is_offered_with_its_labels(offered):
    for where, expression in expressions().items():
        names = set(METRIC.findall(expression))
        assert names or where == "alert NgshareDown", where
        assert names <= set(offered), (where, names - set(offered))
        for name, matchers in re.findall(r"(ngshare_\w+)\{([^}]*)\}", expression):
            assert set(re.findall(r"(\w+)[=!]", matchers)) - {"job"} <= offered[name], (where, name)
        if grouped := set(re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", expression)))):
            assert grouped <= set.union(*(offered[name] for name in names)), where


def test_every_alert_says_what_it_means_and_how_bad_it_is():
    assert len({rule["alert"] for rule in alerts()}) == len(alerts())
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"] and rule["annotations"]["description"]


def test_panels_do_not_overlap():
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) < 24
