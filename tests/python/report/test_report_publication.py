import duckdb
import pytest

from report.publication import Publication, PublicationError, Target, low_limit
from tests.python.report.published_marts import build_marts


# A plant sets 80 % for one hard test: were the general 85 % used there, its figures would be coloured for nothing.
def test_the_most_specific_threshold_counts():
    targets = [
        Target("first_pass_yield", None, None, 0.85, None),
        Target("first_pass_yield", None, "Sweep", 0.80, None),
        Target("first_pass_yield", "Alpha", None, 0.90, None),
        Target("first_pass_yield", "Alpha", "Sweep", 0.70, None),
        Target("cumm_yield", None, None, 0.95, None),
    ]
    assert low_limit(targets, "first_pass_yield", "Beta", "Init") == 0.85
    assert low_limit(targets, "first_pass_yield", "Beta", "Sweep") == 0.80
    assert low_limit(targets, "first_pass_yield", "Alpha", "Init") == 0.90
    assert low_limit(targets, "first_pass_yield", "Alpha", "Sweep") == 0.70
    assert low_limit(targets, "passing_rate", "Alpha", "Sweep") is None


# A plant without a roles.csv would get no report at all.
def test_without_roles_one_role_gets_everything(tmp_path):
    with Publication(build_marts(tmp_path, roles=[])) as publication:
        assert [(role.name, role.pages) for role in publication.roles] == [("all", ())]


# Somebody who runs the report before the first publication reads one line, not a stack trace.
def test_says_that_nothing_is_published(tmp_path):
    with pytest.raises(PublicationError, match="nothing is published yet"), Publication(tmp_path):
        pass


# The same after an upgrade whose views differ from those of the last publication.
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("drop view report_yield_machine", "no report_yield_machine"),
        ("alter table report_run drop column timezone", "report_run has no timezone"),
    ],
)
def test_names_what_an_older_publication_lacks(tmp_path, change, said):
    build_marts(tmp_path)
    with duckdb.connect(str(tmp_path / "marts.duckdb")) as connection:
        connection.execute(change)
    with Publication(tmp_path) as publication, pytest.raises(PublicationError, match=said):
        publication.rows("report_yield_machine")
        assert publication.run


# Hovering a column header would show nothing: views seldom repeat the comments of their marts.
def test_definitions_come_from_the_mart_where_the_view_has_none(published):
    with Publication(published) as publication:
        definitions = publication.definitions("report_yield_product_test")
        assert definitions["load_qty"] == "Distinct modules that reached the test."
        assert publication.description("report_yield_machine").startswith("One row per load week, product, test and")
