"""The search box proposes while one types; keys choose, and Enter goes there."""

from __future__ import annotations

import pytest

from chains import searchtext
from tests.factories.chains import EnterpriseFactory, RequirementFactory

pytestmark = [pytest.mark.story, pytest.mark.browser]


def test_keys_choose_a_proposal(committed, live_server, page):
    EnterpriseFactory(
        name="示例甲有限公司", name_en="", search_text=searchtext.document("示例甲光伏")
    )
    row = RequirementFactory(title="三分体接线盒", search_text=searchtext.document("三分体接线盒"))
    page.goto(f"{live_server.url}/search/")
    box = page.get_by_role("combobox")
    box.type("三分体")
    page.get_by_role("option").first.wait_for()

    box.press("ArrowDown")
    assert box.get_attribute("aria-activedescendant") == "suggested-1"
    box.press("ArrowUp")  # from the first to the last
    assert page.get_by_role("option", selected=True).inner_text().endswith("三分体接线盒")
    box.press("Escape")
    assert not page.get_by_role("listbox", include_hidden=True).is_visible()
    box.type("接")
    page.get_by_role("option").first.wait_for()
    box.press("ArrowUp")
    with page.expect_event("load"):
        box.press("Enter")
    assert page.url.endswith(f"/requirements/{row.public_id}/")
    assert page.complaints == []
