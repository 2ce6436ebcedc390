from __future__ import annotations

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


class TolerantCache(RedisCache):
    """For what can be computed again: with Valkey down pages are slower, not broken.

    Not for throttles – those must fail closed, so they stay on the strict default cache.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        try:
            return super().get(key, default, version)
        except (RedisError, OSError) as error:
            logger.warning("cache does not answer: %s", error)
            return default

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
