from __future__ import annotations

import re
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.html import escape

from chains import models
from matchmaking.engine.constraints import Case, judge
from matchmaking.engine.explanation import CODES, CONDITION_CODES
from matchmaking.engine.highlight import HOW, Aligned, Span, align
from matchmaking.engine.types import (
    PART_NAMES,
    Capacity,
    Condition,
    Held,
    Offer,
    OfferText,
    Outcome,
    Part,
    Place,
    Reason,
)
from matchmaking.engine.units import Units
from matchmaking.models import Match
from matchmaking.services.interests import Asked
from matchmaking.templatetags import reasons as tags
from matchmaking.templatetags.reasons import (
    FACTS,
    HOW_FOUND,
    PARTS,
    QUESTIONS,
    SENTENCES,
    asked,
    fact,
    question,
    reason_list,
    sentence,
)
from tests.factories.chains import OrganiserRoleFactory, RequirementFactory
from tests.factories.matchmaking import MatchFactory, ScoreFactory

pytestmark = pytest.mark.django_db

MUST = {"strength": "must"}
# One reason of every code, with the parameters the engine gives it.
EXAMPLES = {
    "text.terms": {"terms": ["接线盒", "ip68"]},
    "text.bridged": {"asked": "split junction box", "offered": "分体接线盒"},
    "text.akin": {"asked": "SBR", "offered": "丁腈橡胶", "category": "PV0306"},
    "text.ruled_out": {"phrase": "安装"},
    "text.seller": {},
    "text.buyer": {},
    "text.service": {},
    "text.machine": {},
    "text.purpose": {"phrase": "光伏组件用"},
    "text.beside": {"phrase": "轴承"},
    "text.unnamed": {"phrase": "滑轨"},
    "text.profile": {},
    "text.number": {"asked": "0.1mm", "offered": "1 mm"},
    "text.elsewhere": {"terms": ["IP68"]},
    "text.meaning": {},
    "category.same": {"category": "PV0306"},
    "category.near": {"asked": "PV0306", "offered": "PV0301"},
    "category.parent": {"parent": "PV03", "asked": "PV0306", "offered": "PV0301"},
    "category.chain": {"asked": "PV0306", "offered": "PV0301"},
    "category.other": {"asked": "PV0306", "offered": "PV0301"},
    "category.same_read": {"category": "PV0306"},
    "category.near_read": {"asked": "PV0306", "offered": "PV0301"},
    "category.parent_read": {"parent": "PV03", "asked": "PV0306", "offered": "PV0301"},
    "category.also": {"asked": "PV0306", "offered": "PV0301"},
    "category.also_read": {"asked": "PV0306", "offered": "PV0301"},
    "category.chain_read": {"asked": "PV0306", "offered": "PV0301"},
    "category.other_read": {"asked": "PV0306", "offered": "PV0301"},
    "locality.county": {"region": "330421", "km": 4.2, "about": False},
    "locality.city": {"region": "330400", "km": 42.0, "about": True},
    "locality.province": {"region": "330000"},
    "locality.group": {"region": "YRD"},
    "locality.distance": {"km": 42.0, "about": False},
    "locality.unknown": {},
    "certification.met": MUST | {"code": "CQC"},
    "certification.stated": MUST | {"code": "CQC"},
    "certification.unknown": MUST | {"codes": ["TUV", "CQC"]},
    "qualification.met": MUST | {"code": "chain_owner"},
    "qualification.stated": MUST | {"code": "chain_owner"},
    "qualification.unknown": MUST | {"codes": ["chain_owner"]},
    "region.met": MUST | {"region": "330400"},
    "region.unknown": MUST | {"codes": ["330400"]},
    "region.missed": MUST | {"codes": ["330400"], "region": "320506"},
    "distance.met": MUST | {"km": 42.0, "asked": 80, "about": False},
    "distance.unknown": MUST | {"asked": 80},
    "distance.missed": MUST | {"km": 147.3, "asked": 80, "about": True},
    "capacity.met": MUST
    | {"asked": 500_000, "asked_unit": "set", "value": 1_600_000, "unit": "set"},
    "capacity.unknown": MUST | {"asked": 500_000, "asked_unit": "set"},
    "capacity.unlike": MUST | {"asked": 500_000, "asked_unit": "set", "value": 12, "unit": "t"},
    "capacity.missed": MUST
    | {"asked": 500_000, "asked_unit": "set", "value": 6_400, "unit": "set"},
    "lead_time.met": MUST | {"asked": 30, "days": 1},
    "lead_time.unknown": MUST | {"asked": 30},
    "lead_time.missed": MUST | {"asked": 30, "days": 45},
    "sample_time.met": MUST | {"asked": 20, "days": 15},
    "sample_time.unknown": MUST | {"asked": 20.0},
    "sample_time.missed": {"strength": "prefer", "asked": 20, "days": 45},
    "cooperation.met": MUST | {"code": "purchase_order"},
    "cooperation.unknown": MUST | {"codes": ["purchase_order", "long_term_supply"]},
    "cooperation.missed": MUST | {"codes": ["purchase_order"]},
    "origin.met": MUST | {"country": "CN"},
    "origin.unknown": MUST | {"codes": ["CN"]},
    "origin.missed": MUST | {"codes": ["CN"], "country": "DE"},
    "raise.meet_capacity": MUST
    | {"asked": 500_000, "asked_unit": "set", "value": 6_400, "unit": "set", "tenths": 67},
    "raise.meet_lead_time": MUST | {"asked": 30, "days": 45, "tenths": 67},
    "raise.meet_sample_time": {"strength": "prefer", "asked": 20, "days": 45, "tenths": 30},
    "raise.meet_cooperation": MUST | {"codes": ["purchase_order"], "tenths": 67},
    "raise.certification": {"codes": ["CQC"], "tenths": 67},
    "raise.qualification": {"codes": ["chain_owner"], "tenths": 67},
    "raise.verify_certification": {"code": "CQC", "tenths": 67},
    "raise.verify_qualification": {"code": "chain_owner", "tenths": 70},
    "raise.capacity": {"asked": 500_000, "asked_unit": "set", "tenths": 67},
    "raise.capacity_unit": {
        "asked": 5,
        "asked_unit": "set",
        "value": 12,
        "unit": "t",
        "tenths": 67,
    },
    "raise.lead_time": {"asked": 30, "tenths": 67},
    "raise.sample_time": {"asked": 20, "tenths": 67},
    "raise.cooperation": {"codes": ["purchase_order"], "tenths": 67},
    "raise.origin": {"codes": ["CN"], "tenths": 67},
    "raise.category": {"category": "PV0306", "tenths": 101},
    "raise.place": {},
    "raise.stock": {"region": "330421", "tenths": 23},
    "raise.language": {"language": "en"},
}


