"""Rosters as files in the admin: nothing is written before the differences were seen, and then just those."""

import io
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from courses.importers import tables
from courses.models import AuditEntry, Course, Membership, Role, User
from tests import cast, fuzz


class Fields(HTMLParser):
    """What a browser sends of the hidden fields of a page: line ends as CRLF."""

    def __init__(self, page):
        super().__init__()
        self.sent = {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        field = dict(attrs)
        if tag == "input" and field.get("type") == "hidden":
            value = (field.get("value") or "").replace("\r\n", "\n").replace("\r", "\n")
            self.sent[field["name"]] = value.replace("\n", "\r\n")


@pytest.fixture
def address(course):
    return f"/admin/courses/course/{course.pk}/import/"


@pytest.fixture
def show(address, browser):
    """The page that a file leads to."""

    def upload(content, who="alice", **fields):
        content = content.encode() if isinstance(content, str) else content
        return browser(who).post(address, {"file": SimpleUploadedFile("roster.csv", content), **fields})

    return upload


@pytest.fixture
def take_over(address, browser):
    """Sends what a page has shown, with changes to it."""

    def send(shown, who="alice", **changes):
        fields = {**Fields(shown.content.decode()).sent, **changes}
        assert "seen" in fields, "nothing was shown"
        return browser(who).post(address, {name: value for name, value in fields.items() if value is not None})

    return send


def members(course):
    return dict(course.memberships.values_list("user__username", "role"))


# Looking


def test_page_asks_for_a_file(course, browser, address):
    page = browser("alice").get(address).content.decode()
    assert 'type="file"' in page and "remove_others" in page


def test_differences_are_shown_and_nothing_is_written(course, show):
    Membership.objects.filter(user__username="bob").update(section="A")
    before, people = cast.everything(), User.objects.count()
    page = show(
        "sep=;\nid;role;section;shoe\nbob;grader;B;44\nfrank;;C;\ngina;student;;\nalice;;;\n", remove_others="on"
    ).content.decode()
    assert "Read as UTF-8 with semicolons. Columns: id, role, section." in page and "Ignored: shoe." in page
    assert "1 of 4 lines would change nothing" in page
    assert "section: <del>A</del> → <ins>B</ins>" in page and "role: <del>student</del> → <ins>grader</ins>" in page
    assert all(title in page for title in ("New: 1", "Changed: 1", "Removed from the roster: 1", "Refused: 1"))
    assert '<td>5</td><th scope="row">gina</th>' in page and "never demotes staff" in page
    assert '<td>–</td><th scope="row">dave</th>' in page
    assert (cast.everything(), User.objects.count()) == (before, people)


def test_file_that_says_nothing_new_offers_nothing_to_take_over(course, show):
    page = show("username,role\nbob,student\nalice,instructor").content.decode()
    assert "There is nothing to import" in page and "Import these" not in page


def test_cells_of_a_file_are_no_html(course, show):
    page = show('id,first_name,<b>x\n<script>,"<img src=x>"\nbob,<i>\n,<u>').content.decode()
    assert not any(tag in page for tag in ("<script>,", "<script></th>", "<img src=x", "<b>x", "<i>", "<u>"))


def test_long_list_of_differences_is_cut_and_counted(course, show):
    page = show("id\n" + "".join(f"student{number}\n" for number in range(505))).content.decode()
    assert "New: 505" in page and "… and 5 more" in page and "student504</th>" not in page


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The submitted file is empty."),
        (b"\xef\xbb\xbf\r\n", "The file is empty."),
        (b"\x89PNG\r\n\x1a\n\0\0", "NUL characters"),
        (b"bob,Bob", "must name the columns"),
        (b'id,email\nbob,"b', "Line 2 cannot be read"),
        (b"x" * (tables.MAX_BYTES + 1), "5,000,000 bytes at most"),
        (b"id\n" + b"x\n" * 20_001, "20,000 lines at most"),
    ],
    ids=["empty", "blank", "image", "no header", "open quotation", "too large", "too long"],
)
def test_what_is_no_roster_is_told_beside_the_field(course, show, content, sentence):
    before = cast.everything()
    answer = show(content)
    assert answer.status_code == 200 and sentence in answer.content.decode()
    assert 'type="file"' in answer.content.decode()
    assert cast.everything() == before


