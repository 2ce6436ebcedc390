from __future__ import annotations

import pytest
from django.urls import reverse

from chains.models import AuditEntry, Change, OrganiserRole
from tests.factories.chains import (
    AdministratorFactory,
    EnterpriseFactory,
    OrganiserRoleFactory,
    UserFactory,
    region,
)

pytestmark = pytest.mark.django_db
PAGE = "/desk/roles/"


def test_city_gives_a_county_its_desk_and_ends_it(client):
    city = OrganiserRoleFactory()
    person = UserFactory(email="county@example.com")
    bureau = EnterpriseFactory(
        kind_id="government",
        scheme="other",
        number=None,
        region=region("330421"),
        name="示例县经信局",
    )
    client.force_login(city.user)
    typed = {
        "email": "County@Example.com",
        "body": bureau.public_id,
        "region": "330421",
        "role": "organiser",
    }

    page = client.post(PAGE, typed, follow=True).content.decode()
    granted = OrganiserRole.objects.get(user=person)

    assert (granted.body, granted.region.code, granted.role) == (bureau, "330421", "organiser")
    assert PAGE in client.get(reverse("matchmaking:inbox")).content.decode()
    assert "county@example.com" in page
    end = reverse("chains:role_end", args=[granted.public_id])
    assert f'action="{end}"' in page

    ended = client.post(end, follow=True).content.decode()
    again = client.post(end)

    assert "county@example.com" not in ended
    assert again.status_code == 404
    assert not OrganiserRole.objects.current().filter(user=person).exists()
    assert AuditEntry.objects.filter(action="role.ended").count() == 1
    assert Change.objects.filter(noun="role", verb="ended").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("email", "nobody@example.com", "No account has this address."),
        ("region", "330400", "Choose a county, district or zone below your own region."),
        ("region", "330106", "Choose a county, district or zone below your own region."),
        ("valid_until_on", "2020-01-01", "This day has passed."),
    ],
)
def test_role_is_given_below_the_own_region_only_and_to_accounts(client, field, value, sentence):
    city = OrganiserRoleFactory()
    UserFactory(email="county@example.com")
    client.force_login(city.user)
    typed = {
        "email": "county@example.com",
        "body": city.body.public_id,
        "region": "330421",
        "role": "organiser",
    }

    answer = client.post(PAGE, typed | {field: value})

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert OrganiserRole.objects.count() == 1


def test_roles_of_the_own_region_and_of_other_cities_are_not_ones_own_to_end(client):
    city = OrganiserRoleFactory()
    others = [
        OrganiserRoleFactory(),
        OrganiserRoleFactory(region=region("330106")),
        city,
    ]
    client.force_login(city.user)

    answers = [client.post(reverse("chains:role_end", args=[row.public_id])) for row in others]

    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert OrganiserRole.objects.current().count() == 3


def test_administrator_ends_roles_in_the_workshop(client):
    granted = OrganiserRoleFactory()
    client.force_login(AdministratorFactory())

    client.post(
        reverse("admin:chains_organiserrole_changelist"),
        {"action": "end", "_selected_action": [granted.pk]},
    )

    granted.refresh_from_db()
    assert not granted.is_current
    assert AuditEntry.objects.filter(action="role.ended").count() == 1
