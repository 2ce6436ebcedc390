from __future__ import annotations

import pytest

from tests.factories.chains import UserFactory

PASSWORD = "a long enough pass phrase 7"


@pytest.fixture
def person():
    user = UserFactory(email="person@millfield.example")
    user.set_password(PASSWORD)
    user.save()
    user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    return user
