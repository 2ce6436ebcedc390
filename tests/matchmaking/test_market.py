from __future__ import annotations

import datetime
import json
import logging
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from django.utils import timezone

from chains import changes
from chains.models import Category, Certification, CertificationKind, RequirementLine
from matchmaking import adapters, market, tasks
from matchmaking.engine.encoder import NoEncoder
from matchmaking.engine.index import OfferIndex
from matchmaking.engine.proposals import Reading
from matchmaking.models import TextVector
from tests.factories.chains import CapabilityFactory, RequirementFactory
from tests.factories.matchmaking import supplier

pytestmark = pytest.mark.django_db

BOX = "三分体接线盒，1500 V，25 A，IP68，适配 210 组件"
FRAME = "光伏组件铝合金边框，阳极氧化，6063-T5"


@pytest.fixture
def shelf(settings, tmp_path):
    settings.MATCHING_INDEX = tmp_path / "index"
    return settings.MATCHING_INDEX


def no_more_building(monkeypatch):
    """What is asked for from here on has to come off the shelf."""
    market.forget()
    monkeypatch.setattr(OfferIndex, "build", lambda *_: pytest.fail("built anew"))


def builds(shelf):
    return sorted(shelf.glob("*/supply/[0-9]*"))


def test_next_process_takes_the_kept_index_and_builds_nothing(shelf, monkeypatch):
    makers = {supplier(BOX).pk, supplier(FRAME).pk}
    first = market.current().index("supply")
    no_more_building(monkeypatch)

    second = market.current().index("supply")

    assert second is not first
    assert second.offers == first.offers
    assert second.offers.keys() == makers


def test_thread_that_computes_a_pair_has_the_market_to_itself():
    """Another request of the same process would exchange texts in the index that is being read."""
    had = []

    def other():
        had.append(market._lock.acquire(blocking=False))

    with market.alone():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    assert had == [False]


def test_kept_index_is_brought_up_to_what_changed_since(shelf, monkeypatch):
    staying, leaving, changing = supplier(BOX), supplier(FRAME), supplier("光伏玻璃")
    market.current().index("supply")
    no_more_building(monkeypatch)
    leaving.status = "suspended"
    leaving.save()
    changes.record("enterprise", leaving, "suspended")
    changing.capabilities.update(text_zh="光伏背板")
    changes.record("capability", changing.capabilities.get(), "published")
    coming = supplier("焊带")
    changes.record("enterprise", coming, "verified")

    index = market.current().index("supply")

    assert index.offers.keys() == {staying.pk, changing.pk, coming.pk}
    assert index.offers[changing.pk].texts[0].text.endswith("光伏背板")


def test_certificate_that_ran_out_overnight_is_gone_without_any_fact(shelf, time_machine):
    maker = supplier(BOX)
    today = timezone.localdate()
    Certification.objects.create(
        enterprise=maker,
        kind=CertificationKind.objects.first(),
        status="verified",
        valid_from=today - datetime.timedelta(days=300),
        valid_until_on=today,
    )
    assert market.current().index("supply").offers[maker.pk].certifications
    running = market.current()
    time_machine.move_to(timezone.now() + datetime.timedelta(days=1))

    running.follow()
    kept_on = running.index("supply").offers[maker.pk]
    market.forget()
    loaded = market.current().index("supply").offers[maker.pk]

    assert kept_on.certifications == loaded.certifications == ()


def test_other_categories_are_another_content(shelf):
    supplier(BOX)
    known = market.current()
    known.index("supply")
    Category.objects.filter(level=3).update(synonyms_zh=["别名"])

    assert not known.is_current()
    market.current().index("supply")

    assert len(builds(shelf)) == 2


def test_damaged_build_is_said_thrown_away_and_built_anew(shelf, caplog):
    maker = supplier(BOX)
    market.current().index("supply")
    (build,) = builds(shelf)
    (build / "vectors.npy").write_bytes(b"cut short")
    market.forget()

    with caplog.at_level(logging.WARNING):
        index = market.current().index("supply")

    assert index.offers.keys() == {maker.pk}
    assert "cannot be read" in caplog.text
    assert build not in builds(shelf)
    assert len(builds(shelf)) == 1


def test_build_of_a_later_moment_than_a_restored_database_is_not_used(shelf):
    supplier(BOX)
    market.current().index("supply")
    (build,) = builds(shelf)
    told = json.loads((build / "build.json").read_text())
    (build / "build.json").write_text(json.dumps(told | {"since": told["since"] + 10**6}))
    market.forget()

    assert market.current()._shelf.newest("supply") is None


def test_index_is_kept_again_once_enough_has_changed(shelf):
    maker = supplier(BOX)
    market.current().index("supply")
    CapabilityFactory(enterprise=maker, text_zh=FRAME)
    changes.record("enterprise", maker, "edited")
    known = market.current()

    assert known.keep(at_least=2) == []
    before = builds(shelf)
    assert known.keep(at_least=1) == ["supply"]

    assert len(builds(shelf)) == 1
    assert builds(shelf) != before