def reason(code, tone="for"):
    return Reason(code, tone, EXAMPLES[code])


def test_every_code_of_the_engine_has_a_sentence_and_no_sentence_is_left_over():
    assert set(SENTENCES) == set(CODES)
    assert set(FACTS) == set(CONDITION_CODES)
    assert set(HOW_FOUND) == set(HOW)
    assert tuple(PARTS) == PART_NAMES
    assert set(EXAMPLES) == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_sentence_in_both_languages(code):
    english = sentence(reason(code))
    with translation.override("zh-hans"):
        chinese = sentence(reason(code))

    for said in (english, chinese):
        assert "%" not in said
        assert "None" not in said
        assert "–" not in said
        assert not re.search("[“”]{2}", said)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)
    assert not re.search(r"[:;]|,(?!\d)", chinese)  # full-width in Chinese; 6,400 keeps its comma
    assert chinese != english


@pytest.mark.parametrize("code", CONDITION_CODES)
def test_fact_in_both_languages(code):
    outcome = Outcome(1, code.partition(".")[0], "must", "met", 0, 0, "", reason(code))

    english = fact(outcome)
    with translation.override("zh-hans"):
        chinese = fact(outcome)

    assert english
    assert "%" not in english + chinese
    assert chinese != english


@pytest.mark.parametrize(
    ("code", "english", "chinese"),
    [
        ("text.terms", "Both texts say “接线盒”, “ip68”", "双方文本都提到“接线盒”、“ip68”"),
        ("locality.county", "Same county: Jiashan County, 4.2 km", "同在嘉善县，4.2 公里"),
        ("locality.city", "Same city: Jiaxing, about 42 km", "同市：嘉兴市，42 公里（约）"),
        (
            "capacity.missed",
            "Must: capacity of 500,000 sets a year; states only 6,400 sets a year",
            "必备：产能 50 万套/年；仅填报 6,400 套/年",
        ),
        (
            "lead_time.met",
            "Must: delivery in 30 days; states 1 day",
            "必备：30 天内交货；填报 1 天",
        ),
        (
            "sample_time.missed",
            "Prefer: samples in 20 days; states 45 days, too long",
            "优先：20 天内送样；填报 45 天，超出要求",
        ),
        (
            "distance.missed",
            "Must: within 80 km; it is about 147 km, too far",
            "必备：80 公里以内；相距 147 公里（约），超出范围",
        ),
        (
            "raise.sample_time",
            "State a sample time of 20 days or less: up to 6.7 points",
            "填写不超过 20 天的送样周期：最多加 6.7 分",
        ),
        (
            "raise.verify_qualification",
            "Have Chain owner enterprise verified: up to 7 points",
            "完成链主企业的核验：最多加 7 分",
        ),
        (
            "origin.missed",
            "Must: from China; this supplier is from Germany",
            "必备：产地中国；该供应商来自德国",
        ),
    ],
)
def test_sentence_word_for_word(code, english, chinese):
    assert sentence(reason(code)) == english
    with translation.override("zh-hans"):
        assert sentence(reason(code)) == chinese


