"""me/: who is asking."""

from django.conf import settings
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from courses.api import serializers
from courses.api.courses import with_role
from courses.permissions import actor_of


class MeView(APIView):
    @extend_schema(responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        """Return who is asking, which courses they belong to, and how much may be submitted."""
        actor = actor_of(request)
        me = {
            "username": actor.username,
            "is_administrator": actor.is_administrator,
            "courses": with_role(actor.visible_courses(), actor),
            "limits": {
                "max_file_size": settings.NGSHARE_MAX_FILE_SIZE,
                "max_submission_size": settings.NGSHARE_MAX_SUBMISSION_SIZE,
                "max_files": settings.NGSHARE_MAX_FILES,
            },
            "server": {"version": settings.SPECTACULAR_SETTINGS["VERSION"], "time": timezone.now()},
        }
        return Response(serializers.MeSerializer(me).data)
