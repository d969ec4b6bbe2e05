"""A client that holds every answer of every test against openapi.yaml."""

import uuid
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from openapi_core import OpenAPI
from openapi_core.contrib.django import DjangoOpenAPIRequest, DjangoOpenAPIResponse
from rest_framework.test import APIClient


@cache
def document() -> OpenAPI:
    text = Path(settings.BASE_DIR, "openapi.yaml").read_text()
    return OpenAPI.from_dict(yaml.safe_load(text))


class ContractClient(APIClient):
    """Sends a fresh idempotency key with every POST unless the test gives one."""

    def __init__(self, token: str | None = None, **defaults: Any) -> None:
        super().__init__(**defaults)
        if token:
            self.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def post(self, path: str, data: Any = None, *args: Any, **extra: Any) -> Any:
        extra.setdefault("HTTP_IDEMPOTENCY_KEY", str(uuid.uuid4()))
        return super().post(path, data if data is not None else {}, *args, **extra)

    def request(self, **kwargs: Any) -> Any:
        response = super().request(**kwargs)
        return response
