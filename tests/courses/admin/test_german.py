"""The admin of courses in German, for whoever asks for it; nothing of it is stored."""

import html

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from courses import services
from courses.models import AuditEntry, Course
from courses.services import RosterEntry
from tests import cast
from tests.cast import actor
from tests.courses.admin.posting import MEMBERS, course_page, member, member_page

COURSES = "/admin/courses/course/"
PEOPLE = "/admin/courses/user/"
LOG = "/admin/courses/auditentry/"


@pytest.fixture
def german(course, browser):
    """The text of a page as somebody with a German browser gets it."""

    def ask(who, address, sent=None):
        client = browser(who)
        headers = {"accept-language": "de-DE,de;q=0.9,en;q=0.5"}
        answer = (
            client.get(address, headers=headers)
            if sent is None
            else client.post(address, sent, follow=True, headers=headers)
        )
        assert answer.status_code == 200 and answer["Content-Language"] == "de"
        return html.unescape(answer.content.decode())

    return ask


@pytest.fixture
def german_import(course, german):
    def upload(content, **fields):
        file = SimpleUploadedFile("roster.csv", content.encode())
        return german("alice", f"{COURSES}{course.pk}/import/", {"file": file, **fields})

    return upload


def pages(course):
    bob = member("bob")
    return {
        COURSES: ["Kurse", "Kurs hinzufügen", "<summary>Papierkorb</summary>", "Lehrpersonal", "Endgültig löschen"],
        f"{COURSES}add/": ["Kurs hinzufügen", "Lehrende", "Wie er in nbgrader heißt (course_id)"],
        course_page(course): ["Kurs ändern", "Liste importieren", "Leer für die Grenze des Dienstes", "Benutzername"],
        f"{COURSES}{course.pk}/history/": [f"Geschichte von {course}", "Das Protokoll hat keinen Eintrag dazu."],
        f"{COURSES}{course.pk}/import/": ["importieren", "CSV-Datei", "Unterschiede anzeigen", "Start"],
        MEMBERS: ["<summary>Kurs</summary>", "<summary>Rolle</summary>", "Korrigierende", "5 Mitglieder"],
        f"{MEMBERS}add/": ["Mitglied hinzufügen", "Wie auf JupyterHub."],
        member_page(bob): ["Mitglied ändern", "Vorname", "E-Mail", "Gruppe", "bob (Studierende) in NBG 101"],
        f"{MEMBERS}{bob.pk}/delete/": ["Möchtest du Mitglied", "Nein, bitte abbrechen"],
        PEOPLE: ["Personen", "Zuerst gesehen", "Suche nach Benutzername, Name oder E-Mail"],
        f"{PEOPLE}{bob.user_id}/change/": ["Zusammenführen", "Anonymisieren", "Mitglied in"],
        f"{PEOPLE}{bob.user_id}/act/merge/": ["Mit einem anderen Konto zusammenführen", "nicht rückgängig"],
        LOG: ["Protokoll", "<summary>Wann</summary>", "in den neuesten 20.000 der Liste"],
    }  # fmt: skip


def test_every_page_is_german(course, german):
    for address, texts in pages(course).items():
        page = german("root", address)
        assert [text for text in texts if text not in page] == [], address
        assert "Kurse und Personen" in page or address.endswith("/import/"), address


@pytest.mark.parametrize(("count", "sentence"), [(1, "1 Kurs wurde"), (2, "2 Kurse wurden")])
def test_counts_agree_with_their_nouns(course, german, count, sentence):
    chosen = {"action": "move_to_trash", "_selected_action": [each.pk for each in Course.objects.all()[:count]]}
    asked = german("root", COURSES, chosen)
    assert f"{count} ausgewählt" in asked and "Nur noch die Administration sieht diese Kurse." in asked
    assert f"{sentence} in den Papierkorb gelegt." in german("root", COURSES, {**chosen, "confirmed": "yes"})


