from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class _Client(RedisCacheClient):
    """Django makes a client of the library for each command, which took longer than the command."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._kept: dict[bool, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        if write not in self._kept:
            self._kept[write] = super().get_client(key, write=write)
        return self._kept[write]


class TolerantCache(RedisCache):
    """For what can be computed again: with Valkey down pages are slower, not broken.

    Not for throttles – those must fail closed, so they stay on the strict default cache.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)
            return default

    def get_many(self, keys: Iterable[Any], version: int | None = None) -> dict[Any, Any]:
        try:
            return super().get_many(keys, version)
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)
            return {}

    def add(self, key: Any, value: Any, timeout: Any = 300, version: int | None = None) -> bool:
        """With Valkey down nothing was there before: the caller goes on as the first one."""
        try:
            return bool(super().add(key, value, timeout, version))
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)
            return True

    def delete(self, key: Any, version: int | None = None) -> bool:
        try:
            return bool(super().delete(key, version))
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)
            return False

    def set(self, key: Any, value: Any, timeout: Any = 300, version: int | None = None) -> None:
        try:
            super().set(key, value, timeout, version)
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)

    def set_many(
        self, data: dict[Any, Any], timeout: Any = 300, version: int | None = None
    ) -> list[Any]:
        try:
            return super().set_many(data, timeout, version)
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)
            return list(data)
