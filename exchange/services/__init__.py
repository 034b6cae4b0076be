"""Service functions: whatever changes something in the exchange happens here.

The APIs, the admin and the commands all call them. The actor is the keyword `by`. Each function checks the permission
first; then one transaction acts and adds one entry to the audit log. The bytes of an upload are stored before it opens.
"""

from exchange.services.assignments import (
    UNCHANGED,
    AlreadyReleased,
    Unchanged,
    add_release,
    check_assignment_name,
    delete_assignment_permanently,
    release,
    restore,
    unrelease,
)
from exchange.services.deadlines import (
    DEADLINE_FIELDS,
    Grant,
    StateChange,
    check_deadlines,
    check_grant,
    check_has_effect,
    grant_extensions,
    record_extensions_download,
    set_deadlines,
    set_due_date,
    withdraw_extensions,
)
from exchange.services.feedback import FeedbackItem, find_submissions, return_feedback
from exchange.services.solutions import find_solution, set_solution, withdraw_solution
from exchange.services.submissions import (
    delete_submission_permanently,
    mark_collected,
    record_download,
    record_progress_download,
    record_pseudonyms_download,
    restore_submissions,
    withdraw_submissions,
)
from exchange.services.submitting import (
    Closed,
    KeyReused,
    NoAttemptsLeft,
    ReleaseChanged,
    check_may_submit,
    submit,
)
from exchange.services.uploads import begin_upload, check_number, complete_upload, find_upload, store_part

__all__ = [
    "UNCHANGED",
    "DEADLINE_FIELDS",
    "AlreadyReleased",
    "Closed",
    "FeedbackItem",
    "Grant",
    "KeyReused",
    "NoAttemptsLeft",
    "ReleaseChanged",
    "StateChange",
    "Unchanged",
    "add_release",
    "begin_upload",
    "check_assignment_name",
    "check_deadlines",
    "check_grant",
    "check_has_effect",
    "check_number",
    "complete_upload",
    "delete_assignment_permanently",
    "delete_submission_permanently",
    "find_solution",
    "find_submissions",
    "find_upload",
    "grant_extensions",
    "mark_collected",
    "record_download",
    "record_extensions_download",
    "record_progress_download",
    "record_pseudonyms_download",
    "release",
    "restore",
    "restore_submissions",
    "return_feedback",
    "set_deadlines",
    "set_due_date",
    "set_solution",
    "store_part",
    "check_may_submit",
    "submit",
    "unrelease",
    "withdraw_extensions",
    "withdraw_solution",
    "withdraw_submissions",
]
