"""receipts/verify/: whether a receipt is genuine."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from exchange import receipts
from exchange.api.v2 import serializers
from exchange.api.v2.parsers import ReceiptParser


class VerifyReceiptView(APIView):
    parser_classes = (ReceiptParser,)

    @extend_schema(request=serializers.ReceiptSerializer, responses=serializers.VerdictSerializer)
    def post(self, request: Request) -> Response:
        """Return whether this server signed exactly this receipt and still holds what the receipt names."""
        if not isinstance(request.data, dict):
            raise ValidationError("Send the receipt, a JSON object.")
        valid, message = receipts.verify(request.data)
        return Response(serializers.VerdictSerializer({"valid": valid, "message": message}).data)
