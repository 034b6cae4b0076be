"""What each value of the chart does to the objects."""

import re

import pytest
import yaml
from django.conf import settings

from ngshare_site import __version__
from tests.deploy.charts import DESCRIBE, FOLDER, MANY, containers, environment, look, merged, nested, pods, server
from tests.test_docs import variables_read

pytestmark = pytest.mark.deploy

POD = "Deployment/ngshare: spec.template.spec"
SERVER = f"{POD}.containers.0"
CLAIM = "PersistentVolumeClaim/ngshare-data"
JOB = "CronJob/ngshare-sweep-blobs: spec.jobTemplate.spec.template.spec"
POLICY = "NetworkPolicy/ngshare: spec"
PROBE = {"periodSeconds": 7, "timeoutSeconds": 3, "failureThreshold": 5}
MONITOR = "ServiceMonitor/ngshare: spec"
METRICS = {"metrics": {"existingSecret": "mine"}}
MONITORED = {"metrics": {"existingSecret": "mine", "serviceMonitor": {"enabled": True}}}
SECRET = {"secretKeyRef": {"name": "mine", "key": "its-key"}}
DATABASE = {"database": {"existingSecret": "mine"}}
BUCKET = {"storage": {"s3": {"bucket": "exchange", "existingSecret": "mine"}}}


def probe(path):
    return {"httpGet": {"path": path, "port": "http", "httpHeaders": [{"name": "Host", "value": "localhost"}]}, **PROBE}


