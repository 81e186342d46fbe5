"""Publications to report on, made once; tests only read them."""

from pathlib import Path

import pytest

from report import render
from tests.python.report.published_marts import HOSTILE, TARGETS, build_marts


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Path:
    """Three products, three tests, five weeks, every report rendered."""
    folder = build_marts(tmp_path_factory.mktemp("plain") / "published", targets=TARGETS)
    render(folder)
    return folder


@pytest.fixture(scope="session")
def hostile(tmp_path_factory) -> Path:
    """Names of products, tests and error codes that would do harm where text is taken for markup or a formula."""
    folder = tmp_path_factory.mktemp("hostile") / "published"
    tests = ["=cmd|' /C calc'!A0", "</script><b>"]
    build_marts(folder, products=HOSTILE, tests=tests, codes=["-2+3", "+x", "\x1b[31m"])
    render(folder)
    return folder


@pytest.fixture(scope="session")
def empty(tmp_path_factory) -> Path:
    """A plant without a single record."""
    folder = build_marts(tmp_path_factory.mktemp("empty") / "published", modules=0)
    render(folder)
    return folder
