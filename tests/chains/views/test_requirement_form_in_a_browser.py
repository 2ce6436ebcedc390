from __future__ import annotations

import pytest

from tests.factories.chains import MembershipFactory

pytestmark = pytest.mark.browser


def test_rows_come_and_go_without_a_page_load_and_categories_are_proposed(
    page, live_server, client, committed
):
    client.force_login(MembershipFactory().user)
    session = {
        "name": "sessionid",
        "value": client.cookies["sessionid"].value,
        "url": live_server.url,
    }
    language = {"name": "django_language", "value": "en", "url": live_server.url}
    page.context.add_cookies([session, language])
    page.goto(f"{live_server.url}/my/requirements/new/")
    page.evaluate("window.stayed = true")

    page.fill("#id_line-0-text", "三分体接线盒 1500V")
    page.wait_for_selector("#line-0-suggest .suggest input", timeout=20_000)
    for index in (1, 2):
        page.get_by_role("button", name="Add a line").click()
        page.fill(f"#id_line-{index}-text", f"Part {index}")
    page.get_by_role("button", name="Remove Line 2").click()
    page.get_by_role("button", name="Add a condition").click()
    page.wait_for_selector("#id_condition-1-text")

    assert page.locator("#lines legend").all_inner_texts() == ["Line 1", "Line 2"]
    assert page.input_value("#id_line-2-text") == "Part 2"
    assert page.evaluate("window.stayed") is True
    assert page.complaints == []
