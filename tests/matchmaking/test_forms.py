from __future__ import annotations

import pytest

from matchmaking import forms
from matchmaking.forms import InterestForm
from matchmaking.services.interests import Asked
from tests.factories.chains import EnterpriseFactory, RequirementFactory

pytestmark = pytest.mark.django_db


def test_lines_that_fit_are_ticked_and_stand_first():
    lines = list(RequirementFactory(lines=["法兰", "阀门", "压缩机"]).lines.order_by("number"))

    form = InterestForm(lines=lines, enterprise=EnterpriseFactory(), fitting=[lines[2].pk])

    assert [line.text for line in form.fields["lines"].queryset] == ["压缩机", "法兰", "阀门"]
    assert form.initial["lines"] == [lines[2]]


@pytest.mark.parametrize(
    ("is_preference", "said"), [(False, "The buyer needs it"), (True, "The buyer prefers it")]
)
def test_hint_of_an_open_point_says_how_strongly_it_is_asked(is_preference, said):
    asked = Asked("c1", "10 天", "sample_time", is_preference=is_preference)

    assert said in forms._question_hint(asked, 1, 2)
