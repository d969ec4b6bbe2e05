"""The main line on the demonstration data, over real HTTP, from the phone's side only."""

import pytest
from django.core.management import call_command

from tests.journeys.phone import walk_from_sign_up, walk_running_class


@pytest.mark.django_db(transaction=True)
def test_from_the_class_list_to_a_valid_certificate_and_a_job(live_server, settings):
    settings.PUBLIC_URL = live_server.url
    call_command("load_demo", verbosity=0)

    assert "有效" in walk_from_sign_up(live_server.url)
    assert "有效" in walk_running_class(live_server.url)
