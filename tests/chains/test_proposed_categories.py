"""Rows of a list that name no category the register knows: what is proposed, and that nothing fits where nothing does."""

from __future__ import annotations

import pytest
from django.utils import translation

from chains.forms.import_capabilities import CapabilityRows
from chains.forms.register import Register
from chains.forms.requirement_sheet import proposal

pytestmark = pytest.mark.django_db
BOX, PARTY = "光伏接线盒 1500V", "wedding photography for our annual party"


class Said(list):
    has_errors = False

    def warn(self, field, sentence):
        self.append((field, sentence))

    error = warn


def drafted(**values):
    said = Said()
    rows = CapabilityRows.__new__(CapabilityRows)
    rows.register = Register()
    draft_categories = rows._categories(values.get("categories"), values["title"], said)
    return draft_categories, [sentence for field, sentence in said if field == "categories"]


@pytest.mark.parametrize(
    ("typed", "start"),
    [
        ("接线盒类", "“接线盒类” is no category of the list: left out."),
        (None, "No category is named."),
    ],
)
def test_capability_without_a_category_of_the_list_gets_a_proposal(typed, start):
    kept, (sentence,) = drafted(title=BOX, categories=typed)

    assert kept == []
    assert sentence.startswith(f"{start} Proposed for its text: ")
    assert "junction box" in sentence.lower()


def test_capability_that_fits_nothing_is_told_so():
    _kept, (sentence,) = drafted(title=PARTY)

    assert sentence == (
        "No category is named. No category fits its text. Leave it: the text is compared as well."
    )


def test_capability_with_one_known_category_needs_no_proposal():
    kept, (sentence,) = drafted(title=BOX, categories="光伏接线盒、杂项")

    assert len(kept) == 1
    assert sentence == "“杂项” is no category of the list: left out."


def test_proposal_is_in_the_language_of_whoever_reads():
    with translation.override("zh-hans"):
        assert "光伏接线盒" in proposal(BOX)
