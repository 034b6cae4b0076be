"""The administrators' overview: who sees it, what it says, where its numbers lead."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from courses.permissions import SERVER
from exchange import usage
from exchange.maintenance import recorded_run
from exchange.models import Blob, MaintenanceRun
from exchange.notices import webhooks
from exchange.notices.models import Delivery, State
from ngshare_site import overview
from tests import cast

ADDRESS = "/admin/overview/"


@pytest.fixture
def problems(course, browser):
    """What is wrong now, as the page says."""
    root = browser("root")
    return lambda: [str(problem) for problem in root.get(ADDRESS).context["problems"]]


def run_all():
    for task in overview.TASKS:
        with recorded_run(task) as summary:
            summary["blobs"] = 3


@pytest.mark.parametrize(
    ("who", "status"), [("alice", 403), ("gina", 403), ("carol", 403), ("bob", 302), ("erin", 302)]
)
def test_nobody_but_administrators_sees_it(submission, browser, who, status):
    answer = browser(who).get(ADDRESS)
    assert answer.status_code == status
    assert b"Largest courses" not in answer.content
    if status == 403:
        assert ADDRESS not in browser(who).get("/admin/").text


def test_index_links_to_it(submission, browser):
    assert ADDRESS in browser("root").get("/admin/").text


def test_its_numbers_lead_to_the_lists_behind_them(two_courses, browser):
    root = browser("root")
    page = root.get(ADDRESS)
    for count in page.context["counts"]:
        answer = root.get(count.address)
        assert answer.status_code == 200
        assert answer.context["cl"].result_count == count.value, count.name
    of_first = f'<a href="/admin/exchange/submission/?course={two_courses["course"].pk}">1</a>'
    assert of_first in page.text


def test_largest_courses_and_people_are_named_with_what_they_brought(two_courses, browser):
    text = re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", browser("root").get(ADDRESS).text))
    assert "NBG 101" in text and "Elsewhere" in text
    assert re.search(r"bob \d+ bytes 1 ", text) and re.search(r"zoe \d+ bytes 1 ", text)


def test_whole_tables_are_counted_once_a_minute_and_what_is_lost_at_each_view(two_courses, browser):
    root = browser("root")
    before = {count.name: count.value for count in root.get(ADDRESS).context["counts"]}
    cast.submit(two_courses["assignment"], "dave")
    Blob.objects.filter(sha256=cast.sha256(cast.WORK["ps1.ipynb"])).update(stored=False)
    page = root.get(ADDRESS)
    after = {count.name: count.value for count in page.context["counts"]}
    assert after == {**before, "missing or damaged blobs": 1} and re.search(r"counted at \d\d:\d\d UTC", page.text)
    cache.clear()
    assert root.get(ADDRESS).context["counts"][4].value == before["submissions"] + 1


def test_runs_of_tasks_are_told_with_their_results(problems, browser):
    run_all()
    text = browser("root").get(ADDRESS).text
    assert text.count("blobs: 3") == 3 and "never" not in text.split("Regular tasks")[1].split("</table>")[0]
    assert not [problem for problem in problems() if "backup" in problem]


def test_task_that_never_ran_failed_or_is_overdue_is_a_problem(problems):
    assert any("backup has never run" in problem for problem in problems())
    run_all()
    assert not any("backup" in problem or "_blobs" in problem for problem in problems())
    MaintenanceRun.objects.filter(task="backup").update(ended=timezone.now() - timedelta(days=3))
    assert any("backup has not succeeded for more than 2 days" in problem for problem in problems())
    with pytest.raises(OSError), recorded_run("backup"):
        raise OSError("no space left")
    assert any("The last backup failed: error: no space left" in problem for problem in problems())


def test_lost_bytes_are_a_problem(problems, submission):
    assert not any("damaged" in problem for problem in problems())
    Blob.objects.filter(sha256=cast.sha256(cast.WORK["ps1.ipynb"])).update(stored=False)
    assert any("lost or damaged 1 blob." in problem for problem in problems())


def test_full_disk_is_a_problem(problems, monkeypatch, tmp_path):
    monkeypatch.setattr(usage, "disks", lambda: {"data": usage.Disk(tmp_path, 1000, 99)})
    assert any(f"{tmp_path} is nearly full: 99 bytes of 1 kB are free." == problem for problem in problems())


def test_warnings_of_the_deployment_checks_are_problems(problems, settings):
    settings.DEBUG = True
    assert any("(security.W018)" in problem for problem in problems())
    settings.DEBUG = False
    assert not any("(security.W018)" in problem for problem in problems())


def test_german_reads_german_and_what_is_in_english_alone_says_so(course, browser, settings):
    settings.SESSION_COOKIE_SECURE = False
    settings.NGSHARE_STANDALONE = True
    with pytest.raises(OSError), recorded_run("backup"):
        raise OSError("no space left")
    text = browser("root").get(ADDRESS, headers={"accept-language": "de"}).text
    assert "NGSHARE_STANDALONE ist gesetzt: Alle können als jede beliebige Person handeln. (ngshare.W002)" in text
    assert 'Der letzte Lauf von backup ist gescheitert: <span lang="en">error: no space left</span>' in text
    assert re.search(r'<span lang="en">[^<]+\(security\.W012\)</span>', text) and "(ngshare.W001)" in text
    assert 'lang="en">error: no space left' in text.split("<caption>Regelmäßige Aufträge")[1].split("</table>")[0]
    runs = browser("root").get("/admin/exchange/maintenancerun/", headers={"accept-language": "de"}).text
    assert '<span lang="en">error: no space left</span>' in runs


def test_no_secret_is_shown(course, browser, settings, monkeypatch):
    settings.NGSHARE_METRICS_TOKEN = "hidden-1"
    settings.JUPYTERHUB_API_TOKEN = "hidden-2"
    settings.SECRET_KEY = "hidden-3 0123456789 abcdefghijklmnopqrstuvwxyz"
    settings.SECRET_KEY_FALLBACKS = ["hidden-4 0123456789 abcdefghijklmnopqrstuvwxyz"]
    settings.JUPYTERHUB_API_URL = "http://user:hidden-5@127.0.0.1:9/hub/api"
    monkeypatch.setitem(settings.DATABASES["default"], "PASSWORD", "hidden-6")
    text = browser("root").get(ADDRESS).text
    assert "http://127.0.0.1:9/hub/api" in text and not re.search(r"hidden-\d", text)


def test_what_was_given_up_or_waits_for_a_sender_is_a_problem(problems):
    made, _ = webhooks.create_webhook("worker", "https://worker.example.edu/", ["submitted"], by=SERVER)
    webhooks.send_test(made, by=SERVER)
    assert [problem for problem in problems() if "otice" in problem] == []
    Delivery.objects.update(next_attempt=timezone.now() - timedelta(minutes=20))
    assert any("A notice was due 20 minutes ago" in problem for problem in problems())
    Delivery.objects.update(state=State.GIVEN_UP)
    assert [problem for problem in problems() if "otice" in problem] == [
        "Notices were given up: 1. The list of deliveries says why."
    ]
