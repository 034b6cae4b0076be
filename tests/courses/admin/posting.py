"""What a browser sends of the admin's forms when nobody has touched them, and where in it a member is."""

from courses.models import Membership
from tests import cast

MEMBERS = "/admin/courses/membership/"


def member(username, course=cast.COURSE):
    return Membership.objects.get(course__name=course, user__username=username)


def course_page(course):
    return f"/admin/courses/course/{course.pk}/change/"


def member_page(one):
    return f"{MEMBERS}{one.pk}/change/"


def fields_of(form):
    """What a browser would send of a form that nobody touched."""
    sent = {}
    for name, field in form.fields.items():
        if not field.disabled and form[name].value() is not False:
            sent[form.add_prefix(name)] = form[name].value() or ""
            if field.show_hidden_initial:
                sent[form.add_initial_prefix(name)] = form[name].initial or ""
    return sent


def inline_as_sent(page):
    """The course's page, untouched."""
    formset = page.context["inline_admin_formsets"][0].formset
    sent = fields_of(formset.management_form)
    for form in formset.initial_forms:
        sent |= {key: getattr(value, "pk", value) for key, value in fields_of(form).items()}
    return sent


def list_as_sent(page):
    """The list of members, untouched."""
    formset = page.context["cl"].formset
    sent = {"_save": "Save", **fields_of(formset.management_form)}
    for form in formset.forms:
        sent |= fields_of(form)
    return sent


def row_of(page_or_formset, username):
    return next(form for form in page_or_formset.forms if form.instance.pk and form.instance.user.username == username)


def new_row(number, **said):
    empty = {"username": "", "role": "student", "first_name": "", "last_name": "", "email": "", "section": ""}
    return {f"memberships-{number}-{name}": value for name, value in {**empty, **said}.items()}
