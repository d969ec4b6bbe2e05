"""Load the demonstration city; loading it again only brings its running classes up to today."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from config.demo import cast, lessons, outcomes, uid
from people.models import Organisation, User
from training.models import TrainingClass


class Command(BaseCommand):
    help = "Load demonstration data (laptop only)."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DEMO_PHONES is None:
            raise CommandError("Demonstration data has no place in production.")
        at = timezone.localtime()
        if Organisation.objects.filter(pk=uid("organisation", cast.CITY_BUREAU)).exists():
            for running in TrainingClass.objects.filter(
                status=TrainingClass.Status.IN_PROGRESS, pk__in=lessons.running_ids()
            ):
                lessons.open_session(running, at)
            self.stdout.write("Demonstration data is there; its running classes are of today.")
            return
        # The cast is older than everything that it does.
        sides = cast.Cast(at).load()
        programmes = lessons.load_catalogue()
        lessons.load_enrolment_policy(User.objects.get(pk=uid("user", "13900000053")), at)
        for side in sides:
            self.stdout.write(f"Classes of {side.institution.name} …")
            lessons.Lessons(side, programmes, at).load()
            outcomes.load(side, at)
        self.stdout.write("Demonstration data loaded.")
