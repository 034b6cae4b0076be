"""receipts/: whether a receipt is genuine, and the public keys with which anybody can find out."""

from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange import receipt_keys, receipts
from exchange.api.v2 import serializers
from exchange.api.v2.parsers import ReceiptParser

KEYS_SECONDS = 300  # how long the list of keys may be kept: a new one is found soon after a rotation


class VerifyReceiptView(APIView):
    parser_classes = (ReceiptParser,)

    @extend_schema(request=serializers.ReceiptSerializer, responses=serializers.VerdictSerializer)
    def post(self, request: Request) -> Response:
        """Return whether this server signed exactly this receipt and still holds what the receipt names."""
        if not isinstance(request.data, dict):
            raise ValidationError(_("Send the receipt, a JSON object."))
        return Response(serializers.VerdictSerializer(receipts.verify(request.data)).data)


class ReceiptKeysView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=serializers.PublicKeysSerializer, auth=[])
    def get(self, request: Request) -> Response:
        """Return the public keys of all receipts, also earlier ones, to anybody: a JSON Web Key Set (RFC 7517)."""
        response = Response(serializers.PublicKeysSerializer(receipt_keys.as_key_set()).data)
        patch_cache_control(response, public=True, max_age=KEYS_SECONDS)
        return response
