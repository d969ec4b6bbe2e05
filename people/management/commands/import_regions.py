"""``manage.py import_regions FILE --valid-from DATE``: read the official division codes."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from people import regions


class Command(BaseCommand):
    help = (
        "Reads a CSV list of regions (code,name[,level][,parent][,valid_from][,valid_to]"
        "[,successor]; UTF-8 or GB18030). All lines are taken or none."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--valid-from", type=date.fromisoformat, required=True)
        parser.add_argument(
            "--complete",
            action="store_true",
            help="regions below the topmost listed ones that are missing end the day before",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(str(error)) from error
        try:
            report = regions.load(
                content, valid_from=options["valid_from"], complete=options["complete"]
            )
        except regions.BadRegions as refusal:
            lines = [f"line {fault['line']}: {fault['code']}" for fault in refusal.facts["errors"]]
            raise CommandError("\n".join(lines)) from refusal
        for what in ("added", "changed", "closed"):
            self.stdout.write(f"{what}: {len(getattr(report, what))}")
