from __future__ import annotations

import pytest

from chains import notifications
from chains.models import Enterprise


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Demo Qinghe Solar Co., Ltd.", "of Demo Qinghe Solar Co., Ltd. You can"),
        ("Demo Qinghe Solar", "of Demo Qinghe Solar. You can"),
    ],
)
def test_name_that_ends_in_an_abbreviation_ends_its_sentence_with_one_stop(name, sentence):
    body = Enterprise(name="示例青禾太阳能有限公司", name_en=name)
    rows = {
        "enterprise": Enterprise(name="示例会员有限公司", name_en="Member"),
        "association": body,
    }

    _subject, letter = notifications.in_words("mandate_accepted", rows, "en")

    assert sentence in letter