def test_sentence_of_a_stored_reason_is_that_of_a_fresh_one():
    fresh = reason("certification.unknown", "open")

    assert sentence(asdict(fresh)) == sentence(fresh)


def test_sentence_of_a_code_that_is_gone_is_the_code():
    assert sentence({"code": "text.rhyme", "tone": "for", "params": {"x": 1}}) == "text.rhyme"


def test_sentence_of_a_reference_row_that_is_gone_shows_its_code():
    assert sentence(Reason("category.same", "for", {"category": "ZZ99"})) == "Same category: ZZ99"


def test_names_are_read_in_one_query_and_kept(django_assert_num_queries):
    tags.names.forget()

    with django_assert_num_queries(1):
        for code in CODES:
            sentence(reason(code))


def test_names_are_read_again_when_they_are_old(django_assert_num_queries):
    kept = tags.Names(seconds=-1)

    with django_assert_num_queries(2):
        kept.name("unit", "set")
        kept.name("unit", "set")


def test_engine_facts_render_as_they_come():
    text = OfferText(1, "接线盒", "zh", capacity=Capacity(6400, "set"))
    offer = Offer(
        1, "enterprise", (text,), certifications=(Held("CQC", True),), place=Place(("000000",))
    )
    asked = [
        Condition(1, "certification", "must", ("CQC",)),
        Condition(2, "capacity", "prefer", value=500_000, unit="set"),
        Condition(3, "region", "prefer", ("330400",)),
    ]

    said = [sentence(judge(c, Case(offer, text, Units()))[1]) for c in asked]

    assert said[0].startswith("Must: ")
    assert said[0].endswith(", verified")
    assert said[1] == "Prefer: capacity of 500,000 sets a year; states only 6,400 sets a year"
    assert said[2] == "Prefer: in Jiaxing; the supplier's place is not known so exactly"


# -- components -----------------------------------------------------------------------------------------------------


def test_reason_list_has_icon_word_and_sentence():
    html = reason_list(
        [asdict(reason("text.meaning")), asdict(reason("sample_time.unknown", "open"))]
    )

    assert html.count("<li") == 2
    assert '<li class="open">' in html
    assert "#help-circle" in html
    assert "<b>Open</b> Must: samples in 20 days; none is stated" in html
    assert "style=" not in html


def test_reason_list_as_tips_leaves_out_the_word():
    html = reason_list([reason("raise.place", "raise")], tip=True)

    assert "<b>" not in html
    assert "#bulb" in html


def test_reason_list_escapes_what_people_typed():
    html = reason_list([Reason("text.terms", "for", {"terms": ["<script>alert(1)</script>"]})])

    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_reason_list_of_nothing_is_nothing():
    assert reason_list([]) == ""


def test_parts_component_shows_points_of_maximum():
    parts = [
        Part("text", 412, 450),
        Part("category", 250, 250),
        Part("conditions", 133, 200),
        Part("locality", 12, 100),
    ]

    html = render_to_string(
        "components/parts.html",
        {"score": SimpleNamespace(parts=[asdict(part) for part in parts], outcomes=[])},
    )

    assert [name in html for name in ("Text", "Category", "Conditions", "Locality")] == [True] * 4
    assert '41.2<span class="muted">/45</span>' in html
    assert 'width="92"' in html
    assert html.count("copper") == 1
    assert "points go to the other parts" not in html


def test_parts_component_says_why_a_part_is_left_out():
    parts = [
        Part("text", 400, 643),
        Part("category", 300, 357),
        Part("conditions", 0, 0),
        Part("locality", 0, 0),
    ]

    score = SimpleNamespace(parts=parts, outcomes=[])
    html = render_to_string("components/parts.html", {"score": score})

    assert html.count("its points go to the other parts") == 2
    assert "/0<" not in html