def test_post_without_a_file_is_told_so(course, browser, address):
    assert "This field is required" in browser("alice").post(address, {"remove_others": "on"}).content.decode()


@pytest.mark.parametrize("content", ["id,role\nbob,,x\n", "id\n,\na/b\n", "id,role\n"])
def test_nobody_is_taken_off_by_a_file_that_may_lack_somebody(course, show, content):
    before = cast.everything()
    answer = show(content, remove_others="on")
    assert "seen" not in Fields(answer.content.decode()).sent
    assert "errorlist" in answer.content.decode()
    assert cast.everything() == before


# Taking over


def test_what_was_shown_is_taken_over(course, show, take_over):
    answer = take_over(show("id,role\nbob,grader\nfrank,\ngina,student\n"))
    assert (answer.status_code, answer.url) == (302, f"/admin/courses/course/{course.pk}/change/")
    assert members(course) == {**cast.ROLES, "bob": "grader", "frank": "student"}
    (entry,) = AuditEntry.objects.all()
    assert (entry.actor, entry.role, entry.action) == ("alice", "instructor", "change roster")
    assert entry.details == {"created": ["frank"], "changed": ["bob"], "removed": [], "source": "CSV"}


def test_result_is_told(course, show, take_over, client):
    answer = take_over(show("id\nbob\nfrank\ngrace\n", remove_others="on"))
    said = client.get(answer.url).content.decode()
    assert "The roster was imported: 2 created, 1 unchanged, 1 removed." in said


@pytest.mark.parametrize("remove_others", [{}, {"remove_others": "on"}], ids=["others stay", "others go"])
def test_others_go_only_if_that_was_chosen(course, show, take_over, remove_others):
    take_over(show("id\nbob\nfrank", **remove_others))
    assert ("dave" in members(course)) is not bool(remove_others)