def test_phrase_to_type_is_german(course, german):
    for each in Course.objects.all():
        services.trash_course(each, by=actor("root"))
    chosen = {"action": "delete_permanently", "_selected_action": [each.pk for each in Course.objects.all()]}
    asked = german("root", COURSES, chosen)
    assert "Um fortzufahren, tippe: 2 Kurse löschen" in asked and "Mitglieder: 5" in asked
    refused = german("root", COURSES, {**chosen, "confirmed": "yes", "phrase": "delete 2 courses"})
    assert "Tippe genau: 2 Kurse löschen" in refused and Course.objects.count() == 2
    done = german("root", COURSES, {**chosen, "confirmed": "yes", "phrase": "2 Kurse löschen"})
    assert "2 Kurse wurden endgültig gelöscht." in done and not Course.objects.exists()
    recorded = AuditEntry.objects.get(action="delete course permanently", course=cast.COURSE)
    assert recorded.details["deleted"] == {"courses": 1, "members": 4}, "the log is in English"


def test_roster_import_is_german(course, german_import):
    shown = german_import("id;role\nbob;grader\ngina;student\nnew;\n;\nx/y;\n")
    for text in (
        "Gelesen als UTF-8 mit Semikolons. Spalten: id, role. 0 von 4 Zeilen würden nichts ändern.",
        "Neu: 1",
        "Geändert: 1",
        "Rolle: <del>Studierende</del> → <ins>Korrigierende</ins>",
        "Abgelehnt: 2",
        "hat in diesem Kurs die Rolle Korrigierende",
        "nennt niemanden: 'x/y' kann kein Benutzername sein",
        "Diese Änderungen importieren",
    ):
        assert text in " ".join(shown.split()), text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "Die übermittelte Datei ist leer."),
        ("a,b\n1,2\n", "Die erste Zeile muss die Spalten nennen, und eine davon muss „username“ (oder „id“"),
        ("username,login\nbob,x\n", "Zwei Spalten bedeuten „username“: „username“, „login“. Wähle eine davon."),
        ('username\n"bob\n', "Zeile 2 lässt sich nicht lesen"),
        ("PK\x03\x04", "Das ist eine Excel-Arbeitsmappe oder eine Zip-Datei."),
        ("username\n" + "x\n" * 20_001, "Eine Tabelle darf höchstens 20.000 Zeilen haben"),
    ],
)
def test_errors_of_an_import_are_german(german_import, content, sentence):
    assert sentence in german_import(content)


def test_line_that_names_nobody_is_refused_in_german(german_import):
    assert "Zeile 2 nennt niemanden: 'x/y' kann" in german_import("username\nx/y\n", remove_others="on")


def test_history_and_log_are_german_and_the_log_stays_english(course, german):
    services.add_member(course, RosterEntry("zoe"), by=actor("alice"), source="the Hub's groups")
    services.change_member(member("zoe"), RosterEntry("zoe", "grader"), by=actor("root"))
    before = list(AuditEntry.objects.values())
    history = german("alice", f"{COURSES}{course.pk}/history/")
    assert "alice hat zoe hinzugefügt (Rolle: Studierende)" in history
    assert "root hat zoe geändert: Studierende → Korrigierende" in history and "Gruppen des Hubs" in history
    log = german("root", f"{LOG}?action=change+member")
    assert "Mitglied ändern" in log and "root hat zoe geändert" in log and "alice hat" not in log
    assert list(AuditEntry.objects.values()) == before


def test_merge_says_german_and_records_english(course, german):
    bob = cast.person("bob")
    page = german("root", f"{PEOPLE}{bob.pk}/act/merge/", {"confirmed": "yes", "into": "dave"})
    assert "Zusammengeführt: bob ist in dave aufgegangen: 1 Mitglied." in page
    assert AuditEntry.objects.get(action="merge users").details["moved"] == {"members": 1}


def test_filter_names_actions_in_words_of_either_language(course, browser, german):
    services.trash_course(course, by=actor("root"))
    services.restore_course(course, by=actor("root"))
    english = browser("root").get(LOG).content.decode()
    assert ">Move a course to the trash</a>" in english and ">trash course<" not in english
    assert "<summary>When</summary>" in english and "By " not in english
    page = german("root", LOG)
    assert "<summary>Handlung</summary>" in page and ">Kurs in den Papierkorb legen</a>" in page


def test_refusals_of_the_api_are_german(course, settings):
    settings.NGSHARE_STANDALONE = True
    bob = cast.client("bob")
    answer = bob.get(f"/api/v2/courses/{cast.COURSE}/members/", headers={"accept-language": "de"})
    assert answer.status_code == 403 and answer.json()["code"] == "permission_denied"
    assert (
        answer.json()["message"]
        == "Studierende von NBG 101 haben nicht das Recht, die Liste der Teilnehmenden zu sehen."
    )