BACKUP = "CronJob/ngshare-backup"
BACKED_UP = {"backup": {"enabled": True, "existingClaim": "x"}}
# value: (what it is set to, what else is set, where, what is there then). `env X` is a variable of the server.
EFFECTS = {
    "image.repository": (
        "registry.example.edu:5000/x",
        {},
        f"{SERVER}.image",
        f"registry.example.edu:5000/x:{__version__}",
    ),
    "image.tag": ("2.0", {}, f"{SERVER}.image", "ngshare-service:2.0"),
    "image.digest": (f"sha256:{'a' * 64}", {}, f"{SERVER}.image", f"ngshare-service@sha256:{'a' * 64}"),
    "image.pullPolicy": ("Always", {}, f"{SERVER}.imagePullPolicy", "Always"),
    "imagePullSecrets": ([{"name": "r"}], {}, f"{POD}.imagePullSecrets", [{"name": "r"}]),
    "hub.url": ("http://hub.x.svc:8081", {}, "env JUPYTERHUB_API_URL", "http://hub.x.svc:8081/hub/api"),
    "hub.baseUrl": ("/jupyter/", {}, "env JUPYTERHUB_SERVICE_PREFIX", "/jupyter/services/ngshare/"),
    "hub.serviceName": ("exchange", {}, "env JUPYTERHUB_SERVICE_PREFIX", "/services/exchange/"),
    "hub.publicUrl": (
        "https://hub.example.edu",
        {"hub": {"baseUrl": "/j/"}},
        "env JUPYTERHUB_PUBLIC_HUB_URL",
        "https://hub.example.edu/j/hub/",
    ),
    "hub.proxyUrl": (
        "http://proxy-http:8000",
        {},
        "Pod/ngshare-test: spec.containers.1.args.2",
        "http://proxy-http:8000/services/ngshare/healthz",
    ),
    "hub.existingSecret": ("hub2", {}, "env JUPYTERHUB_API_TOKEN", ("hub2", "hub.services.ngshare.apiToken")),
    "hub.existingSecretKey": ("token", {}, "env JUPYTERHUB_API_TOKEN", ("hub", "token")),
    "hub.namespace": (
        "hubs",
        {},
        f"{POLICY}.ingress.0.from.0.namespaceSelector.matchLabels",
        {"kubernetes.io/metadata.name": "hubs"},
    ),
    "admins": (["alice", "root"], {}, "env NGSHARE_ADMINS", "alice,root"),
    "settings": ({"NGSHARE_HUB_ADMINS": "1"}, {}, "env NGSHARE_HUB_ADMINS", "1"),
    "courses": (
        {"NBG 101": {"instructors": ["alice"]}},
        {},
        "ConfigMap/ngshare-courses: data",
        {"courses.yaml": "courses:\n  NBG 101:\n    instructors:\n    - alice\n"},
    ),
    "persistence.enabled": (False, MANY, CLAIM, None),
    "persistence.existingClaim": ("mine", {}, f"{POD}.volumes.0.persistentVolumeClaim.claimName", "mine"),
    "persistence.storageClass": ("fast", {}, f"{CLAIM}: spec.storageClassName", "fast"),
    "persistence.size": ("1Ti", {}, f"{CLAIM}: spec.resources.requests.storage", "1Ti"),
    "persistence.accessModes": (["ReadWriteMany"], {}, f"{CLAIM}: spec.accessModes", ["ReadWriteMany"]),
    "persistence.keep": (False, {}, f"{CLAIM}: metadata.annotations", None),
    "persistence.annotations": ({"a": "b"}, {}, f"{CLAIM}: metadata.annotations.a", "b"),
    "database.existingSecret": ("pg", {}, "env DATABASE_URL", ("pg", "DATABASE_URL")),
    "database.existingSecretKey": ("uri", DATABASE, "env DATABASE_URL", ("mine", "uri")),
    "storage.s3.bucket": ("exchange", {}, "env NGSHARE_STORAGE", "s3://exchange"),
    "storage.s3.prefix": ("a/b", BUCKET, "env NGSHARE_STORAGE", "s3://exchange/a/b"),
    "storage.s3.endpointUrl": (
        "https://s3.example.edu:9000",
        BUCKET,
        "env NGSHARE_STORAGE",
        "s3://exchange?endpoint_url=https%3A%2F%2Fs3.example.edu%3A9000",
    ),
    "storage.s3.publicEndpointUrl": (
        "https://files.example.edu",
        BUCKET,
        "env NGSHARE_STORAGE",
        "s3://exchange?public_endpoint_url=https%3A%2F%2Ffiles.example.edu",
    ),
    "storage.s3.region": ("eu-1", BUCKET, "env NGSHARE_STORAGE", "s3://exchange?region_name=eu-1"),
    "storage.s3.addressingStyle": ("path", BUCKET, "env NGSHARE_STORAGE", "s3://exchange?addressing_style=path"),
    "storage.s3.existingSecret": ("s3", BUCKET, "env AWS_ACCESS_KEY_ID", ("s3", "AWS_ACCESS_KEY_ID")),
    "storage.s3.accessKeyIdKey": ("id", BUCKET, "env AWS_ACCESS_KEY_ID", ("mine", "id")),
    "storage.s3.secretAccessKeyKey": ("key", BUCKET, "env AWS_SECRET_ACCESS_KEY", ("mine", "key")),
    "cache.url": ("redis://redis:6379/0", {}, "env NGSHARE_CACHE", "redis://redis:6379/0"),
    "cache.existingSecret": ("redis", {}, "env NGSHARE_CACHE", ("redis", "NGSHARE_CACHE")),
    "cache.existingSecretKey": ("url", {"cache": {"existingSecret": "mine"}}, "env NGSHARE_CACHE", ("mine", "url")),
    "secretKey.existingSecret": ("keys", {}, "env NGSHARE_SECRET_KEY", ("keys", "NGSHARE_SECRET_KEY")),
    "secretKey.existingSecretKey": (
        "now",
        {"secretKey": {"existingSecret": "mine"}},
        "env NGSHARE_SECRET_KEY",
        ("mine", "now"),
    ),
    "secretKey.fallbacksKey": (
        "old",
        {"secretKey": {"existingSecret": "mine"}},
        "env NGSHARE_SECRET_KEY_FALLBACKS",
        ("mine", "old"),
    ),
    "mail.existingSecret": ("mail", {}, "env NGSHARE_MAIL_SERVER", ("mail", "NGSHARE_MAIL_SERVER")),
    "mail.existingSecretKey": (
        "url",
        {"mail": {"existingSecret": "mine"}},
        "env NGSHARE_MAIL_SERVER",
        ("mine", "url"),
    ),
    "replicaCount": (5, MANY, "Deployment/ngshare: spec.replicas", 5),
    "server.workers": (4, {}, f"{SERVER}.args.3", "--workers=4"),
    "server.threads": (16, {}, f"{SERVER}.args.4", "--threads=16"),
    "resources": ({"limits": {"memory": "3Gi"}}, {}, f"{JOB}.containers.0.resources.limits", {"memory": "3Gi"}),
    "autoscaling.enabled": (True, MANY, "Deployment/ngshare: spec.replicas", None),
    "autoscaling.minReplicas": (
        3,
        {**MANY, "autoscaling": {"enabled": True}},
        "HorizontalPodAutoscaler/ngshare: spec.minReplicas",
        3,
    ),
    "autoscaling.maxReplicas": (
        9,
        {**MANY, "autoscaling": {"enabled": True}},
        "HorizontalPodAutoscaler/ngshare: spec.maxReplicas",
        9,
    ),
    "autoscaling.targetCPUUtilizationPercentage": (
        50,
        {**MANY, "autoscaling": {"enabled": True}},
        "HorizontalPodAutoscaler/ngshare: spec.metrics.0.resource.target.averageUtilization",
        50,
    ),
    "podDisruptionBudget.enabled": (False, MANY, "PodDisruptionBudget/ngshare", None),
    "probes.startup": (PROBE, {}, f"{SERVER}.startupProbe", probe("/healthz")),
    "probes.liveness": (
        PROBE,
        {},
        f"{SERVER}.livenessProbe",
        probe("/healthz"),
    ),
    "probes.readiness": (
        PROBE,
        {},
        f"{SERVER}.readinessProbe",
        probe("/readyz?without=hub"),
    ),
    "terminationGracePeriodSeconds": (100, {}, f"{POD}.terminationGracePeriodSeconds", 100),
    "service.type": ("NodePort", {}, "Service/ngshare: spec.type", "NodePort"),
    "service.port": (9000, {}, "Service/ngshare: spec.ports.0.port", 9000),
    "service.annotations": ({"a": "b"}, {}, "Service/ngshare: metadata.annotations", {"a": "b"}),
    "metrics.existingSecret": ("metrics", {}, "env NGSHARE_METRICS_TOKEN", ("metrics", "NGSHARE_METRICS_TOKEN")),
    "metrics.existingSecretKey": ("token", METRICS, "env NGSHARE_METRICS_TOKEN", ("mine", "token")),
    "metrics.serviceMonitor.enabled": (True, METRICS, f"{MONITOR}.endpoints.0.path", "/services/ngshare/metrics"),
    "metrics.serviceMonitor.interval": ("15s", MONITORED, f"{MONITOR}.endpoints.0.interval", "15s"),
    "metrics.serviceMonitor.labels": (
        {"release": "x"},
        MONITORED,
        "ServiceMonitor/ngshare: metadata.labels.release",
        "x",
    ),
    "cronJobs": ({"sweep-blobs": {"schedule": "@daily"}}, {}, "CronJob/ngshare-sweep-blobs: spec.schedule", "@daily"),
    "backup.enabled": (True, {"backup": {"existingClaim": "x"}}, f"{BACKUP}: metadata.name", "ngshare-backup"),
    "backup.schedule": ("@daily", BACKED_UP, f"{BACKUP}: spec.schedule", "@daily"),
    "backup.existingClaim": (
        "y",
        BACKED_UP,
        f"{BACKUP}: spec.jobTemplate.spec.template.spec.volumes.-1.persistentVolumeClaim.claimName",
        "y",
    ),
    "backup.keep": (5, BACKED_UP, f"{BACKUP}: spec.jobTemplate.spec.template.spec.containers.0.args.3", "5"),
    "networkPolicy.enabled": (False, {}, "NetworkPolicy/ngshare", None),
    "networkPolicy.from": ([{"app": "x"}], {}, f"{POLICY}.ingress.0.from.0.podSelector.matchLabels", {"app": "x"}),
    "networkPolicy.userPods": (
        True,
        {},
        f"{POLICY}.ingress.0.from.2.podSelector.matchLabels.component",
        "singleuser-server",
    ),
    "networkPolicy.extraFrom": (
        [{"namespaceSelector": {}}],
        {},
        f"{POLICY}.ingress.0.from.3",
        {"namespaceSelector": {}},
    ),
    "networkPolicy.egress.enabled": (True, {}, f"{POLICY}.policyTypes", ["Ingress", "Egress"]),
    "networkPolicy.egress.to": (
        [{"ports": [{"port": 5432}]}],
        {"networkPolicy": {"egress": {"enabled": True}}},
        f"{POLICY}.egress.2",
        {"ports": [{"port": 5432}]},
    ),
    "serviceAccount.create": (False, {}, f"{POD}.serviceAccountName", "default"),
    "serviceAccount.name": ("mine", {}, f"{POD}.serviceAccountName", "mine"),
    "serviceAccount.annotations": ({"role": "x"}, {}, "ServiceAccount/ngshare: metadata.annotations", {"role": "x"}),
    "podSecurityContext": ({"fsGroup": 4}, {}, f"{JOB}.securityContext.fsGroup", 4),
    "securityContext": ({"runAsUser": 5}, {}, f"{JOB}.containers.0.securityContext.runAsUser", 5),
    "extraEnv": ([{"name": "HTTPS_PROXY", "value": "x"}], {}, "env HTTPS_PROXY", "x"),
    "extraEnvFrom": ([{"secretRef": {"name": "x"}}], {}, f"{SERVER}.envFrom", [{"secretRef": {"name": "x"}}]),
    "extraVolumes": ([{"name": "ca", "emptyDir": {}}], {}, f"{JOB}.volumes.2", {"name": "ca", "emptyDir": {}}),
    "extraVolumeMounts": (
        [{"name": "ca", "mountPath": "/ca"}],
        {},
        f"{SERVER}.volumeMounts.2",
        {"name": "ca", "mountPath": "/ca"},
    ),
    "extraInitContainers": ([{"name": "first", "image": "x"}], {}, f"{POD}.initContainers.0.name", "first"),
    "extraContainers": ([{"name": "beside", "image": "x"}], {}, f"{POD}.containers.1.name", "beside"),
    "podLabels": ({"a": "b"}, {}, "Deployment/ngshare: spec.template.metadata.labels.a", "b"),
    "podAnnotations": ({"a": "b"}, {}, "Deployment/ngshare: spec.template.metadata.annotations", {"a": "b"}),
    "nodeSelector": ({"disk": "ssd"}, {}, f"{JOB}.nodeSelector", {"disk": "ssd"}),
    "tolerations": ([{"operator": "Exists"}], {}, f"{JOB}.tolerations", [{"operator": "Exists"}]),
    "affinity": ({"nodeAffinity": {}}, {}, f"{POD}.affinity", {"nodeAffinity": {}}),
    "topologySpreadConstraints": ([{"maxSkew": 2}], MANY, f"{POD}.topologySpreadConstraints", [{"maxSkew": 2}]),
    "priorityClassName": ("high", {}, f"{JOB}.priorityClassName", "high"),
    "scratchSizeLimit": ("5Gi", {}, f"{POD}.volumes.1.emptyDir.sizeLimit", "5Gi"),
    "nameOverride": ("exchange", {}, "Deployment/ngshare-exchange: kind", "Deployment"),
    "fullnameOverride": ("mine", {}, "Service/mine: kind", "Service"),
    "commonLabels": ({"team": "x"}, {}, f"{CLAIM}: metadata.labels.team", "x"),
}


