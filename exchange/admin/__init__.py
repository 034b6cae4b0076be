"""Which page of the admin shows what of the exchange. The pages are in exchange/pages/."""

from django.contrib import admin

from exchange.admin.assignments import AssignmentAdmin, ReleaseAdmin
from exchange.admin.storage import BlobAdmin, FileSetAdmin
from exchange.admin.submissions import FeedbackAdmin, SubmissionAdmin
from exchange.models import Assignment, Blob, Feedback, FileSet, Release, Submission

admin.site.register(Assignment, AssignmentAdmin)
admin.site.register(Release, ReleaseAdmin)
admin.site.register(Submission, SubmissionAdmin)
admin.site.register(Feedback, FeedbackAdmin)
admin.site.register(FileSet, FileSetAdmin)
admin.site.register(Blob, BlobAdmin)
