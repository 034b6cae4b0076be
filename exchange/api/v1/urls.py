"""The addresses of the old wire: names are any text without "/", and no address ends with one."""

from django.urls import path

from exchange.api.v1 import assignments, courses

urlpatterns = [
    path("courses", courses.Courses.as_view()),
    path("course/<str:course>", courses.OneCourse.as_view()),
    path("instructors/<str:course>", courses.Instructors.as_view()),
    path("instructor/<str:course>/<str:username>", courses.OneInstructor.as_view()),
    path("students/<str:course>", courses.Students.as_view()),
    path("student/<str:course>/<str:username>", courses.OneStudent.as_view()),
    path("assignments/<str:course>", assignments.Assignments.as_view()),
    path("assignment/<str:course>/<str:assignment>", assignments.OneAssignment.as_view()),
    path("submissions/<str:course>/<str:assignment>", assignments.Submissions.as_view()),
    path("submissions/<str:course>/<str:assignment>/<str:username>", assignments.StudentSubmissions.as_view()),
    path("submission/<str:course>/<str:assignment>", assignments.HandIn.as_view()),
    path("submission/<str:course>/<str:assignment>/<str:username>", assignments.OneSubmission.as_view()),
    path("feedback/<str:course>/<str:assignment>/<str:username>", assignments.OneFeedback.as_view()),
]
