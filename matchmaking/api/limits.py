"""How much one answer holds and how often one may ask. Named in the settings, so it imports no views."""

from __future__ import annotations

from django.core.cache import caches
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.throttling import AnonRateThrottle, UserRateThrottle


class Pagination(LimitOffsetPagination):
    default_limit = 25
    max_limit = 200


class AnonThrottle(AnonRateThrottle):
    # Counted in the tolerant cache: with Valkey down the API answers, unthrottled for that while.
    cache = caches["pages"]


class UserThrottle(UserRateThrottle):
    cache = caches["pages"]
