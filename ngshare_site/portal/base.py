"""What all pages of the portal share."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from courses.permissions import Actor, actor_of


@method_decorator([never_cache, require_safe], name="dispatch")
class MemberView(LoginRequiredMixin, View):
    """A page for whoever is logged in, which no browser or proxy keeps."""

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)
