from __future__ import annotations

import pytest

from matchmaking.forms import InterestForm
from tests.factories.chains import EnterpriseFactory, RequirementFactory

pytestmark = pytest.mark.django_db


def test_lines_that_fit_are_ticked_and_stand_first():
    lines = list(RequirementFactory(lines=["法兰", "阀门", "压缩机"]).lines.order_by("number"))

    form = InterestForm(lines=lines, enterprise=EnterpriseFactory(), fitting=[lines[2].pk])

    assert [line.text for line in form.fields["lines"].queryset] == ["压缩机", "法兰", "阀门"]
    assert form.initial["lines"] == [lines[2]]
