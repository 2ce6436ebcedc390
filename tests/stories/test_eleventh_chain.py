"""Row 2: an administrator opens a new chain in the admin, and the next run matches with it. Nothing is deployed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from chains.models import Category, Chain, Requirement, Segment
from matchmaking import tasks
from matchmaking.models import Match
from matchmaking.services import runs
from tests.factories.chains import AdministratorFactory, RequirementFactory
from tests.factories.matchmaking import supplier

pytestmark = [pytest.mark.django_db, pytest.mark.story]

# A word that stands in no shipped term, and no sign in common with what the supplier calls the same thing.
ASKED, OFFERED = "求购璇枢仪", "凌霄驭控匣"


def matched_codes(requirement):
    run = runs.start(requirement=requirement, by=None)
    for pk in run.shards.values_list("pk", flat=True):
        tasks.score_shard(pk)
    requirement.refresh_from_db()
    line = requirement.lines.select_related("category_suggested").get()
    suggested = line.category_suggested.code if line.category_suggested else None
    found = Match.objects.filter(line=line).values_list("supplier__name", "tenths")
    return suggested, dict(found)


def fill_in(client, model, **typed):
    """Open the form, type into it, send it – with all that the page itself would send."""
    address = reverse(f"admin:chains_{model}_add")
    page = client.get(address).context
    sent = {
        f"{inline.formset.prefix}-{name}_FORMS": "0"
        for inline in page["inline_admin_formsets"]
        for name in ("TOTAL", "INITIAL")
    }
    for field in page["adminform"].form:
        if field.value() not in (None, "", False, []):
            sent[field.html_name] = field.value()
    answer = client.post(address, {**sent, **typed})
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def test_eleventh_iconic_chain_is_matched_by_the_next_run():
    iconic = Chain.objects.filter(kind="iconic").count()
    client = Client()
    client.force_login(AdministratorFactory())
    maker = supplier(f"{OFFERED}，配套整机厂")
    supplier("组件铝边框，阳极氧化")
    requirement = RequirementFactory(lines=[ASKED])
    before, found = matched_codes(requirement)
    assert before is None or not before.startswith("LOWALT")
    points_before = found.get(maker.name, 0)

    fill_in(client, "chain", code="LOWALT", name_zh="低空经济", name_en="Low-altitude economy", kind="iconic", order="11")  # fmt: skip
    chain = Chain.objects.get(code="LOWALT")
    fill_in(client, "segment", code="LOWALT-01", name_zh="飞行控制", name_en="Flight control", chain=chain.pk, position="midstream", order="1")  # fmt: skip
    segment = Segment.objects.get(code="LOWALT-01")
    fill_in(client, "category", code="LOWALT-A", name_zh="低空航空器", name_en="Aircraft", chain=chain.pk, order="1")  # fmt: skip
    fill_in(client, "category", code="LOWALT-A-1", name_zh="航电", name_en="Avionics", chain=chain.pk, parent=Category.objects.get(code="LOWALT-A").pk, order="1")  # fmt: skip
    fill_in(
        client, "category", code="LOWALT-A-1-1", name_zh="自动驾驶飞行计算机", name_en="Autopilot computer", chain=chain.pk,
        parent=Category.objects.get(code="LOWALT-A-1").pk, segment=segment.pk, order="1",
        synonyms_zh="璇枢仪、凌霄驭控匣", synonyms_en="autopilot",
    )  # fmt: skip
    after, found = matched_codes(requirement)

    assert Chain.objects.filter(kind="iconic", is_active=True).count() == iconic + 1 == 11
    assert after == "LOWALT-A-1-1"
    assert found[maker.name] > points_before
    assert max(found, key=found.get) == maker.name
    # And people see it: the line is asked for on the map of the new chain.
    assert Requirement.objects.get(pk=requirement.pk).lines.get().segment == segment
    page = client.get(reverse("matchmaking:chain_map", args=["LOWALT"]))
    assert "飞行控制" in page.content.decode() or "Flight control" in page.content.decode()