@pytest.mark.parametrize(
    "content",
    [
        "\n\n\r\nid,last_name\r\n\r\nbob,Ö\r\n\n\n",
        "\ufeffsep=;\r\nid;last_name\r\nbob;Ö",
        'id,last_name\nbob,"\nÖ\n"\n',
        'id,last_name\rbob,"Ö"\r',
        'id,last_name,email\nbob,Ö,"<>&""\'"\n',
        "\ufeff\ufeffid\tlast_name\nbob\tÖ",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_file_survives_the_page_that_shows_it(course, show, take_over, content, codec):
    take_over(show(content.encode(codec)))
    bob = course.memberships.get(user__username="bob")
    assert (bob.last_name, bob.email) == ("Ö", "<>&\"'" if "email" in content else None)


def test_line_breaks_inside_a_cell_survive_as_well(course, show, take_over):
    take_over(show('id,section\nbob,"a\r\n\r\n b"\n'))
    assert course.memberships.get(user__username="bob").section == "a\n\n b"


def test_latin_1_survives(course, show, take_over):
    take_over(show("id;first_name\nbob;Bjørn".encode("latin-1")))
    assert course.memberships.get(user__username="bob").first_name == "Bjørn"


@pytest.mark.wide
def test_longest_file_that_can_be_shown_can_be_taken_over(course, show, take_over):
    """20,000 lines of nearly 5 MB in Latin-1, of nearly twice that once the browser has sent them."""
    lines = "".join(f"student{number:05},{'é' * 110},{'ü' * 110}\n" for number in range(20_000))
    content = f"id,first_name,last_name\n{lines}".encode("latin-1")
    assert 4_500_000 < len(content) < tables.MAX_BYTES
    assert take_over(show(content)).status_code == 302
    assert course.memberships.count() == 20_004


def test_import_of_what_was_exported_changes_nothing(course, show, browser):
    cast.enrol(course, "'=eve", Role.STUDENT, first_name="=1+1", last_name=" a\r\nb ", section="-", email='"')
    exported = browser("alice").get(f"/admin/courses/course/{course.pk}/roster.csv")
    page = show(b"".join(exported.streaming_content), remove_others="on").content.decode()
    assert "5 of 5 lines would change nothing" in page and "nothing to import" in page


# When things change in between


def test_change_in_between_is_shown_before_anything_is_done(course, show, take_over):
    shown = show("id,section\nbob,B\nfrank,B", remove_others="on")
    cast.enrol(course, "grace", Role.STUDENT)
    before = cast.everything()
    again = take_over(shown)
    assert "The roster has changed since you looked" in again.content.decode()
    assert '<th scope="row">grace</th>' in again.content.decode()
    assert cast.everything() == before
    assert take_over(again).status_code == 302
    assert members(course) == {"alice": "instructor", "gina": "grader", "bob": "student", "frank": "student"}


def test_change_that_makes_no_difference_does_not_ask_again(course, show, take_over):
    shown = show("id,section\nbob,B")
    cast.enrol(course, "grace", Role.STUDENT)
    assert take_over(shown).status_code == 302


@pytest.mark.parametrize("content", ["id,section\nbob,B\nfrank,", "id,section\nbob,B\n,x\n"])
def test_sending_what_was_shown_twice_does_it_once_and_is_no_error(course, show, take_over, client, content):
    shown = show(content)
    take_over(shown)
    before = cast.everything()
    again = take_over(shown)
    assert (again.status_code, again.url) == (302, f"/admin/courses/course/{course.pk}/change/")
    said = client.get(again.url).content.decode()
    assert "Nothing was left to import" in said and '<li class="error">' not in said
    assert cast.everything() == before


# Columns

PLATFORMS = Path(__file__).parents[1] / "importers" / "platforms"


def chosen(page):
    """The columns that are selected on a page."""
    fields = fuzz.Fields(page.content.decode()).values
    return {name: value for name, value in fields if name.startswith("column_")}


def test_columns_that_are_unclear_are_asked_for_and_the_answer_is_imported(course, show, take_over, browser, address):
    before = cast.everything()
    page = show((PLATFORMS / "canvas-gradebook.csv").read_bytes())
    text = page.content.decode()
    assert (
        "3 columns say “username”: “SIS Login ID”, “ID”, “SIS User ID”" in text
        and "SIS Login ID: bob, dave, frank" in text
        and ">Student: Li, Bob, Müller, Dave" in text
    )
    assert chosen(page)["column_username"] == "SIS Login ID" and chosen(page)["column_section"] == "Section"
    sent = {**Fields(text).sent, **chosen(page), "column_section": ""}
    preview = browser("alice").post(address, sent)
    assert (
        "Left out: line 2 (posting of grades), line 3 (Points Possible), line 7 (Student, Test)."
        in preview.content.decode()
    )
    assert cast.everything() == before
    assert take_over(preview).status_code == 302
    bob = course.memberships.get(user__username="bob")
    assert (bob.first_name, bob.last_name, bob.section) == ("Bob", "Li", "")
    assert set(members(course)) == {*cast.ROLES, "frank"}


def test_choice_of_the_part_before_the_at_is_kept_until_the_import(course, show, take_over, browser, address):
    page = show((PLATFORMS / "moodle-grades.csv").read_bytes(), remove_others="on")
    assert "before_at" in dict(fuzz.Fields(page.content.decode()).values)
    preview = browser("alice").post(address, {**Fields(page.content.decode()).sent, **chosen(page), "before_at": "on"})
    take_over(preview)
    assert set(members(course)) == {"alice", "gina", "bob", "dave", "frank"}
    assert course.memberships.get(user__username="frank").email == "frank@example.edu"


def test_columns_can_be_chosen_where_they_seemed_clear(course, show, browser, address):
    shown = show("username,login name,email\nbob,bob2,b@x.org\n")
    page = browser("alice").post(address, {**Fields(shown.content.decode()).sent, "choose": "Choose the columns"})
    assert chosen(page)["column_username"] == "username" and chosen(page)["column_email"] == "email"
    sent = {**Fields(page.content.decode()).sent, **chosen(page), "column_username": "login name"}
    assert '<th scope="row">bob2</th>' in browser("alice").post(address, sent).content.decode()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"column_username": ""}, "This field is required"),
        ({"column_username": "shoe"}, "Select a valid choice"),
        ({"column_email": "x" * 500}, "Select a valid choice"),
    ],
)
def test_choice_of_no_column_is_told_and_asked_again(course, show, browser, address, changes, sentence):
    page = show((PLATFORMS / "canvas-gradebook.csv").read_bytes())
    before = cast.everything()
    again = browser("alice").post(address, {**Fields(page.content.decode()).sent, **chosen(page), **changes})
    assert sentence in again.content.decode() and "column_section" in chosen(again)
    assert cast.everything() == before


