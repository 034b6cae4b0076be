"""An object store of the S3 kind that users may reach directly, at presigned addresses.

A presigned address allows one act on one object for a while, to whoever has it. It is a secret: it is not logged.
"""

from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from io import BytesIO
from typing import Any

from boto3.s3.transfer import TransferConfig
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage
from storages.utils import clean_name

CHUNKS = 2  # of a large file, 8 MiB each, that are in memory at once
CONNECTIONS = 100  # that a process keeps, if it had as many at once


def transfer_config() -> TransferConfig:
    """Return how large files are sent: boto3 would keep ten chunks of each in memory."""
    config = TransferConfig(max_concurrency=CHUNKS)
    config.max_in_memory_upload_chunks = CHUNKS  # the rest of s3transfer's settings, of which boto3 takes some
    return config


class Bucket(S3Storage):
    """`public_endpoint_url` is the store's address for users, where it is not the one that the service uses.

    What is small is written and read by one request. boto3's transfers, which cut what is large, need more time than
    that for their threads alone.
    """

    client_config: Config

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.client_config = self.client_config.merge(Config(max_pool_connections=CONNECTIONS))

    def get_default_settings(self) -> dict[str, Any]:
        return {
            **super().get_default_settings(),
            "public_endpoint_url": None,
            "transfer_config": transfer_config(),
        }

    def address(self, act: str, name: str, seconds: int, **parameters: object) -> str:
        """Return the address of an act, `get_object` or `put_object` with its parameters, on an object."""
        parameters |= {"Bucket": self.bucket_name, "Key": self._key(name)}
        address: str = self._signer.generate_presigned_url(act, Params=parameters, ExpiresIn=seconds)
        return address

    def _save(self, name: str, content: File) -> str:
        if content.size > self.transfer_config.multipart_threshold:
            return str(super()._save(name, content))
        content.seek(0)
        key = self._key(name)
        parameters = self._get_write_parameters(key, content)
        self._client.put_object(Bucket=self.bucket_name, Key=key, Body=content.file, **parameters)
        return str(clean_name(name))

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            return super()._open(name, mode)
        found = self._ask(self._client.get_object, name)
        if found["ContentLength"] > self.max_memory_size:
            found["Body"].close()
            return super()._open(name, mode)
        with found["Body"] as body:
            return File(BytesIO(body.read()), name)

    def size(self, name: str) -> int:
        length: int = self._ask(self._client.head_object, name)["ContentLength"]
        return length

    def _ask(self, act: Callable[..., dict[str, Any]], name: str) -> dict[str, Any]:
        """Return the answer to a question about an object. Errors: FileNotFoundError, ClientError."""
        try:
            return act(Bucket=self.bucket_name, Key=self._key(name))
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                raise FileNotFoundError(f"The store has no {name}.") from error
            raise

    def _key(self, name: str) -> str:
        return str(self._normalize_name(clean_name(name)))

    @property
    def _client(self) -> Any:
        """The client of this process, which any of its threads may use."""
        return self.bucket.meta.client

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
