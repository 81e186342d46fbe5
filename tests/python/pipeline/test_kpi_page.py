"""The catalogue of figures: that it is up to date, and that its arithmetic is right."""

import pytest

from pipeline.documentation import KPI_PAGE
from pipeline.kpi_page import figures, page, read_models, worked


# Somebody reads a definition that the models no longer have.
def test_the_page_says_what_the_models_say():
    assert KPI_PAGE.read_text(encoding="utf-8") == page(), "`make docs` writes docs/kpis.md again"


# A reader who computes a figure again from its parts gets another number than dbt builds.
@pytest.mark.parametrize("figure", [figure for figure in figures().values() if worked(figure)], ids=lambda it: it.name)
def test_a_worked_example_gives_the_number_that_is_built(figure):
    found = eval(worked(figure), {"__builtins__": {}})
    assert found == pytest.approx(figure.numbers[figure.name], rel=1e-6)


# A figure that is stored without its parts can't be added up over days or machines.
def test_every_figure_stands_beside_its_parts():
    models = read_models()
    for figure in figures().values():
        for name in figure.models:
            assert {column["name"] for column in models[name]["columns"]} >= set(figure.needs())


def test_every_figure_has_an_example():
    assert [figure.name for figure in figures().values() if figure.numbers.get(figure.name) is None] == []
