"""The pods of the chart and what is around them: what an administrator of a cluster would look for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from courses.importers import yaml_file
from tests.deploy.charts import EVERYTHING, MANY, ON_A_VOLUME, SHAPES, containers, environment, look, pods, server
from tests.servers import ROOT

pytestmark = pytest.mark.deploy

shapes = pytest.mark.parametrize("values", SHAPES.values(), ids=SHAPES)


# The service


@shapes
def test_service_starts_with_the_environment(chart, values, tmp_path):
    """The real settings accept the variables, and the real command line the arguments."""
    secrets = {
        "DATABASE_URL": "postgres://ngshare:secret@postgres/ngshare",
        "NGSHARE_CACHE": "redis://redis:6379/0",
    }
    container = server(chart.render(values))
    variables = environment(container)
    env = {
        name: secrets.get(name, "abcdefgh1234" * 5) if isinstance(value, tuple) else value
        for name, value in variables.items()
    }
    program = (
        "import json\n"
        "from django.conf import settings as s\n"
        "print(json.dumps([s.PREFIX, s.JUPYTERHUB_API_URL, s.DATABASES['default']['ENGINE'],"
        " s.STORAGES['default']['BACKEND'], s.CACHES['default']['BACKEND'], s.NGSHARE_STANDALONE]))"
    )
    env |= {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "ngshare_site.settings"}
    outcome = subprocess.run(
        [sys.executable, "-c", program], env=env, cwd=ROOT, capture_output=True, text=True, check=True
    )
    many = "database" in values
    assert json.loads(outcome.stdout) == [
        "/services/ngshare/",
        "http://hub:8081/hub/api",
        "django.db.backends.postgresql" if many else "ngshare_site.sqlite",
        "exchange.storage.bucket.Bucket" if many else "exchange.storage.folder.DurableFolder",
        f"ngshare_site.cache.Forgiving{'Redis' if many else 'File'}Cache",
        False,
    ]


@shapes
def test_commands_exist_with_their_arguments(chart, values):
    for name, spec, _ in pods(chart.render(values)):
        for container in containers(spec):
            if container["command"] == ["ngshare"]:
                command, *arguments = container["args"]
                parser = load_command_class(get_commands()[command], command).create_parser("ngshare", command)
                parser.parse_args(arguments)
            else:
                assert name in ("Pod/ngshare-test", "Job/ngshare-courses")


def test_server_listens_where_service_and_probes_expect_it(chart):
    objects = chart.render({"service": {"port": 9000}})
    container = server(objects)
    assert "--bind=0.0.0.0:9000" in container["args"]
    assert container["ports"] == [{"name": "http", "containerPort": 9000}]
    assert objects["Service/ngshare"]["spec"]["ports"] == [{"name": "http", "port": 9000, "targetPort": "http"}]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "http"


def test_uploads_may_finish_when_a_pod_stops(chart):
    for values in ({}, MANY):
        pod = chart.render(values)["Deployment/ngshare"]["spec"]["template"]["spec"]
        assert pod["terminationGracePeriodSeconds"] >= 70
    assert server(chart.render(MANY))["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "5"]
    assert "lifecycle" not in server(chart.render())


def test_declared_courses_are_read_as_they_are_written(chart):
    text = chart.render(ON_A_VOLUME)["ConfigMap/ngshare-courses"]["data"]["courses.yaml"]
    first, second = yaml_file.read(text)
    assert (first.name, second.name) == ("NBG 101", "yes")
    assert [person.username for person in first.people] == ["alice", "007", "no", "carol"]
    assert first.people[-1].first_name == "Zoë: “C”"


def test_declared_courses_are_applied_once_the_database_is_migrated(chart):
    job = chart.render(ON_A_VOLUME)["Job/ngshare-courses"]
    assert job["metadata"]["annotations"] == {
        "helm.sh/hook": "post-install,post-upgrade",
        "helm.sh/hook-delete-policy": "before-hook-creation",  # its log says what was changed
    }
    spec = job["spec"]["template"]["spec"]
    assert "until ngshare migrate --check" in spec["initContainers"][0]["command"][-1]
    mount = next(mount for mount in spec["containers"][0]["volumeMounts"] if mount["name"] == "courses")
    assert spec["containers"][0]["args"] == ["apply_courses", f"{mount['mountPath']}/courses.yaml"]


# Data


def test_one_pod_at_a_time_has_the_volume(chart):
    objects = chart.render(ON_A_VOLUME)
    assert look(objects, "Deployment/ngshare: spec.strategy") == {"type": "Recreate"}
    assert look(objects, "PersistentVolumeClaim/ngshare-data: spec.accessModes") == ["ReadWriteOnce"]
    assert look(objects, "PersistentVolumeClaim/ngshare-data: metadata.annotations") == {
        "helm.sh/resource-policy": "keep"
    }
    labels = objects["Deployment/ngshare"]["spec"]["template"]["metadata"]["labels"]
    users = {}
    for name, spec, _ in pods(objects):
        if any("persistentVolumeClaim" in volume for volume in spec["volumes"]):
            users[name] = spec
    assert set(users) == {
        "Deployment/ngshare",
        "Job/ngshare-courses",
        "CronJob/ngshare-sweep-blobs",
        "CronJob/ngshare-clear-sessions",
        "CronJob/ngshare-verify-blobs",
    }
    del users["Deployment/ngshare"]
    for spec in users.values():
        [term] = spec["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert term["topologyKey"] == "kubernetes.io/hostname"
        assert term["labelSelector"]["matchLabels"].items() <= labels.items()


def test_pods_may_be_anywhere_with_a_volume_that_all_nodes_have_or_none(chart):
    for values in ({"persistence": {"accessModes": ["ReadWriteMany"]}}, MANY):
        for _, spec, _ in pods(chart.render(values)):
            assert "affinity" not in spec


def test_backup_is_written_to_the_claim_beside_the_server(chart):
    objects = chart.render({"backup": {"enabled": True, "existingClaim": "other-disk", "keep": 3}})
    [(spec, container)] = [
        (spec, containers(spec)[0]) for name, spec, _ in pods(objects) if name == "CronJob/ngshare-backup"
    ]
    assert container["args"] == ["backup", "/backup/ngshare", "--keep", "3"]
    assert {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}["backup"] == "/backup"
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert volumes["backup"]["persistentVolumeClaim"]["claimName"] == "other-disk"
    assert "data" in volumes and "affinity" in spec
    assert "CronJob/ngshare-backup" not in chart.render()


def test_data_is_in_a_folder_of_its_own_on_the_volume(chart):
    container = server(chart.render())
    mount = next(mount for mount in container["volumeMounts"] if mount["name"] == "data")
    assert Path(environment(container)["NGSHARE_DATA"]).parent == Path(mount["mountPath"])


def test_sqlite_is_migrated_where_it_is_and_postgresql_before_the_upgrade(chart):
    objects = chart.render()
    assert [c["name"] for c in objects["Deployment/ngshare"]["spec"]["template"]["spec"]["initContainers"]] == [
        "migrate"
    ]
    assert "Job/ngshare-migrate" not in objects
    objects = chart.render(MANY)
    assert "initContainers" not in objects["Deployment/ngshare"]["spec"]["template"]["spec"]
    job = objects["Job/ngshare-migrate"]
    assert job["metadata"]["annotations"] == {
        "helm.sh/hook": "pre-install,pre-upgrade",
        "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded",  # a failed one is there to be read
    }
    # At that time nothing else of the release exists.
    spec = job["spec"]["template"]["spec"]
    assert spec["containers"][0]["args"] == ["migrate", "--no-input"]
    assert "serviceAccountName" not in spec
    assert not [volume for volume in spec["volumes"] if "emptyDir" not in volume]
    for values in ({}, MANY):
        assert "--no-migrate" in server(chart.render(values))["args"]


def test_many_replicas_are_replaced_and_drained_one_by_one(chart):
    objects = chart.render(MANY)
    assert look(objects, "Deployment/ngshare: spec.strategy") == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    assert look(objects, "PodDisruptionBudget/ngshare: spec.maxUnavailable") == 1
    [spread] = look(objects, "Deployment/ngshare: spec.template.spec.topologySpreadConstraints")
    assert (spread["topologyKey"], spread["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    scaler = chart.render(EVERYTHING)["HorizontalPodAutoscaler/ngshare"]["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "ngshare"}
    # With one, a budget would block every drain.
    assert not [name for name in chart.render() if name.startswith("PodDisruptionBudget/")]


# Security


@shapes
def test_pods_meet_the_restricted_standard(chart, values):
    for name, spec, _ in pods(chart.render(values)):
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert spec["automountServiceAccountToken"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec), name
        for volume in spec["volumes"]:
            assert set(volume) - {"name"} <= {"emptyDir", "persistentVolumeClaim", "configMap"}, name
        for container in containers(spec):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert container["resources"]["limits"]["memory"], name


@shapes
def test_reason_of_a_failed_start_is_in_the_pods_status(chart, values):
    for name, spec, _ in pods(chart.render(values)):
        assert {c["terminationMessagePolicy"] for c in containers(spec)} == {"FallbackToLogsOnError"}, name


@shapes
def test_only_what_asks_the_hub_has_its_token(chart, values):
    """So PostgreSQL is migrated, and courses are declared, whether or not the Hub knows the service yet."""
    holders = {
        container["name"]
        for _, spec, _ in pods(chart.render(values))
        for container in containers(spec)
        if "JUPYTERHUB_API_TOKEN" in environment(container)
    }
    assert holders == {"ngshare", "check-hub", "sweep-blobs", "clear-sessions", "verify-blobs"}


def test_pods_are_not_replaced_for_a_new_version_of_the_chart(chart):
    for name, _, metadata in pods(chart.render(ON_A_VOLUME)):
        assert "helm.sh/chart" not in metadata["labels"], name


@shapes
def test_services_of_the_namespace_are_not_in_the_environment(chart, values):
    """A Service named ngshare would set NGSHARE_PORT, one named ngshare-cache something worse."""
    for name, spec, _ in pods(chart.render(values)):
        assert spec["enableServiceLinks"] is False, name


def test_openshift_may_choose_the_ids(chart):
    values = {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}}
    for _, spec, _ in pods(chart.render(values)):
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & set(spec["securityContext"])


# Network


def test_proxy_and_hub_and_own_test_reach_the_server(chart):
    objects = chart.render()
    policy = objects["NetworkPolicy/ngshare"]["spec"]
    [rule] = policy["ingress"]
    assert rule["ports"] == [{"port": "http"}]
    selectors = [source["podSelector"]["matchLabels"] for source in rule["from"]]
    assert selectors[:2] == [{"app": "jupyterhub", "component": "proxy"}, {"app": "jupyterhub", "component": "hub"}]
    labels = objects["Pod/ngshare-test"]["metadata"]["labels"]
    assert selectors[2].items() <= labels.items() and len(selectors) == 3
    assert policy["policyTypes"] == ["Ingress"]


@shapes
def test_policy_is_about_every_pod_and_the_hub_lets_them_in(chart, values):
    objects = chart.render(values)
    selector = objects["NetworkPolicy/ngshare"]["spec"]["podSelector"]["matchLabels"]
    for name, _, metadata in pods(objects):
        assert selector.items() <= metadata["labels"].items(), name
        assert metadata["labels"]["hub.jupyter.org/network-access-hub"] == "true", name


def test_service_and_budget_select_the_server_alone(chart):
    objects = chart.render(EVERYTHING)
    for selector in (
        look(objects, "Service/ngshare: spec.selector"),
        look(objects, "PodDisruptionBudget/ngshare: spec.selector.matchLabels"),
    ):
        assert selector["app.kubernetes.io/instance"] == "ngshare"
        selected = [name for name, _, metadata in pods(objects) if selector.items() <= metadata["labels"].items()]
        assert selected == ["Deployment/ngshare"]


def test_limited_pods_still_reach_names_and_the_hub(chart):
    objects = chart.render({"networkPolicy": {"egress": {"enabled": True}}})
    names, hub = objects["NetworkPolicy/ngshare"]["spec"]["egress"]
    assert [(port["port"], port["protocol"]) for port in names["ports"]] == [(53, "UDP"), (53, "TCP")]
    assert {"podSelector": {"matchLabels": {"app": "jupyterhub", "component": "hub"}}} in hub["to"]


def test_hub_in_another_namespace_may_come_in(chart):
    objects = chart.render({"hub": {"namespace": "hubs"}})
    for source in objects["NetworkPolicy/ngshare"]["spec"]["ingress"][0]["from"][:2]:
        assert source["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "hubs"}}
