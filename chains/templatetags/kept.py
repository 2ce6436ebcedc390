"""Django's own tags for a fixed sentence, the address of a page and that of a static file, worked out once.

They are written a hundred times on a page and say the same each time; looking each of them up again was a third of what
a page of the catalogue costs. They stand among the built-in tags (settings), so that templates are written as ever.
"""

from __future__ import annotations

from typing import Any

from django.template import Context, Library
from django.template.base import FilterExpression, Parser, Token
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as parse_url
from django.templatetags.i18n import TranslateNode, do_translate
from django.templatetags.static import StaticNode
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.translation import get_language

register = Library()


def _is_fixed(part: FilterExpression | None) -> bool:
    """Written in the template, or left out."""
    return part is None or (not part.filters and not part.is_var)


class KeptSentence(TranslateNode):
    """A sentence for each language."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.said: dict[str | None, str] = {}

    def render(self, context: Context) -> str:
        language = get_language()
        said = self.said.get(language)
        if said is None:
            said = self.said[language] = super().render(context)
        return said


@register.tag("translate")
def translate(parser: Parser, token: Token) -> TranslateNode:
    node = do_translate(parser, token)
    literal = getattr(node.filter_expression.var, "literal", None)
    is_fixed = literal is not None and not node.filter_expression.filters
    if node.asvar or not is_fixed or not _is_fixed(node.message_context):
        return node
    return KeptSentence(node.filter_expression, node.noop, None, node.message_context)


class KeptAddress(URLNode):
    """An address with gaps: what is put into them is a public id nearly always, and stands in it as it is."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.addresses: dict[tuple[Any, str], str | None] = {}

    def render(self, context: Context) -> str:
        asked = (get_urlconf(), get_script_prefix())
        if asked not in self.addresses:
            self.addresses[asked] = self._with_gaps(context)
        address = self.addresses[asked]
        values = tuple([arg.resolve(context) for arg in self.args])
        if address is None or not all(map(_is_plain, values)):
            return str(super().render(context))
        return address % values

    def _with_gaps(self, context: Context) -> str | None:
        """None where only certain values fit, such as numbers."""
        gaps = [f"gap{n}gap" for n, _arg in enumerate(self.args)]
        try:
            address = reverse(self.view_name.resolve(context), args=gaps).replace("%", "%%")
        except NoReverseMatch:
            return None
        for gap in gaps:
            address = address.replace(gap, "%s")
        return address


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and value.isascii() and value.isalnum()


@register.tag("url")
def url(parser: Parser, token: Token) -> URLNode:
    node = parse_url(parser, token)
    if node.asvar or node.kwargs or not _is_fixed(node.view_name):
        return node
    return KeptAddress(node.view_name, node.args, node.kwargs, None)


class KeptFile(StaticNode):
    """The address of a file, which stays while the process lives."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.address = ""

    def render(self, context: Context) -> str:
        self.address = self.address or super().render(context)
        return self.address


@register.tag("static")
def static(parser: Parser, token: Token) -> StaticNode:
    node = StaticNode.handle_token(parser, token)
    if node.varname is not None or not _is_fixed(node.path):
        return node
    return KeptFile(None, node.path)
