"""An object store of the S3 kind that users may reach directly, at presigned addresses.

A presigned address allows one act on one object for a while, to whoever has it. It is a secret: it is not logged.
"""

from functools import cached_property
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.client import BaseClient
from botocore.config import Config
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

CHUNKS = 2  # of a large file, 8 MiB each, that are in memory at once


def transfer_config() -> TransferConfig:
    """Return how large files are sent: boto3 would keep ten chunks of each in memory."""
    config = TransferConfig(max_concurrency=CHUNKS)
    config.max_in_memory_upload_chunks = CHUNKS  # the rest of s3transfer's settings, of which boto3 takes some
    return config


class Bucket(S3Storage):
    """`public_endpoint_url` is the store's address for users, where it is not the one that the service uses."""

    def get_default_settings(self) -> dict[str, Any]:
        return {
            **super().get_default_settings(),
            "public_endpoint_url": None,
            "transfer_config": transfer_config(),
        }

    def address(self, act: str, name: str, seconds: int, **parameters: object) -> str:
        """Return the address of an act, `get_object` or `put_object` with its parameters, on an object."""
        parameters |= {"Bucket": self.bucket_name, "Key": self._normalize_name(clean_name(name))}
        address: str = self._signer.generate_presigned_url(act, Params=parameters, ExpiresIn=seconds)
        return address

    @cached_property
    def _signer(self) -> BaseClient:
        """A client that only signs, and with version 4: the earlier one does not sign a body's length."""
        config = Config(signature_version="s3v4", request_checksum_calculation="when_required")
        return self._create_session().client(
            "s3",
            region_name=self.region_name,
            use_ssl=self.use_ssl,
            endpoint_url=self.public_endpoint_url or self.endpoint_url,
            config=self.client_config.merge(config),
            verify=self.verify,
        )
