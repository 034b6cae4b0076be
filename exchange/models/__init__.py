"""The models of what is exchanged, by subject; docs/design.md explains the words.

Nothing here is overwritten: releases, submissions, feedback and file sets are only added, and what is hidden has a time
in its column `withdrawn_at`.
"""

from exchange.models.assignments import Assignment, AssignmentQuerySet, Release, Solution, shown_at
from exchange.models.extensions import Extension
from exchange.models.files import Blob, BlobUpload, Fault, FileEntry, FileSet
from exchange.models.maintenance import MaintenanceRun
from exchange.models.submissions import Feedback, ReceiptKey, Submission, SubmissionQuerySet

__all__ = [
    "shown_at",
    "AssignmentQuerySet",
    "Assignment",
    "Release",
    "Solution",
    "Extension",
    "Fault",
    "Blob",
    "FileSet",
    "FileEntry",
    "BlobUpload",
    "MaintenanceRun",
    "SubmissionQuerySet",
    "Submission",
    "Feedback",
    "ReceiptKey",
]