def test_condition_that_counts_in_locality_is_not_said_to_be_none():
    parts = [Part("text", 562, 562), Part("conditions", 0, 0), Part("locality", 80, 125)]
    near = Outcome(1, "distance", "prefer", "met", 0, 0, "locality", reason("distance.met"))

    said = {
        counted: tags.left_out(SimpleNamespace(parts=parts, outcomes=rows))
        for counted, rows in {"place": [asdict(near)], "nothing": []}.items()
    }

    assert said == {
        "place": [
            "What is asked of the place counts in locality: the points of conditions go to the other parts."
        ],
        "nothing": ["No condition can be computed: its points go to the other parts."],
    }


@pytest.mark.parametrize(
    ("verdict", "tag"),
    [("met", "tag ok"), ("unproven", "tag thin"), ("missed", "tag broken")],
)
def test_condition_component_has_the_fact_under_the_tag(verdict, tag):
    outcome = Outcome(
        1, "sample_time", "must", verdict, 0, 67, "conditions", reason("sample_time.met")
    )

    html = render_to_string("components/condition.html", {"outcome": asdict(outcome)})

    assert f'class="{tag}"' in html
    assert "15 days stated" in html
    assert "15 days" not in render_to_string(
        "components/condition.html", {"outcome": outcome, "bare": True}
    )


def test_condition_never_computed_says_so():
    outcome = Outcome(1, "other", "prefer", None, 0, 0, "")

    assert "not computed" in render_to_string("components/condition.html", {"outcome": outcome})
    assert tags.condition_points(outcome) == "–"


def test_condition_points_name_where_they_are_counted():
    near = Outcome(1, "distance", "prefer", "met", 0, 0, "locality")
    paper = Outcome(1, "certification", "must", "met", 67, 67, "conditions")

    assert tags.condition_points(near) == "in locality"
    assert tags.condition_points(asdict(paper)) == "6.7/6.7"


def test_filters_choose_reasons_by_tone_and_part():
    stored = [
        asdict(reason("category.same")),
        asdict(reason("sample_time.unknown", "open")),
        asdict(reason("raise.sample_time", "raise")),
    ]
    template = Template(
        "{% load reasons %}{{ r|of_tone:'raise'|length }}{{ r|of_part:'category'|length }}"
        "{{ r|shortlist|length }}{{ r|shortlist:'advice'|length }}"
    )

    assert template.render(Context({"r": stored})) == "1123"


# -- marks ----------------------------------------------------------------------------------------------------------


def test_marks_carry_the_same_number_in_both_texts():
    need, offer = "Junction box, IP68", "IP68 <b>接线盒</b>"
    aligned = align(need, offer)
    template = Template(
        "{% load reasons %}{{ need|marked_need:aligned }}|{{ offer|marked_offer:aligned }}|"
        "{% for one in aligned %}{{ one.number }} {{ need|passage:one.need }} {{ one|how_found }}{% endfor %}"
    )

    assert template.render(Context({"need": need, "offer": offer, "aligned": aligned})) == (
        "Junction box, <mark>IP68<sup>1</sup></mark>|"
        "<mark>IP68<sup>1</sup></mark> &lt;b&gt;接线盒&lt;/b&gt;|"
        "1 IP68 same term"
    )


@pytest.mark.parametrize(
    ("language", "expected"), [("en", ": PV junction boxes"), ("zh-hans", "：光伏接线盒")]
)
def test_the_category_that_joined_two_words_is_named(language, expected):
    with translation.override(language):
        told = tags.how_found(Aligned(1, Span(0, 3), Span(0, 3), "glossary", "PV0306"))
        assert told == f"{HOW_FOUND['glossary']}{expected}"


def test_marks_escape_what_is_inside_them():
    text = "<i>&\"'"

    html = tags.marked_need(text, [Aligned(1, Span(0, 3), Span(0, 1), "term")])

    assert html == "<mark>&lt;i&gt;<sup>1</sup></mark>&amp;&quot;&#x27;"


def test_marks_of_another_version_of_the_text_are_left_out():
    beyond = [
        Aligned(1, Span(2, 99), Span(0, 1), "term"),
        Aligned(2, Span(0, 1), Span(0, 1), "term"),
    ]

    assert tags.marked_need("abc", beyond) == "<mark>a<sup>2</sup></mark>bc"


def test_marks_of_a_whole_clause_may_break():
    long = [Aligned(1, Span(0, 17), Span(0, 1), "term")]
    short = [Aligned(1, Span(0, 16), Span(0, 1), "term")]

    assert (
        tags.marked_need("x" * 17, long) == f'<mark class="text-wrap">{"x" * 17}<sup>1</sup></mark>'
    )
    assert tags.marked_need("x" * 16, short) == f"<mark>{'x' * 16}<sup>1</sup></mark>"


