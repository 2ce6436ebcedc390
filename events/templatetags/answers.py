from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from chains.searchtext import language_of
from chains.templatetags.localised import is_chinese, lang
from events.models import FormAnswer, FormQuestion

register = template.Library()


@register.filter
def answer_words(answer: FormAnswer) -> str:
    """An answer in words, in the language of the reader; of a file its name."""
    question = answer.question
    if question.kind == FormQuestion.Kind.TEXT:
        return answer.text
    if question.kind == FormQuestion.Kind.CONSENT:
        return _("agreed, wording %(version)d") % {"version": answer.version}
    if question.kind == FormQuestion.Kind.FILE:
        return answer.evidence.original_name if answer.evidence else ""
    language = "zh" if is_chinese() else "en"
    words = {one["code"]: one[language] for one in question.choices}
    return _(", ").join(words.get(code, code) for code in answer.chosen)


@register.filter
def written_in(text: str) -> str:
    """The HTML `lang` of what somebody typed without saying in which language."""
    return lang(language_of(text))
