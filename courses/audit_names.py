"""What the audit log records in English, in the words of whoever reads it: actions, names of details, origins."""

from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

ACTION_NAMES = {
    # People
    "first contact": _("First contact"),
    "log in": _("Log in"),
    "log out": _("Log out"),
    "rename user": _("Rename an account"),
    "activate user": _("Activate an account"),
    "deactivate user": _("Deactivate an account"),
    "change Hub administration": _("Change administrators of the Hub"),
    "merge users": _("Merge two accounts"),
    "anonymise user": _("Anonymise an account"),
    "download everything submitted": _("Download everything that a person submitted"),
    "choose notices": _("Choose notices"),
    # Courses and members
    "create course": _("Create a course"),
    "trash course": _("Move a course to the trash"),
    "restore course": _("Restore a course"),
    "delete course permanently": _("Delete a course permanently"),
    "announce retirement": _("Announce that a course will be retired"),
    "keep course": _("Keep a course"),
    "set limits": _("Change the limits of a course"),
    "set rules": _("Change a course’s rules about deadlines"),
    "export course": _("Export a course"),
    "import course": _("Import a course"),
    "add member": _("Add a member"),
    "change member": _("Change a member"),
    "remove member": _("Remove a member"),
    "remove members": _("Remove members"),
    "change roles": _("Change roles"),
    "change roster": _("Change a roster"),
    "download roster": _("Download a roster"),
    "download progress": _("Download the table of progress"),
    # Assignments and deadlines
    "release": _("Release an assignment"),
    "unrelease": _("Unrelease an assignment"),
    "restore assignment": _("Restore an assignment"),
    "delete assignment permanently": _("Delete an assignment permanently"),
    "set due date": _("Set a due date"),
    "set deadlines": _("Set deadlines"),
    "grant extension": _("Grant an extension"),
    "withdraw extension": _("Withdraw an extension"),
    "download extensions": _("Download extensions"),
    "set solution": _("Add a solution"),
    "withdraw solution": _("Withdraw a solution"),
    "import assignment": _("Import an assignment"),
    "import release": _("Import a release"),
    # Submissions and feedback
    "submit": _("Submit"),
    "collect": _("Collect submissions"),
    "withdraw submission": _("Move submissions to the trash"),
    "restore submission": _("Restore submissions"),
    "delete submission permanently": _("Delete a submission permanently"),
    "download submissions": _("Download submissions"),
    "download pseudonyms": _("Download pseudonyms"),
    "return feedback": _("Return feedback"),
    "import submission": _("Import a submission"),
    "import feedback": _("Import feedback"),
    # The service
    "create webhook": _("Create a webhook"),
    "change webhook": _("Change a webhook"),
    "delete webhook": _("Delete a webhook"),
    "make webhook secret": _("Make a new secret of a webhook"),
    "send notices again": _("Send notices again"),
    "rotate receipt key": _("Change the key of receipts"),
    "trust receipt key": _("Trust a key of receipts"),
    "mark bytes as missing": _("Mark a file as missing in the store"),
    "mark bytes as present": _("Mark a file as present in the store"),
    "collect garbage": _("Remove what nothing uses any more"),
}

DETAIL_NAMES = {
    "action": _("action"),
    "address": _("address"),
    "attempts": _("further attempts"),
    "blobs": _("blobs"),
    "bytes": _("bytes"),
    "changed": _("changed"),
    "count": _("count"),
    "created": _("created"),
    "cut_off": _("cut-off"),
    "deleted": _("deleted"),
    "deliveries": _("deliveries"),
    "digest": _("digest"),
    "due": _("due date"),
    "email": _("email"),
    "file_sets": _("file sets"),
    "first_name": _("first name"),
    "given": _("given"),
    "gone": _("merged account"),
    "gone_id": _("id of the merged account"),
    "instructors": _("instructors"),
    "is_administrator_here": _("is an administrator here"),
    "is_hub_admin": _("is an administrator of the Hub"),
    "kinds": _("notices"),
    "last_name": _("last name"),
    "late_days": _("late days"),
    "lost": _("lost"),
    "max_attempts": _("attempt limit"),
    "max_bytes": _("limit of the course in bytes"),
    "max_person_bytes": _("limit of one person in bytes"),
    "max_submissions_per_hour": _("submissions of one person per hour"),
    "min_days": _("days for late registrants"),
    "moved": _("moved"),
    "names": _("names"),
    "number": _("number"),
    "of": _("of"),
    "release_at": _("release time"),
    "removed": _("removed"),
    "role": _("role"),
    "section": _("section"),
    "source": _("source"),
    "student": _("student"),
    "submission": _("submission"),
    "submissions": _("submissions"),
    "timezone": _("time zone"),
    "to": _("to"),
    "unwanted": _("unwanted"),
    "was": _("was"),
}

# Where a change of a roster came from; what is missing here is a name, such as CSV.
SOURCES = {"the Hub's groups": _("the Hub's groups"), "declaration": _("declaration")}


def action_name(action: str) -> str:
    """Return an action as a list of actions shows it; one without a name is shown as it was recorded."""
    return str(ACTION_NAMES.get(action) or capfirst(action))


def detail_name(name: str) -> str:
    return str(DETAIL_NAMES.get(name) or name.replace("_", " "))