def find(objects, where):
    if where.startswith("env "):
        return environment(server(objects)).get(where.removeprefix("env "))
    return objects.get(where) if ": " not in where else look(objects, where)


@pytest.mark.parametrize("path", EFFECTS)
def test_value_has_its_effect(chart, path):
    value, others, where, expected = EFFECTS[path]
    values = merged(others, nested(path, value))
    assert find(chart.render(values), where) == expected
    before = others if path != "persistence.enabled" else {}
    assert find(chart.render(before), where) != expected, "the same without the value"


def test_every_value_has_a_test():
    described = {
        line.split("`")[1] for line in DESCRIBE["_tables"]((FOLDER / "values.yaml").read_text()) if "| `" in line
    }
    assert described == set(EFFECTS)


def test_settings_leave_out_what_the_chart_sets_itself(chart):
    own = set(environment(server(chart.render({**MANY, "admins": ["x"], "hub": {"publicUrl": "https://x"}}))))
    for name in sorted((own & set(variables_read())) | {"NGSHARE_STANDALONE"}):
        assert re.search(f"settings: [Aa]dditional propert(y|ies) '?{name}", chart.refuse({"settings": {name: "1"}}))


def test_documents_that_are_rendered_at_once_leave_the_servers_their_memory():
    """A pod that needs more is killed, and with it whatever is being submitted."""
    defaults = yaml.safe_load((FOLDER / "values.yaml").read_text())
    at_once = defaults["server"]["workers"] * settings.NGSHARE_RENDERERS
    assert defaults["resources"]["limits"]["memory"] == "2Gi"
    assert at_once * settings.NGSHARE_RENDERING_MEMORY < 2**31 / 2


