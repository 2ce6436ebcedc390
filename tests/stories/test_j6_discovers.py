"""J6: a junction-box maker opens "For you", reads why, dismisses what it does not want, answers what it wants."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from chains.models import Category, CertificationKind, Condition, SegmentLink
from matchmaking import tasks
from matchmaking.models import MatchRun
from matchmaking.services import runs
from tests.factories.chains import ContactFactory, MembershipFactory, RequirementFactory
from tests.factories.matchmaking import supplier

pytestmark = [pytest.mark.story, pytest.mark.django_db]

FOR_YOU = "/for-you/"
BOX = "1500 V 三分体接线盒，25 A，IP68，适配 182 与 210 组件"


def work(run: MatchRun) -> None:
    for pk in run.shards.values_list("pk", flat=True):
        tasks.score_shard(pk)


def titles(page):
    return re.findall(r'<h2 class="h3 mb-1"[^>]*><a[^>]*>([^<]+)', page)


def test_junction_box_maker_finds_dismisses_and_answers(client):
    maker = supplier(BOX, categories=["pv.junction_box"])
    member = MembershipFactory(enterprise=maker)
    contact = ContactFactory(enterprise=maker)
    wanted = RequirementFactory(
        title="半片组件接线盒采购", lines=["采购三分体接线盒，1500 V，25 A，IP68", "组件铝边框"]
    )
    unwanted = RequirementFactory(title="小批接线盒", lines=["三分体接线盒，1500 V，25 A"])
    RequirementFactory(title="办公楼保洁", lines=["办公楼日常保洁，每周五次"])
    client.force_login(member.user)
    assert "Pending" in client.get(FOR_YOU).content.decode()

    work(runs.start(everything=True, by=None))

    page = client.get(FOR_YOU).content.decode()
    assert set(titles(page)) == {wanted.title, unwanted.title}
    assert "Fits 1 of 2 lines" in page
    assert "Both texts say" in page
    line = unwanted.lines.get()
    client.post(
        reverse("matchmaking:dismiss", args=[line.public_id]), {"reason": "quantity", "whole": "1"}
    )
    work(runs.start(everything=True, by=None))  # dismissed lines do not return
    assert titles(client.get(FOR_YOU).content.decode()) == [wanted.title]

    client.post(
        reverse("matchmaking:interest_send", args=[wanted.public_id]),
        {
            "interest-message": "第 1 项可供。",
            "interest-lines": [wanted.lines.get(number=1).public_id],
            "interest-contact": contact.public_id,
        },
    )
    assert "Interest sent" in client.get(FOR_YOU).content.decode()
    buyer = MembershipFactory(enterprise=wanted.enterprise)
    client.force_login(buyer.user)
    desk = client.get(reverse("matchmaking:requirement_interests", args=[wanted.public_id]))
    page = desk.content.decode()
    assert "第 1 项可供。" in page
    assert contact.phone not in page


def test_what_the_neighbours_on_the_chain_ask_for_stands_beside_the_suggestions(client):
    maker = supplier(BOX, categories=["pv.junction_box"])
    member = MembershipFactory(enterprise=maker)
    category = Category.objects.get(name_en="PV junction boxes")
    maker.capabilities.get().categories.set([category])
    own = category.segment
    behind = SegmentLink.objects.filter(source=own).first().target
    near = RequirementFactory(title="组件封装", lines=["组件层压机"])
    near.lines.update(segment=behind)
    far = RequirementFactory(title="办公楼保洁", lines=["日常保洁"])
    far.lines.update(segment=None)
    client.force_login(member.user)

    page = client.get(FOR_YOU)

    assert [line.requirement for line in page.context["next_door"]] == [near]
    line = near.lines.get()
    client.post(reverse("matchmaking:dismiss", args=[line.public_id]), {"reason": "wrong_product"})
    assert client.get(FOR_YOU).context["next_door"] == []


def test_profile_says_which_certificates_open_requirements_of_its_categories_ask_for(client):
    maker = supplier(BOX, categories=["pv.junction_box"])
    member = MembershipFactory(enterprise=maker)
    own = Category.objects.get(name_en="PV junction boxes")
    maker.capabilities.get().categories.set([own])
    asked, stated = CertificationKind.objects.order_by("pk")[:2]
    for codes in ([asked.code, stated.code], [asked.code]):
        wanted = RequirementFactory(lines=["接线盒", "接线盒"])
        wanted.lines.update(category=own)
        Condition.objects.create(
            requirement=wanted, kind="certification", strength="must", parameter={"codes": codes}, text="x"
        )  # fmt: skip
    maker.certifications.create(kind=stated, valid_from="2026-01-01")
    client.force_login(member.user)

    page = client.get(reverse("chains:enterprise_status", args=[maker.public_id]))

    assert page.context["asked"] == [(asked, 2)]
    assert "2 open requirements ask for it" in page.content.decode()
