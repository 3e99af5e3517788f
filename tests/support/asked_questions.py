"""Questions that users of this field ask in public, as one types them into a search box.

Each has what is typed, the place where it was asked, and the pages that answer it. The first page that
the search of the documentation finds is to be one of them.
"""

from __future__ import annotations

from typing import NamedTuple

_DAGSTER = "https://github.com/dagster-io/dagster/issues/"
_ANY = "how-to/questions"  # has a short answer to each


class Asked(NamedTuple):
    typed: str
    source: str
    pages: tuple[str, ...]


def _asked(typed: str, source: str, *pages: str) -> Asked:
    return Asked(typed, source, (*pages, _ANY))


ASKED = (
    _asked("why stale", _DAGSTER + "11442", "how-to/why"),
    _asked(
        "stale after editing function",
        "https://github.com/pipefunc/pipefunc/issues/964",
        "how-to/why",
    ),
    _asked(
        "rerun only changed",
        "https://discourse.kedro.community/t/speeding-up-pipeline-processing-with-change-detection/90",
        "concepts/staleness",
    ),
    _asked("partition stale upstream", _DAGSTER + "14385", "partitions"),
    _asked("backfill failed missing", _DAGSTER + "30784", "backfills"),
    _asked("resume backfill", _DAGSTER + "11631", "backfills"),
    _asked("rerun failed steps", _DAGSTER + "17754", "execution", "tutorial"),
    _asked("rename asset", _DAGSTER + "3472", "how-to/rename-and-remove"),
    _asked("config command line", _DAGSTER + "16802", "how-to/config"),
    _asked("secret environment variable", _DAGSTER + "26070", "how-to/resources"),
    _asked("load asset notebook", _DAGSTER + "9524", "how-to/notebooks"),
    _asked(
        "cron notification", "https://github.com/antoniorodr/cronboard/issues/29", "how-to/nightly"
    ),
    _asked("failed check downstream", _DAGSTER + "17251", "how-to/checks"),
    _asked(
        "polars lazyframe",
        "https://github.com/danielgafni/dagster-polars/issues/13",
        "how-to/tables",
        "values",
    ),
    _asked("new files folder", _DAGSTER + "14290", "how-to/files-and-folders", "sources"),
    _asked("mock test resource", _DAGSTER + "2849", "how-to/test-assets"),
    _asked(
        "lightweight airflow alternative",
        "https://curlybrackets.tech/blog/python-data-orchestration-lightweight-alternatives",
        "coming-from/not-for",
        "coming-from/scripts",
    ),
    _asked("dask cluster", _DAGSTER + "2127", "how-to/dask"),
    _asked("s3 endpoint minio", _DAGSTER + "12835", "how-to/object-stores"),
    _asked("limit concurrency", _DAGSTER + "17732", "execution", "backfills"),
    _asked("validate definitions ci", _DAGSTER + "6200", "how-to/ci"),
    _asked(
        "io manager csv",
        "https://skytowner.com/explore/comprehensive_guide_on_iomanagers_in_dagster",
        "how-to/io-managers",
    ),
)
