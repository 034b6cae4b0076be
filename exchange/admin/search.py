"""Searching the lists of objects with files: by student, assignment and course, and by their files.

Names are looked for in the tables of people, members and assignments, and hashes by their first digits, so that the
indexes lead to the rows. Paths have no index, and there may be millions: they are looked for in the newest rows of
those in which the other words are found, so that a person or an assignment leads to a path in however old a row.
"""

from typing import Any, TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils.formats import number_format
from django.utils.functional import lazy

from courses.admin.search import in_columns
from courses.models import Membership, User
from exchange import short_codes
from exchange.models import Assignment, Blob, Extension, Feedback, FileEntry, FileSet, Release, Solution, Submission

M = TypeVar("M", bound=Model)
MIN_HASH_DIGITS = 8  # on lists where most words are names
MD5_DIGITS = 32
MAX_ID_DIGITS = 18
NEWEST = 5000  # rows of a list in whose files a path is looked for
NEWEST_COUNT = lazy(number_format, str)(NEWEST, force_grouping=True)


def as_hash(word: str) -> str | None:
    """Return the digits if the word looks like a hash, or like its first digits and `…`, as pages show it."""
    digits = word.removesuffix("…").lower()
    return digits if digits and all(char in "0123456789abcdef" for char in digits) else None


def begins(column: str, digits: str) -> Q:
    """Find hashes by their first digits, in a range: no database has to use an index for `LIKE`."""
    return Q((f"{column}__gte", digits), (f"{column}__lt", f"{digits}g"))


# Names


def of_assignment(word: str, assignment: str) -> Q:
    """Find by the name of an assignment or of its course; `assignment` is the path to it."""
    found = Assignment.objects.filter(in_columns(["name", "course__name"], word))
    return Q((f"{assignment}__in", found.order_by().values("pk")))


def of_student(word: str, submission: str = "") -> Q:
    """Find by user name, or by what the roster of the submission's own course calls the student."""
    return _of_person(word, f"{submission}student", f"{submission}assignment__course")


def _of_person(word: str, person: str, course: str) -> Q:
    named = Membership.objects.filter(in_columns(["first_name", "last_name", "email"], word)).order_by()
    there = named.filter(user=OuterRef(person), course=OuterRef(course))
    by_username = User.objects.filter(username__icontains=word).order_by().values("pk")
    # The index leads to what those have submitted whom any course calls so; few are left to compare.
    by_name = Q((f"{person}__in", named.values("user"))) & Q(Exists(there))
    return Q((f"{person}__in", by_username)) | by_name


def of_submission(word: str, submission: str = "") -> Q:
    """Find submissions, or what belongs to them by the path `submission__`."""
    return of_student(word, submission) | of_assignment(word, f"{submission}assignment")


def with_code(word: str) -> Q | None:
    """Find the submission of a short code, in any spelling. None if the word is no code of any: it may be a name."""
    code = short_codes.parse(word)
    return Q(code=code) if code and Submission.objects.filter(code=code).exists() else None


def with_number(word: str) -> Q:
    """Find a submission by the number of its receipt."""
    return Q(pk=int(word)) if is_number(word) else Q(pk__in=[])


def is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) <= MAX_ID_DIGITS


def with_receipt(word: str, submission: str) -> Q:
    """Find what belongs to a submission, by number or short code of its receipt; `submission` leads to its id."""
    found = Q((submission, int(word))) if is_number(word) else Q(pk__in=[])
    if code := short_codes.parse(word):
        found |= Q((f"{submission}__in", Submission.objects.filter(code=code).order_by().values("pk")))
    return found


def of_assignments(word: str) -> Q:
    """For assignments: name, course, who has an extension, a receipt, or a path in the latest release."""
    extended = Extension.objects.filter(_of_person(word, "user", "assignment__course") | Q(section__icontains=word))
    in_release = FileEntry.objects.filter(file_set=OuterRef("latest_release__file_set"), path__icontains=word)
    return (
        in_columns(["name", "course__name"], word)
        | Q(pk__in=extended.order_by().values("assignment"))
        | Q(pk__in=Submission.objects.filter(with_receipt(word, "pk")).order_by().values("assignment"))
        | Q(Exists(in_release.order_by()))
    )


# Files


def in_files(word: str, rows: QuerySet[M]) -> Q:
    """For rows with a `file_set`: its digest, or a path or hash in it."""
    digits = as_hash(word)
    if digits and len(digits) >= MIN_HASH_DIGITS:
        file_sets = FileSet.objects.filter(begins("digest", digits)).order_by().values("pk")
        return Q(file_set__in=file_sets) | Q(file_set__in=_file_sets_with(digits)) | _in_paths(word, "file_set", rows)
    return _in_paths(word, "file_set", rows)


def is_path(word: str) -> bool:
    """Return whether a word can hardly be anything else: it is looked for where the other words are found."""
    return "/" in word or "." in word


def of_file_sets(word: str, rows: QuerySet[FileSet]) -> Q:
    """For file sets: digest, a path or hash in it, or where it is used."""
    digits = as_hash(word)
    by_hash = begins("digest", digits) | Q(pk__in=_file_sets_with(digits)) if digits else Q()
    return by_hash | _in_paths(word, "pk", rows) | _used(word, "pk")


def of_blobs(word: str, rows: QuerySet[Blob]) -> Q:
    """For blobs: hash, a path that it has somewhere, or where it is used."""
    digits = as_hash(word)
    by_hash = _blobs_with(digits) if digits else Q()
    used = FileEntry.objects.filter(_used(word, "file_set")).order_by()
    has_path = Exists(FileEntry.objects.filter(blob=OuterRef("pk"), path__icontains=word))
    return by_hash | Q(pk__in=used.values("blob")) | (_newest(rows) & Q(has_path))


def has_more_than_newest(rows: QuerySet[Any]) -> bool:
    return rows.order_by().values("pk")[NEWEST : NEWEST + 1].exists()


def _newest(rows: QuerySet[Any]) -> Q:
    return Q(pk__in=rows.order_by("-pk").values("pk")[:NEWEST])


def _in_paths(word: str, file_set: str, rows: QuerySet[Any]) -> Q:
    entries = FileEntry.objects.filter(file_set=OuterRef(file_set), path__icontains=word)
    return _newest(rows) & Q(Exists(entries.order_by()))


def _blobs_with(digits: str) -> Q:
    # The second condition is the index's: known are the checksums of files that API v1 was asked about.
    by_md5 = Q(md5=digits) & ~Q(md5="") if len(digits) == MD5_DIGITS else Q()
    return begins("sha256", digits) | by_md5


def _file_sets_with(digits: str) -> QuerySet[FileEntry, Any]:
    blobs = Blob.objects.filter(_blobs_with(digits)).order_by().values("pk")
    return FileEntry.objects.filter(blob__in=blobs).order_by().values("file_set")


def _used(word: str, file_set: str) -> Q:
    """Find a file set by student, assignment or course of its uses. In subqueries: joins would multiply."""
    submissions = Submission.objects.filter(of_submission(word)).order_by()
    uses: list[QuerySet[Any]] = [
        Release.objects.filter(of_assignment(word, "assignment")),
        Solution.objects.filter(of_assignment(word, "assignment")),
        submissions,
        Feedback.objects.filter(submission__in=submissions.values("pk")),
    ]
    return Q(*((f"{file_set}__in", rows.order_by().values("file_set")) for rows in uses), _connector=Q.OR)
