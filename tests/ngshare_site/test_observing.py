"""Each request has an id and one line in the log, in which nothing secret stands."""

import json
import logging
import re

import pytest
from django.http import HttpResponse

from courses.models import AuditEntry
from exchange.storage import blobs
from ngshare_site import logs, metrics, observing
from tests import cast, fake_hub
from tests.cast import PS1, WORK, client, post_bundle

pytestmark = pytest.mark.django_db
LOGGER = "ngshare.requests"


@pytest.fixture
def standalone(settings):
    settings.NGSHARE_STANDALONE = True


@pytest.fixture
def lines(caplog):
    """The values of the lines that requests have left so far."""
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    return lambda: [getattr(record, logs.FIELDS) for record in caplog.records if record.name == LOGGER]


def test_line_of_a_request_says_who_what_and_how(standalone, course, lines):
    reply = client("alice").get(cast.v2("courses", cast.COURSE))
    (line,) = lines()
    assert line.pop("milliseconds") > 0
    assert line == {
        "user": "alice",
        "method": "GET",
        "route": "v2:course-detail",
        "path": f"/api/v2/courses/{cast.COURSE}/",
        "status": 200,
        "bytes_in": 0,
        "bytes_out": len(reply.content),
        "complete": True,
    }


def test_bytes_are_those_that_were_read_and_sent(standalone, assignment, lines):
    body = cast.bundle(WORK)
    assert post_bundle(client("bob"), cast.of_assignment("submissions"), body).status_code == 201
    wanted = [cast.sha256(content) for content in PS1.values()]
    reply = client("bob").post(cast.v2("blobs", "bundle"), {"sha256": wanted}, format="json")
    assert reply.streaming and (sent := len(reply.getvalue())) > 0
    reply.close()
    uploaded, downloaded = lines()
    sent_in = sum(len(content) for content in {*WORK.values()})
    assert uploaded["status"] == 201 and sent_in < uploaded["bytes_in"] <= len(body)  # the padding is not read
    assert (downloaded["bytes_out"], downloaded["complete"]) == (sent, True)


def test_body_that_is_announced_and_not_read_does_not_count(rf, lines):
    request = rf.post("/x", b"123", content_type="text/plain", CONTENT_LENGTH="1000000000000")
    observing.observe(lambda request: HttpResponse(request.read(2)))(request).close()
    assert lines()[0]["bytes_in"] == 2


def test_download_that_breaks_off_is_no_complete_one(rf, lines):
    observed = observing.observe(lambda request: streamed)
    streamed = observing.StreamingHttpResponse(iter([b"123", b"456"]))
    response = observed(rf.get("/x"))
    assert next(iter(response)) == b"123"
    assert lines() == []
    response.close()
    (line,) = lines()
    assert (line["bytes_out"], line["complete"]) == (3, False)


def test_head_sends_no_bytes(course, lines, client):
    client.head("/healthz")
    assert lines()[0]["bytes_out"] == 0


def test_static_file_and_unknown_address_have_bounded_routes(lines, client, settings):
    client.get(f"{settings.STATIC_URL}admin/css/base.css").close()
    client.get("/view/anything/at/all")
    static, unknown = lines()
    assert (static["route"], unknown["route"]) == ("static", "unmatched") and static["bytes_out"] > 1000


def test_address_of_api_v1_is_told_by_its_pattern(standalone, course, lines):
    client("alice").get(f"/students/{cast.COURSE}")
    assert lines()[0]["route"] == "students/<str:course>"


def test_user_of_a_session_is_named(course, browse, lines):
    browse("alice").get("/")
    assert lines()[-1]["user"] == "alice"


def test_naming_the_user_asks_the_database_nothing(course, browse, lines, settings, django_assert_num_queries):
    browser = browse("alice")
    with django_assert_num_queries(0):
        browser.get(f"{settings.STATIC_URL}admin/css/base.css").close()
    assert lines()[-1]["user"] == ""


def test_secrets_of_a_request_are_not_logged(hub, course, client, caplog):
    caplog.set_level(logging.DEBUG)
    token = hub.user("token-that-nobody-may-see", "bob", fake_hub.ACCESS)
    headers = {"Authorization": f"token {token}"}
    assert client.get("/api/v2/me/?token=hidden-1", headers=headers).status_code == 200
    client.get("/oauth_callback?code=hidden-2&state=hidden-3")
    client.get("/api/v2/me/", headers={"Authorization": "token hidden-4", "Cookie": "ngshare-session=hidden-5"})
    text = "\n".join(logs.JSONFormatter().format(record) for record in caplog.records)
    assert "/oauth_callback" in text and "hidden" not in text and token not in text


def test_probes_are_no_news_and_errors_of_ours_are_warnings(client, caplog, monkeypatch):
    caplog.set_level(logging.DEBUG, logger=LOGGER)
    client.get("/healthz")
    monkeypatch.setattr(blobs, "probe", lambda: (_ for _ in ()).throw(blobs.StoreUnreachable("away")))
    client.get("/readyz")
    client.get("/nothing")
    levels = [record.levelname for record in caplog.records if record.name == LOGGER]
    assert levels == ["DEBUG", "WARNING", "INFO"]


# Ids


@pytest.mark.parametrize("sent", ["7f3a", "a" * 64, "01HX-3_z.9"])
def test_harmless_id_of_a_proxy_is_kept(client, sent):
    assert client.get("/healthz", headers={"X-Request-ID": sent}).headers["X-Request-ID"] == sent


@pytest.mark.parametrize("sent", ["", "a" * 65, "a b", "x\n", "<b>", "ä", "a;b"])
def test_other_id_is_replaced(client, sent):
    answered = client.get("/healthz", headers={"X-Request-ID": sent}).headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{12}", answered)


def test_every_request_has_an_id_of_its_own(client):
    assert len({client.get("/healthz").headers["X-Request-ID"] for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("who", "address", "status"),
    [
        (None, cast.v2("me"), 401),
        ("erin", cast.v2("courses", cast.COURSE), 403),
        ("alice", cast.v2("nothing"), 404),
        ("alice", cast.v2("courses") + "?x=%00", 400),
    ],
)
def test_errors_of_the_api_have_the_id(standalone, course, who, address, status):
    reply = client(who).get(address)
    assert (reply.status_code, json.loads(reply.content)["request_id"]) == (status, reply.headers["X-Request-ID"])


def test_audit_log_has_the_id_of_requests_alone(standalone, submission):
    assert AuditEntry.objects.latest("pk").request_id is None
    reply = client("alice").post(cast.of_assignment("withdraw"))
    assert reply.status_code == 200
    assert AuditEntry.objects.latest("pk").request_id == reply.headers["X-Request-ID"]


def test_id_ends_with_the_request(client, submission):
    client.get("/healthz")
    cast.submit(submission.assignment, "dave")
    assert AuditEntry.objects.latest("pk").request_id is None


# Metrics


def value(metric, **labels):
    found = metric.labels(**labels) if labels else metric
    return next(sample.value for sample in found.collect()[0].samples if not sample.name.endswith("_created"))


def test_requests_are_counted_by_route_method_and_status(client):
    labels = {"route": "healthz", "method": "GET", "status": "200"}
    before = value(metrics.REQUESTS, **labels)
    client.get("/healthz")
    assert value(metrics.REQUESTS, **labels) == before + 1


def test_made_up_methods_are_one(client):
    before = value(metrics.REQUESTS, route="unmatched", method="other", status="404")
    for method in ("FROB", "NICATE"):
        client.generic(method, "/nothing")
    assert value(metrics.REQUESTS, route="unmatched", method="other", status="404") == before + 2
