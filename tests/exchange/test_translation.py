"""What people read of the exchange is in their language; what programs read is the same in all of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.utils import timezone, translation

from courses.models import AuditEntry, Membership
from exchange import deadlines, paths, progress_tables, receipts, services
from exchange.deadlines import Deadline, Reason
from exchange.importers import extension_file
from exchange.models import Assignment, FileEntry
from exchange.progress import AssignmentCounts, course_progress
from exchange.rendering import documents
from exchange.services import Grant
from exchange.states import State
from exchange.storage import manifests
from exchange.storage.manifests import ManifestEntry
from tests import cast
from tests.cast import actor

pytestmark = pytest.mark.django_db
GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de"}


@pytest.fixture
def late(submission):
    """bob's submission of ps1, which is late by two days and an hour, and an extension of dave's."""
    due = submission.created - timedelta(days=2, hours=1)
    services.set_due_date(submission.assignment, due, by=actor("alice"))
    grant = Grant("dave", due=due + timedelta(days=9), reason="ill")
    services.grant_extensions(submission.assignment, [grant], by=actor("alice"))
    return submission


# What people read


def admin_page(browser, username, address):
    answer = browser(username).get(address, **GERMAN)
    assert answer.status_code == 200 and answer["Content-Language"] == "de"
    return answer.content.decode()


def test_pages_of_assignments_are_in_german(late, browser):
    listed = admin_page(browser, "alice", "/admin/exchange/assignment/")
    assert "Aufgaben" in listed and "freigegeben" in listed and "Zurückziehen (vor Studierenden verbergen)" in listed
    page = admin_page(browser, "alice", f"/admin/exchange/assignment/{late.assignment.pk}/change/")
    assert "Annahmeschluss" in page and "Höchstzahl der Versuche" in page and "Verlängerungen importieren" in page
    assert "Freigabe 1 vom" in page and "2 Dateien" in page


def test_pages_of_submissions_are_in_german(late, browser):
    listed = admin_page(browser, "alice", "/admin/exchange/submission/")
    assert "verspätet, abgegeben" in listed and "Neuer als die Rückmeldung" in listed and "Probeabgaben" in listed
    assert "in den neuesten 5.000 der Liste" in listed
    page = admin_page(browser, "alice", f"/admin/exchange/submission/{late.pk}/change/")
    assert "alle Abgaben dieser Person" in page and "Kurzcode" in page and "Alle als Zip-Datei herunterladen" in page


def test_table_of_progress_is_in_german(late, browser):
    page = admin_page(browser, "gina", f"/admin/exchange/assignment/status/{late.assignment.course.pk}/")
    assert "1 von 2 Studierenden" in page and "2 Tg. 1 Std. verspätet" in page and "verlängert: ill" in page
    assert "ohne Rückmeldung" in page and "2 Mitglieder" in page


def test_page_that_imports_extensions_is_in_german(late, browser):
    address = f"/admin/exchange/assignment/{late.assignment.pk}/extensions/import/"
    assert "Die erste Zeile nennt die Spalten: username oder section" in admin_page(browser, "alice", address)
    with translation.override("de"):
        file = extension_file.read(late.assignment, "username,due\nerin,2031-01-01T12:00\nbob,soon\n")
        assert file.faults[0] == "Zeile 2, Spalte username: erin gehört nicht zu NBG 101."


def test_change_that_alters_states_is_shown_in_german(late, browser):
    later = timezone.now() + timedelta(days=1)
    with translation.override("de"):
        (change,) = services.set_deadlines(late.assignment, {"due": later}, by=actor("alice"), dry_run=True)
        assert (change.before.late, change.after.late) == (True, False)


def test_history_and_messages_of_the_trash_are_in_german(late, browser):
    sent = {"action": "move_to_trash", "_selected_action": [late.pk]}
    answer = browser("alice").post("/admin/exchange/submission/", sent, follow=True, **GERMAN)
    assert "1 Abgabe wurde in den Papierkorb gelegt." in answer.content.decode()


def test_reasons_states_and_counts_are_in_german():
    with translation.override("de"):
        assert [str(state.label) for state in State][:3] == ["nicht abgegeben", "abgegeben", "eingesammelt"]
        assert Deadline(reason=Reason.SECTION, note="Streik").why == "für die Gruppe verlängert: Streik"
        assert AssignmentCounts(students=3, submitted=2, staff=1, left=2).sentence == (
            "2 von 3 Studierenden; 1 Abgabe des Lehrpersonals; 2 Abgaben von Personen, die nicht mehr dabei sind"
        )
        noon = datetime(2026, 11, 3, 12, tzinfo=UTC)
        assert deadlines.lateness(noon + timedelta(minutes=61), noon) == "1 Std. 1 Min."
        assert str(receipts.MESSAGES[receipts.State.CHANGED]).startswith("Dieser Beleg wurde verändert")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("", "'' ist kein brauchbarer Pfad: Er ist leer."),
        ("../x", "'../x' ist kein brauchbarer Pfad: Er enthält einen Teil '..'."),
        ("a/" * 40 + "b", "Er hat 41 Teile, erlaubt sind 32."),
    ],
)
def test_refused_path_is_told_in_german(path, sentence):
    with translation.override("de"), pytest.raises(manifests.BadPath) as refused:
        manifests.check_manifest([ManifestEntry(path, "0" * 64, 1)])
    assert refused.value.message.endswith(sentence)
    with translation.override("de"), pytest.raises(paths.BadPath, match="is no usable path"):
        paths.check(path)  # whoever shows it translates it


def test_what_documents_say_is_in_the_readers_language_though_it_is_kept_for_all(assignment):
    ours = "\n".join(map(str, range(30)))
    files = services.release(
        assignment.course,
        "ps2",
        cast.upload({"a.txt": ours.encode(), "b.txt": f"{ours}!".encode(), "c.ipynb": b"no notebook"}),
        by=actor("alice"),
    ).file_set
    entries = FileEntry.objects.filter(file_set=files).select_related("blob", "file_set")
    a, b, c = (entries.get(path=path) for path in ("a.txt", "b.txt", "c.ipynb"))
    for language, words, failure in (
        ("en", "26 unchanged lines", "This file is not what its name says, or it is damaged."),
        ("de", "26 unveränderte Zeilen", "Diese Datei ist nicht, was ihr Name sagt, oder sie ist beschädigt."),
    ):
        with translation.override(language):
            (part,) = documents.compare(a, b, person="alice")
            assert part["lines"][0]["text"] == words
            with pytest.raises(documents.Unreadable, match=failure):
                documents.render(c, person="alice")


# What programs read


def test_csv_files_are_the_same_in_all_languages(late, browser):
    Membership.objects.filter(user__username="bob").delete()  # who has left, in words
    gina = browser("gina")
    for address in (
        f"/admin/exchange/assignment/status/{late.assignment.course.pk}/status.csv",
        f"/admin/exchange/assignment/{late.assignment.pk}/extensions.csv",
    ):
        english, german = (b"".join(gina.get(address, HTTP_ACCEPT_LANGUAGE=code)) for code in ("en", "de"))
        assert english == german
    with translation.override("de"):
        rows = list(progress_tables.csv_rows(course_progress(late.assignment.course), [late.assignment]))
    assert rows[1][4] == "left the course" and rows[1][6] == "submitted" and rows[2][-1] == "extended: ill"


def test_what_is_stored_is_in_english(late):
    with translation.override("de"):
        grant = Grant(section="B", attempts=1)
        Membership.objects.filter(user__username="dave").update(section="B")
        Assignment.objects.update(max_attempts=F("pk") * 0 + 3)
        late.assignment.refresh_from_db()
        services.grant_extensions(late.assignment, [grant], by=actor("alice"))
    entry = AuditEntry.objects.filter(action="grant extension").latest("pk")
    assert entry.details == {"to": {"section B": {"attempts": 1}}}
