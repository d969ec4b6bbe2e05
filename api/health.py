"""Whether the process lives and whether it can serve; for machines."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse


def live(request: HttpRequest) -> JsonResponse:
    """Answer as long as the process runs."""
    return JsonResponse({"status": "live"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database is there and migrated, else 503."""
    try:
        executor = MigrationExecutor(connection)
        behind = bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except Exception:  # whatever is wrong with the database, we are not ready
        behind = True
    status = 503 if behind else 200
    return JsonResponse({"status": "not ready" if behind else "ready"}, status=status)
