"""The addresses of the old wire: names are any text without "/", and no address ends with one."""

from django.urls import path

from exchange.api.v1 import rosters, work

urlpatterns = [
    path("courses", rosters.Courses.as_view()),
    path("course/<str:course>", rosters.OneCourse.as_view()),
    path("instructors/<str:course>", rosters.Instructors.as_view()),
    path("instructor/<str:course>/<str:username>", rosters.OneInstructor.as_view()),
    path("students/<str:course>", rosters.Students.as_view()),
    path("student/<str:course>/<str:username>", rosters.OneStudent.as_view()),
    path("assignments/<str:course>", work.Assignments.as_view()),
    path("assignment/<str:course>/<str:assignment>", work.OneAssignment.as_view()),
    path("submissions/<str:course>/<str:assignment>", work.Submissions.as_view()),
    path("submissions/<str:course>/<str:assignment>/<str:username>", work.StudentSubmissions.as_view()),
    path("submission/<str:course>/<str:assignment>", work.HandIn.as_view()),
    path("submission/<str:course>/<str:assignment>/<str:username>", work.OneSubmission.as_view()),
    path("feedback/<str:course>/<str:assignment>/<str:username>", work.OneFeedback.as_view()),
]
