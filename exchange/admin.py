"""Which page of the admin shows what of the exchange. The pages are in exchange/pages/."""

from django.contrib import admin

from exchange.models import Assignment, Blob, Feedback, FileSet, Release, Submission
from exchange.pages.assignments import AssignmentAdmin, ReleaseAdmin
from exchange.pages.storage import BlobAdmin, FileSetAdmin
from exchange.pages.submissions import FeedbackAdmin, SubmissionAdmin

admin.site.register(Assignment, AssignmentAdmin)
admin.site.register(Release, ReleaseAdmin)
admin.site.register(Submission, SubmissionAdmin)
admin.site.register(Feedback, FeedbackAdmin)
admin.site.register(FileSet, FileSetAdmin)
admin.site.register(Blob, BlobAdmin)
