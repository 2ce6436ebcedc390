from __future__ import annotations

import datetime
import functools

import factory
from django.db import connection
from django.utils import timezone
from factory.django import DjangoModelFactory

from chains import models

WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def uscc(serial: int, region: str = "330421") -> str:
    """A social credit code with the right check character (GB 32100)."""
    first = f"91{region}MA{serial:07d}"
    rest = sum(SIGNS.index(c) * w for c, w in zip(first, WEIGHTS, strict=True)) % 31
    return first + SIGNS[(31 - rest) % 31]


@functools.cache
def _stored_region(code: str) -> dict[str, object]:
    return models.Region.objects.filter(code=code).values().get()


def region(code: str) -> models.Region:
    """A row of the shipped register, asked for once in a run: each enterprise lies in two of them."""
    found = _stored_region(code)
    return models.Region.from_db(connection.alias, list(found), list(found.values()))


class UserFactory(DjangoModelFactory):
    class Meta:
        model = models.User

    email = factory.Sequence(lambda n: f"user{n}@example.com")
    language = "en"


class AdministratorFactory(UserFactory):
    is_staff = True
    is_superuser = True


class EnterpriseFactory(DjangoModelFactory):
    """A verified enterprise in Jiashan, Jiaxing unless told otherwise."""

    class Meta:
        model = models.Enterprise

    class Params:
        pending = factory.Trait(status="pending", verified_at=None)
        unclaimed = factory.Trait(status="unclaimed", verified_at=None, number=None)

    kind_id = "enterprise"
    name = factory.Sequence(lambda n: f"示例第{n}精密机械有限公司")
    name_en = factory.Sequence(lambda n: f"Demo Precision {n} Co., Ltd.")
    number = factory.Sequence(uscc)
    region = factory.LazyFunction(lambda: region("330421"))
    province = factory.LazyAttribute(
        lambda o: region(o.region.province_code) if o.region and o.region.province_code else None
    )
    status = "verified"
    submitted_at = factory.LazyFunction(timezone.now)
    verified_at = factory.LazyFunction(timezone.now)


class MembershipFactory(DjangoModelFactory):
    class Meta:
        model = models.Membership

    user = factory.SubFactory(UserFactory)
    enterprise = factory.SubFactory(EnterpriseFactory)
    role = "owner"
    status = "active"


class OrganiserRoleFactory(DjangoModelFactory):
    """An organiser of Jiaxing city."""

    class Meta:
        model = models.OrganiserRole

    user = factory.SubFactory(UserFactory)
    body = factory.SubFactory(
        EnterpriseFactory,
        kind_id="government",
        scheme="other",
        number=None,
        region=factory.LazyFunction(lambda: region("330400")),
    )
    region = factory.LazyFunction(lambda: region("330400"))
    role = "organiser"


class ContactFactory(DjangoModelFactory):
    class Meta:
        model = models.Contact

    enterprise = factory.SubFactory(EnterpriseFactory)
    name = factory.Sequence(lambda n: f"Contact {n:02d}")
    job_title = "Purchasing"
    phone = factory.Sequence(lambda n: f"000-0000-{n:04d}")
    email = factory.Sequence(lambda n: f"contact{n}@example.com")


class CapabilityFactory(DjangoModelFactory):
    class Meta:
        model = models.Capability
        skip_postgeneration_save = True

    enterprise = factory.SubFactory(EnterpriseFactory)
    title_zh = "1500 V 分体接线盒"
    text_zh = "三分体灌封接线盒,20–30 A,IP68,适配 182 与 210 组件。"
    status = "published"
    published_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def categories(self, create, codes):
        if create and codes:
            self.categories.add(*models.Category.objects.filter(code__in=codes))


class RequirementFactory(DjangoModelFactory):
    """A published requirement without lines; give `lines=["text", …]` for some."""

    class Meta:
        model = models.Requirement
        skip_postgeneration_save = True

    class Params:
        draft = factory.Trait(
            status="draft", published_at=None, approved_at=None, submitted_at=None
        )
        submitted = factory.Trait(status="submitted", published_at=None, approved_at=None)
        approved = factory.Trait(status="approved", published_at=None)

    enterprise = factory.SubFactory(EnterpriseFactory)
    title = factory.Sequence(lambda n: f"光伏接线盒采购 {n}")
    docking_kind_id = "supply_sales"
    region = factory.LazyFunction(lambda: region("330421"))
    closes_on = factory.LazyFunction(lambda: timezone.localdate() + datetime.timedelta(days=10))
    answer_by_on = factory.LazyFunction(lambda: timezone.localdate() + datetime.timedelta(days=17))
    status = "published"
    submitted_at = factory.LazyFunction(timezone.now)
    approved_at = factory.LazyFunction(timezone.now)
    published_at = factory.LazyFunction(timezone.now)
    contact = factory.SubFactory(ContactFactory, enterprise=factory.SelfAttribute("..enterprise"))

    @factory.post_generation
    def lines(self, create, texts):
        if create:
            for number, text in enumerate(texts or [], 1):
                RequirementLineFactory(requirement=self, number=number, text=text)


class RequirementLineFactory(DjangoModelFactory):
    class Meta:
        model = models.RequirementLine

    requirement = factory.SubFactory(RequirementFactory)
    number = factory.Sequence(lambda n: n % 200 + 1)
    text = "三分体接线盒,1500 V,25 A,IP68"