@pytest.mark.parametrize(
    ("kind", "parameter", "typed", "english"),
    [
        ("region", {"codes": ["330421", "330000"]}, "嘉善或浙江", "Jiashan County or Zhejiang"),
        ("distance", {"value": 150, "unit": "km"}, "150 公里", "within 150 km"),
        ("capacity", {"value": 500000, "unit": "set"}, "50 万套", "500,000 sets a year"),
        ("lead_time", {"value": 30, "unit": "day"}, "一个月", "30 days"),
        ("origin", {"codes": ["CN"]}, "国产", "China"),
        ("other", {}, "<样品免费>", "&lt;样品免费&gt;"),
    ],
)
def test_condition_is_read_in_the_other_language_as_it_was_understood(
    kind, parameter, typed, english
):
    condition = models.Condition(kind=kind, parameter=parameter, text=typed)

    assert english in asked(condition, "zh")
    with translation.override("zh-hans"):
        assert asked(condition, "zh") == f'<span lang="zh-Hans">{escape(typed)}</span>'


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_page_about_a_pair_tells_every_reason_that_is_stored(client, language):
    """Those of conditions stand in their table, told by what came of each."""
    told = {code: params for code, params in EXAMPLES.items() if code not in CONDITION_CODES}
    # Of a pair that is known to nobody else, so that none of its sentences stands there for another cause.
    match = MatchFactory(line=RequirementFactory(lines=["a"]).lines.get())
    score = ScoreFactory(
        match=match,
        reasons=[
            {
                "code": code,
                "tone": "raise" if code.startswith("raise.") else "for",
                "params": params,
            }
            for code, params in told.items()
        ],
    )
    Match.objects.filter(pk=match.pk).update(score=score)
    client.force_login(OrganiserRoleFactory().user)

    page = client.get(
        reverse("matchmaking:match_why", args=[match.public_id]),
        headers={"accept-language": language},
    ).content.decode()

    with translation.override(language):
        missing = [
            reason["code"] for reason in score.reasons if escape(sentence(reason)) not in page
        ]
    assert missing == []


# --- Questions about what is open ----------------------------------------------------------------------

OPEN_POINTS = {
    "certification": ({"codes": ["CQC", "TUV"]}, "Do you hold CQC voluntary certification or TÜV"),
    "qualification": ({"codes": ["high_tech"]}, "Do you hold this title: "),
    "region": ({"codes": ["330400", "310000"]}, "Are you based in Jiaxing or Shanghai"),
    "distance": ({"value": 80, "unit": "km"}, "Are you within 80 km of the buyer?"),
    "capacity": ({"value": 500_000, "unit": "set"}, "Can you supply at least 500,000 sets a year?"),
    "lead_time": ({"value": 1, "unit": "day"}, "Can you deliver within 1 day?"),
    "sample_time": ({"value": 10, "unit": "day"}, "Can you send samples within 10 days?"),
    "cooperation": ({"codes": ["joint_rd"]}, "Do you offer this form of cooperation: "),
    "origin": ({"codes": ["CN", "DE"]}, "Are the goods made in China or Germany?"),
}


def test_every_kind_that_is_computed_has_its_question():
    assert QUESTIONS.keys() == OPEN_POINTS.keys() == set(models.Condition.Kind) - {"other"}


@pytest.mark.parametrize("kind", OPEN_POINTS)
def test_open_point_is_asked_with_its_kind_and_what_it_asks(kind):
    parameter, words = OPEN_POINTS[kind]

    asked_for = question(Asked("c1", "原话", kind, parameter))

    assert asked_for.startswith(words)
    assert asked_for.endswith("?")
    assert "原话" not in asked_for
    assert not re.search(r"%\(|_|\d{6}", asked_for)


def test_question_names_its_line_and_leaves_what_people_wrote_as_it_is():
    samples = Asked("c1", "10 天", "sample_time", {"value": 10, "unit": "day"}, 2)
    assert question(samples) == "Line 2: Can you send samples within 10 days?"
    with translation.override("zh-hans"):
        capacity = Asked("c1", "50 万套", "capacity", {"value": 500_000, "unit": "set"})
        assert "50 万套" in question(capacity)
    introduced = "Can you meet this, in the buyer's words: “须驻厂监造”?"
    assert question(Asked("c1", "须驻厂监造", "other")) == introduced
    # Of an answer from before nothing is known but the words.
    old = {"key": "c1", "question": "须驻厂监造", "answer": "可以"}
    assert question(Asked.answered(old)) == introduced
    assert question(Asked("q1", "谁检测？")) == "谁检测？"