def test_allowed_hosts_include_those_of_probes_tests_and_users_servers(chart):
    values = {"settings": {"NGSHARE_ALLOWED_HOSTS": "hub.example.edu"}, "hub": {"proxyUrl": "http://proxy-http:8000"}}
    hosts = "hub.example.edu,localhost,ngshare"
    assert environment(server(chart.render(values)))["NGSHARE_ALLOWED_HOSTS"] == f"{hosts},proxy-http"
    assert environment(server(chart.render({**values, "hub": {"proxyUrl": ""}})))["NGSHARE_ALLOWED_HOSTS"] == hosts


def test_service_monitor_sends_the_token_that_the_server_expects_to_the_ports_that_there_are(chart):
    objects = chart.render({**MONITORED, "hub": {"baseUrl": "/jupyter/"}})
    monitor, service = objects["ServiceMonitor/ngshare"], objects["Service/ngshare"]
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["path"] == environment(server(objects))["JUPYTERHUB_SERVICE_PREFIX"] + "metrics"
    assert endpoint["port"] in [port["name"] for port in service["spec"]["ports"]]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    sent = endpoint["authorization"]["credentials"]
    assert environment(server(objects))["NGSHARE_METRICS_TOKEN"] == (sent["name"], sent["key"])


def test_extra_things_reach_every_pod(chart):
    values = {
        "courses": {"NBG 101": None},
        "imagePullSecrets": [{"name": "r"}],
        "extraEnv": [{"name": "HTTPS_PROXY", "value": "x"}],
        "extraVolumes": [{"name": "ca", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/ca"}],
    }
    for shape in ({}, MANY):
        for name, spec, _ in pods(chart.render({**shape, **values})):
            assert spec["imagePullSecrets"] == [{"name": "r"}], name
            assert {"name": "ca", "emptyDir": {}} in spec["volumes"], name
            for container in containers(spec):
                if container["command"] == ["ngshare"]:
                    assert environment(container)["HTTPS_PROXY"] == "x", name
                assert {"name": "ca", "mountPath": "/ca"} in container["volumeMounts"], name
