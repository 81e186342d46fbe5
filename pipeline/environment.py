"""How dbt is called: its program, and what it is told, all of it through the environment."""

import hashlib
import os
import sys
from pathlib import Path

from ingest.lake import newest_rows, read_manifest
from pipeline.paths import PROJECT, Paths
from pipeline.subjects import SUBJECTS, YIELDS

DBT = Path(sys.executable).with_name("dbt")
SPARK_HERE = PROJECT / "pipeline" / "spark" / "conf"
"""Spark's configuration for this machine alone; $SPARK_CONF_DIR names another, such as a cluster's."""


def dbt_environment(paths: Paths) -> dict[str, str]:
    """What dbt is told, all of it through the environment."""
    return {
        "ENGINE": paths.engine,
        "FIRSTPASS_DATA": str(paths.data),
        "DBT_PROFILES_DIR": str(PROJECT),
        "DBT_PROJECT_DIR": str(PROJECT),
        "DBT_TARGET_PATH": str(paths.target),
        "DBT_LOG_PATH": str(paths.logs),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "FIRSTPASS_CODE": _code_version(),
        "FIRSTPASS_SUBJECTS": " ".join(subjects(paths)),
    } | ({"SPARK_CONF_DIR": os.environ.get("SPARK_CONF_DIR") or str(SPARK_HERE)} if paths.engine == "spark" else {})


def process_environment(paths: Paths) -> dict[str, str]:
    """The environment of a dbt process: ours, without what somebody's shell tells dbt for another project.

    Nor is it measured with our own tests: none of our Python runs in it, and it would take twice as long.
    """
    not_for_dbt = ("DBT_", "COVERAGE_")
    return {name: value for name, value in os.environ.items() if not name.startswith(not_for_dbt)} | dbt_environment(
        paths
    )


def subjects(paths: Paths) -> list[str]:
    """Those of the plant whose records the lake holds."""
    said = newest_rows(paths.raw, read_manifest(paths.raw), "ref_plant")["subjects"].to_pylist()
    if not said or said[0] is None:
        return SUBJECTS
    return [name for name in said[0].split() if name != YIELDS]


def _code_version() -> str:
    """Fingerprint of what shapes the marts besides the models: where it changed, every week is built again."""
    digest = hashlib.sha256()
    for file in [PROJECT / "dbt_project.yml", *sorted((PROJECT / "macros").rglob("*.sql"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()
