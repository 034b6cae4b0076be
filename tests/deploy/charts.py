"""How the tests use the chart: Helm renders it, and the tests look at the objects."""

import json
import os
import re
import runpy
import subprocess
from pathlib import Path

import yaml

from tests.servers import ROOT

FOLDER = ROOT / "deploy" / "helm" / "ngshare"
DESCRIBE = runpy.run_path(str(FOLDER.parent / "describe.py"))
DEFAULTS = yaml.safe_load((FOLDER / "values.yaml").read_text())
# What many replicas need, and nothing more.
MANY = {
    "replicaCount": 3,
    "persistence": {"enabled": False},
    "database": {"existingSecret": "ngshare"},
    "storage": {"s3": {"bucket": "exchange", "endpointUrl": "https://s3.example.edu", "existingSecret": "ngshare"}},
    "cache": {"existingSecret": "ngshare"},
    "secretKey": {"existingSecret": "ngshare"},
}

COURSES = {
    "NBG 101": {
        "instructors": ["alice"],
        "students": ["007", "no", {"username": "carol", "first_name": "Zoë: “C”", "section": "B"}],
    },
    "yes": None,
}
EVERYTHING = {
    **MANY,
    "autoscaling": {"enabled": True},
    "courses": COURSES,
    "admins": ["root"],
    "hub": {"publicUrl": "https://hub.example.edu", "namespace": "hubs"},
    "networkPolicy": {"userPods": True, "egress": {"enabled": True}},
    "settings": {"NGSHARE_MAX_FILES": "500"},
}
ON_A_VOLUME = {"courses": COURSES}
SHAPES = {"default": {}, "on a volume": ON_A_VOLUME, "many replicas": MANY, "everything": EVERYTHING}


class Chart:
    """The chart and one Helm, without a cluster."""

    def __init__(self, helm: Path, folder: Path):
        self.helm = helm
        self.folder = folder
        names = ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "HOME")
        self.env = {**os.environ, **dict.fromkeys(names, str(folder))}
        self.env.pop("KUBECONFIG", None)
        self.rendered = {}

    def run(self, *arguments, values=None):
        """Run Helm, with the values as a file."""
        command = [self.helm, *arguments]
        if values is not None:
            command += ["--values", "-"]
        text = json.dumps(values)
        return subprocess.run(
            command, env=self.env, cwd=self.folder, input=text, capture_output=True, text=True, check=False
        )

    def render(self, values=None, release="ngshare", *options):
        """Return {kind/name: object}, which nobody may change: the same values are rendered once."""
        key = json.dumps([values, release, options])
        if key not in self.rendered:
            self.rendered[key] = self._render(values, release, *options)
        return self.rendered[key]

    def _render(self, values, release, *options):
        outcome = self.run("template", release, FOLDER, "--namespace", "jhub", *options, values=values or {})
        assert outcome.returncode == 0, outcome.stderr
        documents = [document for document in yaml.safe_load_all(outcome.stdout) if document]
        objects = {f"{document['kind']}/{document['metadata']['name']}": document for document in documents}
        assert len(objects) == len(documents), "two objects have one name"
        return objects

    def refuse(self, values, *options):
        """Return the sentence with which the values are refused; it names a value as Helm 3 does."""
        outcome = self.run("template", "ngshare", FOLDER, *options, values=values)
        assert outcome.returncode != 0, "the values were accepted"
        assert outcome.stdout == ""
        assert "nil pointer" not in outcome.stderr and "wrong type" not in outcome.stderr, outcome.stderr
        return " ".join(re.sub(r"at '/([^']*)'", lambda at: at[1].replace("/", "."), outcome.stderr).split())


def nested(path, value):
    """Return {"a": {"b": value}} for "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def merged(first, second):
    """Return both mappings in one, the second one's values where both have them."""
    result = dict(first)
    for key, value in second.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def look(objects, where):
    """Return what is at `Kind/name: a.0.b`; None if there is no such object or key. A dot in a key is written `~`."""
    kind, _, path = where.partition(": ")
    value = objects.get(kind)
    for key in path.split("."):
        if value is None:
            return None
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key.replace("~", "."))
    return value


def pods(objects):
    """Return [(kind/name, pod spec, pod metadata)] of everything that makes pods."""
    found = []
    for name, content in objects.items():
        if name.startswith("Pod/"):
            found.append((name, content["spec"], content["metadata"]))
        elif name.startswith("CronJob/"):
            template = content["spec"]["jobTemplate"]["spec"]["template"]
            found.append((name, template["spec"], template["metadata"]))
        elif re.match("(Deployment|Job)/", name):
            template = content["spec"]["template"]
            found.append((name, template["spec"], template["metadata"]))
    return found


def containers(spec):
    return [*spec.get("initContainers", []), *spec["containers"]]


def server(objects, name="ngshare"):
    """Return the container of the server."""
    return objects[f"Deployment/{name}"]["spec"]["template"]["spec"]["containers"][0]


def environment(container):
    """Return {name: text, or (Secret, key)}."""
    found = {}
    for variable in container.get("env", []):
        secret = variable.get("valueFrom", {}).get("secretKeyRef")
        assert variable["name"] not in found, f"{variable['name']} is set twice"
        found[variable["name"]] = (secret["name"], secret["key"]) if secret else variable["value"]
    return found