def test_folder_that_cannot_be_written_costs_no_result(settings, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("")
    settings.MATCHING_INDEX = blocked / "index"
    maker = supplier(BOX)

    with caplog.at_level(logging.WARNING):
        assert market.current().index("supply").offers.keys() == {maker.pk}

    assert "No index can be kept" in caplog.text


FILLER = "锂电池注液机，方壳，节拍 12ppm"


def codes(text):
    return [suggestion.code for suggestion in market.suggest(text)]


def test_form_and_worker_read_the_same_category_in_a_line():
    filler = Category.objects.get(name_zh="注液机")
    line = RequirementFactory(lines=[FILLER]).lines.get()

    read = market.current().suggested([line])

    assert codes(FILLER)[0] == filler.code
    assert read == {line.pk: Reading(filler.code, is_sure=True)}


def test_word_that_is_the_thing_or_a_kind_of_it_comes_before_what_is_made_for_it():
    box = Category.objects.get(name_zh="光伏接线盒")
    adhesive = Category.objects.get(synonyms_en__contains=["junction box adhesive"])

    found = codes("junction box")

    assert found[0] == box.code
    assert adhesive.code in found


@pytest.mark.parametrize(
    ("probability", "reading"),
    [
        (0.19, {}),
        (0.2, {7: Reading("X", is_sure=False)}),
        (0.39, {7: Reading("X", is_sure=False)}),
        (0.4, {7: Reading("X", is_sure=True)}),
    ],
)
def test_what_a_line_only_speaks_of_is_kept_from_a_fifth_and_sure_from_two(
    monkeypatch, probability, reading
):
    known = market.current()
    monkeypatch.setattr(type(known.taxonomy), "likely", lambda *_: [[("X", probability)]])

    assert known.suggested([RequirementLine(pk=7, text="无此名称之物")]) == reading


def test_index_nobody_asked_for_while_facts_were_forgotten_is_built_anew(
    shelf, time_machine, settings
):
    supplier(BOX)
    known = market.current()
    known.index("supply")
    assert known._shelf.newest("supply") is not None
    time_machine.move_to(timezone.now() + datetime.timedelta(days=settings.CHANGES_KEPT_DAYS - 2))
    assert known.is_current()
    assert known._shelf.newest("supply") is not None

    time_machine.move_to(timezone.now() + datetime.timedelta(days=1))

    assert not known.is_current()
    assert known._shelf.newest("supply") is None


def test_vectors_of_a_former_encoder_are_forgotten_and_none_when_it_is_switched_off(settings):
    own = adapters.encoder().version
    for version in (own, "another 1"):
        TextVector.objects.create(encoder=version, digest=b"q" * 32, vector=b"00")

    assert adapters.KeptEncoder(NoEncoder()).forget_unread() == 0
    removed = adapters.KeptEncoder(SimpleNamespace(version=own)).forget_unread()

    assert removed == 1
    assert set(TextVector.objects.values_list("encoder", flat=True)) == {own}


def test_vector_nobody_has_read_for_long_is_forgotten_at_night_one_that_can_be_compared_is_not(
    monkeypatch,
):
    """Three at a time, so that the last of seven is forgotten in the third turn."""
    monkeypatch.setattr(adapters, "_FORGOTTEN_AT_ONCE", 3)
    inner = SimpleNamespace(version="ones", encode=lambda texts: np.ones((len(texts), 4), "<f4"))
    vectors = adapters.KeptEncoder(inner)
    (said,) = adapters.texts_of(supplier(BOX).capabilities.get())
    asked = RequirementFactory(lines=[FRAME]).lines.get().full_text
    leaf = Category.objects.filter(level=3, is_active=True).first().name_en
    compared = list(market.compared())
    assert {said, asked, leaf} <= set(compared)
    days = {said: 70, asked: 61, "read now": 61, "read again": 16, "read lately": 14, "of old": 60}
    days |= {f"gone {number}": 61 for number in range(7)}
    TextVector.objects.bulk_create(
        TextVector(
            encoder="ones",
            digest=adapters.digest(text),
            vector=np.ones(4, "<f2").tobytes(),
            read_on=timezone.localdate() - datetime.timedelta(days=count),
        )
        for text, count in days.items()
    )

    vectors.encode(["read now", "read again", "read lately"])
    monkeypatch.setattr(adapters, "encoder", lambda: vectors)
    monkeypatch.setattr(market, "compared", lambda: compared)
    assert tasks.forget_vectors() == 7

    rows = TextVector.objects.values_list("digest", "read_on")
    kept = {bytes(key): (timezone.localdate() - day).days for key, day in rows}
    after = {said: 0, asked: 0, "read now": 0, "read again": 0, "read lately": 14, "of old": 60}
    assert kept == {adapters.digest(text): count for text, count in after.items()}
