from __future__ import annotations

import pytest

from chains.models import Category, Chain, EnterpriseGroup, Province, Region
from matchmaking import gaps
from matchmaking.models import Match
from tests.factories.chains import (
    CapabilityFactory,
    EnterpriseFactory,
    OrganiserRoleFactory,
    RequirementFactory,
    RequirementLineFactory,
    region,
)

pytestmark = pytest.mark.django_db


def leaf():
    return Category.objects.filter(level=3, segment__chain__code="PV").order_by("pk")[0]


def other_region():
    return region("320500")


def ask(category, times=1, at="330421"):
    requirement = RequirementFactory(region=region(at))
    return [
        RequirementLineFactory(requirement=requirement, number=n, category=category)
        for n in range(1, times + 1)
    ]


def supply(category, at=None, **enterprise):
    supplier = EnterpriseFactory(region=at or region("330421"), **enterprise)
    CapabilityFactory(enterprise=supplier, categories=[category.code])
    return supplier


def code(category):
    return gaps.gap_of(category, region("330400")).code


def test_gap_without_supply_and_demand_is_no_data():
    assert code(leaf()) == "no_data"


def test_gap_with_demand_only_has_no_registered_supplier():
    ask(leaf())

    assert code(leaf()) == "no_registered_supplier"


def test_gap_with_a_supplier_elsewhere_has_no_local_supplier():
    ask(leaf())
    supply(leaf(), at=other_region())

    assert code(leaf()) == "no_local_supplier"


def test_gap_with_one_local_supplier_is_single_source():
    ask(leaf())
    supply(leaf())

    assert code(leaf()) == "single_source"


def test_gap_counts_an_affiliate_group_once():
    ask(leaf())
    group = EnterpriseGroup.objects.create(name="示例集团")
    supply(leaf(), group=group)
    supply(leaf(), group=group)

    assert code(leaf()) == "single_source"


def test_gap_with_more_unmatched_lines_than_suppliers_is_unmet_demand():
    ask(leaf(), times=3)
    supply(leaf())
    supply(leaf())

    assert code(leaf()) == "unmet_demand"


def test_gap_with_approved_matches_is_covered():
    lines = ask(leaf(), times=3)
    first = supply(leaf())
    supply(leaf())
    Match.objects.create(line=lines[0], supplier=first, status="approved")

    assert code(leaf()) == "covered"


def test_gap_does_not_count_those_who_are_not_verified():
    ask(leaf())
    supply(leaf(), pending=True)

    supply_of = gaps.gap_of(leaf(), region("330400"))

    assert (supply_of.code, len(supply_of.known)) == ("no_registered_supplier", 1)


def test_removing_the_only_supplier_turns_the_segment_into_a_break_point():
    """Row 29."""
    category = leaf()
    ask(category)
    supplier = supply(category)
    chain = Chain.objects.get(code="PV")
    before = gaps.segment_states(chain, region("330400"))[category.segment_id]

    supplier.status = "suspended"
    supplier.save()
    gaps.caches["pages"].clear()
    after = gaps.segment_states(chain, region("330400"))[category.segment_id]

    assert (before.code, before.worst) == ("single_source", category.pk)
    assert (after.code, after.worst, after.open_lines) == ("no_registered_supplier", category.pk, 1)


def test_gap_status_is_for_organisers_until_the_province_opens_it(django_user_model):
    stranger = django_user_model.objects.create_user("a@example.com")
    organiser = OrganiserRoleFactory().user
    jiaxing = Region.objects.get(code="330400")

    assert not gaps.is_open_to(stranger, jiaxing)
    assert gaps.is_open_to(organiser, jiaxing)

    Province.objects.update(gap_public=True)

    assert gaps.is_open_to(stranger, jiaxing)