@pytest.mark.parametrize(
    "columns", ["[", "[" * 19_000, '{"username": "id"}', "[1]", '["shoe=id"]', '["username=nothing"]']
)
def test_columns_that_were_not_chosen_change_nothing(course, show, take_over, client, columns):
    shown = show("id,section\nbob,B")
    before = cast.everything()
    answer = take_over(shown, columns=columns)
    page = answer if answer.status_code == 200 else client.get(answer.url)
    assert '<li class="error">' in page.content.decode()
    assert cast.everything() == before


@pytest.mark.parametrize(("role", "status"), [(Role.GRADER, 403), (Role.STUDENT, 302), (None, 302)])
def test_right_that_was_lost_in_between_is_gone(course, show, take_over, role, status):
    shown = show("id,section\nbob,B")
    alice = Membership.objects.filter(user__username="alice")
    alice.update(role=role) if role else alice.delete()
    before = cast.everything()
    assert take_over(shown).status_code == status
    assert cast.everything() == before


# Forgery


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"seen": "0" * 64}, 200),
        ({"seen": ""}, 200),
        ({"seen": "x" * 100}, 200),
        ({"text": ""}, 200),
        ({"text": None}, 200),
        ({"text": "id,section\nbob,B\0"}, 200),
        ({"text": "id,section\nbob,C"}, 200),
        ({"text": "bob"}, 302),
        ({"text": 'id\n"bob'}, 302),
        ({"text": "x" * (tables.MAX_BYTES + 1)}, 302),
        ({"remove_others": "on"}, 200),
        ({"text": "id,section\nbob,B\n,C", "remove_others": "on"}, 302),
    ],
    ids=range(12),
)
def test_what_was_not_shown_is_not_done(course, show, take_over, client, changes, status):
    shown = show("id,section\nbob,B")
    before = cast.everything()
    answer = take_over(shown, **changes)
    assert answer.status_code == status
    page = answer if status == 200 else client.get(answer.url)
    assert any(mark in page.content.decode() for mark in ("errornote", '<li class="error">'))
    assert cast.everything() == before


def test_instructor_cannot_make_instructors_by_sending_what_an_administrator_was_shown(course, show, take_over):
    shown = show("id,role\nbob,instructor\nerin,instructor", who="root")
    before = cast.everything()
    assert "Refused: 2" in take_over(shown, who="alice").content.decode()
    assert cast.everything() == before


def test_instructor_takes_over_the_lines_that_are_not_refused(course, show, take_over):
    take_over(show("id,role\nbob,instructor\nalice,student\nfrank,student"))
    assert members(course) == {**cast.ROLES, "frank": "student"}


@pytest.mark.parametrize(("who", "status"), [("gina", 403), ("bob", 302), ("erin", 302), ("carol", 404)])
def test_nobody_else_imports(course, show, take_over, browser, address, who, status):
    shown = show("id,section\nbob,B")
    before = cast.everything()
    assert browser(who).get(address).status_code == status
    assert show("id\nfrank", who=who).status_code == status
    assert take_over(shown, who=who).status_code == status
    assert cast.everything() == before


def test_address_of_another_course_or_of_none_is_not_found(course, show, browser):
    elsewhere = Course.objects.get(name=cast.ELSEWHERE)
    before = cast.everything()
    for pk in (elsewhere.pk, 99_999, 10**20):
        for page in ("import/", "roster.csv", "students-for-nbgrader.csv"):
            assert browser("alice").get(f"/admin/courses/course/{pk}/{page}").status_code == 404
        file = io.BytesIO(b"id\nfrank")
        assert browser("alice").post(f"/admin/courses/course/{pk}/import/", {"file": file}).status_code == 404
    assert cast.everything() == before


def test_form_of_another_site_is_refused(course, address):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.person("alice"))
    before = cast.everything()
    assert strict.post(address, {"file": io.BytesIO(b"id\nfrank")}).status_code == 403
    assert strict.post(address, {"text": "id\nfrank", "seen": "0" * 64}).status_code == 403
    assert cast.everything() == before
