"""What the admin calls models and fields in Chinese; in English Django's own words, made from their names, will do.

In one table and not as a verbose_name at each of two hundred fields: most names come again and again, and a better
word then changes the catalogue only, where a `verbose_name` would be a migration each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import override, pgettext_lazy

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.apps import AppConfig
    from django.utils.functional import Promise

FIELDS = (
    pgettext_lazy("field", "action"),
    pgettext_lazy("field", "actor"),
    pgettext_lazy("field", "admission"),
    pgettext_lazy("field", "amount meaning en"),
    pgettext_lazy("field", "amount meaning zh"),
    pgettext_lazy("field", "asks questions"),
    pgettext_lazy("field", "at"),
    pgettext_lazy("field", "attempts"),
    pgettext_lazy("field", "blocks since"),
    pgettext_lazy("field", "body"),
    pgettext_lazy("field", "cancel reason"),
    pgettext_lazy("field", "category"),
    pgettext_lazy("field", "category suggested"),
    pgettext_lazy("field", "chain"),
    pgettext_lazy("field", "chains"),
    pgettext_lazy("field", "channel"),
    pgettext_lazy("field", "co hosts"),
    pgettext_lazy("field", "code"),
    pgettext_lazy("field", "colour"),
    pgettext_lazy("field", "context"),
    pgettext_lazy("field", "counted as"),
    pgettext_lazy("field", "counterparts"),
    pgettext_lazy("field", "country"),
    pgettext_lazy("field", "counts as enterprise"),
    pgettext_lazy("field", "created at"),
    pgettext_lazy("field", "data"),
    pgettext_lazy("field", "date joined"),
    pgettext_lazy("field", "description en"),
    pgettext_lazy("field", "description zh"),
    pgettext_lazy("field", "dimension"),
    pgettext_lazy("field", "direction"),
    pgettext_lazy("field", "docking kinds"),
    pgettext_lazy("field", "due at"),
    pgettext_lazy("field", "enterprise"),
    pgettext_lazy("field", "erased at"),
    pgettext_lazy("field", "error"),
    pgettext_lazy("field", "event"),
    pgettext_lazy("field", "factor"),
    pgettext_lazy("field", "family"),
    pgettext_lazy("field", "feeds"),
    pgettext_lazy("field", "gap public"),
    pgettext_lazy("field", "group"),
    pgettext_lazy("field", "holidays"),
    pgettext_lazy("field", "host"),
    pgettext_lazy("field", "is active"),
    pgettext_lazy("field", "is staff"),
    pgettext_lazy("field", "issuer en"),
    pgettext_lazy("field", "issuer zh"),
    pgettext_lazy("field", "kind"),
    pgettext_lazy("field", "language"),
    pgettext_lazy("field", "latitude"),
    pgettext_lazy("field", "level"),
    pgettext_lazy("field", "logo"),
    pgettext_lazy("field", "longitude"),
    pgettext_lazy("field", "merged into"),
    pgettext_lazy("field", "name"),
    pgettext_lazy("field", "name en"),
    pgettext_lazy("field", "name zh"),
    pgettext_lazy("field", "note en"),
    pgettext_lazy("field", "note zh"),
    pgettext_lazy("field", "noun"),
    pgettext_lazy("field", "number"),
    pgettext_lazy("field", "number confirmed"),
    pgettext_lazy("field", "offer expires at"),
    pgettext_lazy("field", "order"),
    pgettext_lazy("field", "owner"),
    pgettext_lazy("field", "parent"),
    pgettext_lazy("field", "path"),
    pgettext_lazy("field", "period"),
    pgettext_lazy("field", "position"),
    pgettext_lazy("field", "programme"),
    pgettext_lazy("field", "province"),
    pgettext_lazy("field", "public id"),
    pgettext_lazy("field", "published at"),
    pgettext_lazy("field", "read at"),
    pgettext_lazy("field", "region"),
    pgettext_lazy("field", "regions"),
    pgettext_lazy("field", "reminded at"),
    pgettext_lazy("field", "requirement"),
    pgettext_lazy("field", "return reason"),
    pgettext_lazy("field", "role"),
    pgettext_lazy("field", "scheme"),
    pgettext_lazy("field", "scope en"),
    pgettext_lazy("field", "scope zh"),
    pgettext_lazy("field", "search text"),
    pgettext_lazy("field", "segment"),
    pgettext_lazy("field", "sent at"),
    pgettext_lazy("field", "sequence"),
    pgettext_lazy("field", "series"),
    pgettext_lazy("field", "sort key"),
    pgettext_lazy("field", "standards"),
    pgettext_lazy("field", "status"),
    pgettext_lazy("field", "submitted at"),
    pgettext_lazy("field", "summary en"),
    pgettext_lazy("field", "summary language"),
    pgettext_lazy("field", "summary zh"),
    pgettext_lazy("field", "synonyms en"),
    pgettext_lazy("field", "synonyms zh"),
    pgettext_lazy("field", "target"),
    pgettext_lazy("field", "to"),
    pgettext_lazy("field", "transaction"),
    pgettext_lazy("field", "unit"),
    pgettext_lazy("field", "updated at"),
    pgettext_lazy("field", "user"),
    pgettext_lazy("field", "valid until on"),
    pgettext_lazy("field", "verb"),
    pgettext_lazy("field", "verification days"),
    pgettext_lazy("field", "verified at"),
    pgettext_lazy("field", "waiting rule"),
    pgettext_lazy("field", "year"),
)
MODELS = (
    pgettext_lazy("model", "audit entry"),
    pgettext_lazy("model", "audit entries"),
    pgettext_lazy("model", "category"),
    pgettext_lazy("model", "categories"),
    pgettext_lazy("model", "certification kind"),
    pgettext_lazy("model", "certification kinds"),
    pgettext_lazy("model", "chain"),
    pgettext_lazy("model", "chains"),
    pgettext_lazy("model", "change"),
    pgettext_lazy("model", "changes"),
    pgettext_lazy("model", "contact"),
    pgettext_lazy("model", "contacts"),
    pgettext_lazy("model", "cooperation kind"),
    pgettext_lazy("model", "cooperation kinds"),
    pgettext_lazy("model", "docking direction"),
    pgettext_lazy("model", "docking directions"),
    pgettext_lazy("model", "docking kind"),
    pgettext_lazy("model", "docking kinds"),
    pgettext_lazy("model", "enterprise"),
    pgettext_lazy("model", "enterprises"),
    pgettext_lazy("model", "enterprise group"),
    pgettext_lazy("model", "enterprise groups"),
    pgettext_lazy("model", "event"),
    pgettext_lazy("model", "events"),
    pgettext_lazy("model", "event level"),
    pgettext_lazy("model", "event levels"),
    pgettext_lazy("model", "event staff"),
    pgettext_lazy("model", "notification"),
    pgettext_lazy("model", "notifications"),
    pgettext_lazy("model", "organiser role"),
    pgettext_lazy("model", "organiser roles"),
    pgettext_lazy("model", "participant kind"),
    pgettext_lazy("model", "participant kinds"),
    pgettext_lazy("model", "programme"),
    pgettext_lazy("model", "programmes"),
    pgettext_lazy("model", "province"),
    pgettext_lazy("model", "provinces"),
    pgettext_lazy("model", "qualification kind"),
    pgettext_lazy("model", "qualification kinds"),
    pgettext_lazy("model", "region"),
    pgettext_lazy("model", "regions"),
    pgettext_lazy("model", "region group"),
    pgettext_lazy("model", "region groups"),
    pgettext_lazy("model", "requirement line"),
    pgettext_lazy("model", "requirement lines"),
    pgettext_lazy("model", "segment"),
    pgettext_lazy("model", "segments"),
    pgettext_lazy("model", "series"),
    pgettext_lazy("model", "unit"),
    pgettext_lazy("model", "units"),
    pgettext_lazy("model", "user"),
    pgettext_lazy("model", "users"),
)


def translate(config: AppConfig) -> None:
    """Gives the models of an application their words; only where Django made one of a name."""
    fields, models = _by_english(FIELDS), _by_english(MODELS)
    for model in config.get_models():
        options = model._meta
        one, many = options.verbose_name_raw, f"{options.verbose_name_plural}"
        options.verbose_name = models.get(one, one)
        options.verbose_name_plural = models.get(many, many)
        for field in (*options.local_fields, *options.local_many_to_many):
            if isinstance(field.verbose_name, str):
                field.verbose_name = fields.get(field.verbose_name, field.verbose_name)


def _by_english(words: Iterable[Promise]) -> dict[str, Any]:
    with override(None):
        return {str(word): word for word in words}
