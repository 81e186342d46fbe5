"""`python -m report spc`: what an engineer gets for a spreadsheet, and what for one that does not fit."""

import csv

import openpyxl
import pytest
from click.testing import CliRunner

from report.__main__ import main

AIAG = {
    "A": "0.29 -0.56 1.34 0.47 -0.80 0.02 0.59 -0.31 2.26 -1.36 0.41 -0.68 1.17 0.50 -0.92 -0.11 0.75 -0.20 1.99 -1.25"
    " 0.64 -0.58 1.27 0.64 -0.84 -0.21 0.66 -0.17 2.01 -1.31",
    "B": "0.08 -0.47 1.19 0.01 -0.56 -0.20 0.47 -0.63 1.80 -1.68 0.25 -1.22 0.94 1.03 -1.20 0.22 0.55 0.08 2.12 -1.62"
    " 0.07 -0.68 1.34 0.20 -1.28 0.06 0.83 -0.34 2.19 -1.50",
    "C": "0.04 -1.38 0.88 0.14 -1.46 -0.29 0.02 -0.46 1.77 -1.49 -0.11 -1.13 1.09 0.20 -1.07 -0.67 0.01 -0.56 1.45"
    " -1.77 -0.15 -0.96 0.67 0.11 -1.45 -0.49 0.21 -0.49 1.87 -2.16",
}
"""Ten parts, three appraisers, three trials: AIAG, Measurement Systems Analysis, 4th edition."""


@pytest.fixture
def run(tmp_path):
    """Runs the command on a CSV of the given text, or on a file; its text, or that of its error."""

    def run(content, *arguments: str) -> str:
        file = content
        if isinstance(content, str):
            file = tmp_path / "study.csv"
            file.write_text(content)
        result = CliRunner().invoke(main, ["spc", str(file), "--output", str(tmp_path / "out"), *arguments])
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.output

    return run


def points(tmp_path, name: str) -> list[dict]:
    with (tmp_path / "out" / f"{name}.csv").open() as stream:
        return list(csv.DictReader(stream))


def test_individuals_of_a_sheet_with_decimal_commas(run, tmp_path):
    text = (
        "time;weight\n" + "".join(f"{at};{5 + (at % 4) / 10:.1f}\n".replace(".", ",") for at in range(30)) + "30;9,5\n"
    )
    said = run(text, "--chart", "imr", "--value", "Weight", "--reference", "30", "--lower", "4", "--upper", "6")
    assert "frozen" in said and "n1" in said and "cpk" in said and "unstable" in said
    rows = [row for row in points(tmp_path, "study-imr") if row["panel"] == "location"]
    assert [row["point"] for row in rows if row["rules"]] == ["31"] and len(rows) == 31
    page = (tmp_path / "out" / "study-imr.html").read_text()
    assert (
        page.count("<svg") == 2
        and "study.csv" in page
        and "<script" not in page
        and "The process is not stable" in page
    )


def test_subgroups_by_label_by_size_and_by_row_are_the_same(run, tmp_path):
    groups = [[5.1, 5.0, 4.9], [5.2, 5.3, 4.8], [5.0, 5.0, 5.3], [4.7, 5.1, 5.2]]
    by_row = "a,b,c\n" + "".join(",".join(map(str, group)) + "\n" for group in groups)
    stacked = "lot,x\n" + "".join(f"L{at},{value}\n" for at, group in enumerate(groups) for value in group)
    found = []
    for text, arguments in (
        (by_row, ["--value", "a", "--value", "b", "--value", "c"]),
        (stacked, ["--subgroup", "lot"]),
        (stacked, ["--size", "3", "--value", "x"]),
    ):
        assert "trial limits" in run(text, "--chart", "xbar-r", *arguments)
        found.append(points(tmp_path, "study-xbar-r"))
    assert found[0] == found[1] == found[2] and len(found[0]) == 8


def test_a_workbook_of_counts_with_a_cause_and_a_rebase(run, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Fails")
    sheet.append(["day", "fails", "tested"])
    for at in range(30):
        sheet.append([f"2024-01-{at + 1:02}", 40 if at == 4 else 5 + at % 3, 100 + at])
    file = tmp_path / "fails.xlsx"
    book.save(file)
    arguments = ["--sheet", "Fails", "--value", "fails", "--sample-size", "tested"]
    said = run(file, "--chart", "p", *arguments, "--exclude", "5==wrong fixture", "--rebase", "21=new line")
    assert "trial limits" in said and "Sizes vary" in said
    assert points(tmp_path, "fails-p")[4]["exclusion_cause"] == "'=wrong fixture"
    assert "New limits from point 21 on: new line" in (tmp_path / "out" / "fails-p.html").read_text()


def test_gage_study_of_the_manual(run, tmp_path):
    lines = [
        f"{who},{at % 10},{at // 10},{value}\n" for who, row in AIAG.items() for at, value in enumerate(row.split())
    ]
    text = "operator,part,trial,reading\n" + "".join(reversed(lines))
    arguments = ["--part", "part", "--appraiser", "operator", "--trial", "trial", "--lower", "-4", "--upper", "4"]
    run(text, "--chart", "grr", "--constants", "rounded", *arguments)
    anova, ranges = points(tmp_path, "study-grr")
    figures = (
        "repeatability_sigma",
        "reproducibility_sigma",
        "gage_sigma",
        "part_sigma",
        "total_sigma",
        "gage_of_total",
    )
    assert [round(float(ranges[name]), 4) for name in figures] == [0.2019, 0.2297, 0.3058, 1.1046, 1.1461, 0.2668]
    assert ranges["distinct_categories"] == "5"
    assert [round(float(anova[name]), 4) for name in figures] == [0.1999, 0.2268, 0.3024, 1.0423, 1.0853, 0.2786]
    assert round(float(anova["interaction_f"]), 3) == 0.434 and round(float(anova["interaction_p"]), 4) == 0.9741
    assert anova["is_pooled"] == "True"


# Fleiss (1971) by hand: parts of 4 readings agree on 6, 3, 2 and 6 of 6 pairs; 9 of 16 pass.
def test_gage_study_of_pass_and_fail(run, tmp_path):
    reads = {"1": "PPPP", "2": "PPPF", "3": "PPFF", "4": "FFFF"}
    text = "part,who,result\n"
    for part, read in reads.items():
        text += "".join(f"{part},{'AB'[at % 2]},{'pass' if r == 'P' else 'NOK'}\n" for at, r in enumerate(read))
    run(text, "--chart", "grr", "--part", "part", "--appraiser", "who", "--value", "result")
    (row,) = points(tmp_path, "study-grr")
    chance = (9 / 16) ** 2 + (7 / 16) ** 2
    assert float(row["kappa"]) == pytest.approx(((6 + 3 + 2 + 6) / 24 - chance) / (1 - chance), rel=1e-12)
    assert row["agreed_part_count"] == "2"


@pytest.mark.parametrize(
    ("text", "arguments", "expected"),
    [
        (
            "a,b\n1,2\n",
            ["--chart", "imr"],
            "say which column has the values, with --value; columns of numbers: 'a', 'b'",
        ),
        ("a\n1\nx\n", ["--chart", "imr", "--value", "a"], "column 'a', record 2: 'x' is not a number"),
        ("a\n1\n2\n", ["--chart", "imr", "--value", "b"], "study.csv has no column 'b'; it has 'a'"),
        ("a\n1\n", ["--chart", "imr"], "a chart needs at least two points, and there are 1"),
        ("", ["--chart", "imr"], "study.csv: the file is empty"),
        ("a\n1\n2\n3\n", ["--chart", "xbar-s"], "every subgroup has a single value"),
        ("a\n" + "1\n2\n" * 26, ["--chart", "xbar-r", "--size", "26"], "ranges are for subgroups of up to 25 values"),
        ("a\n1\n2\n3\n", ["--chart", "imr", "--rules", "1 n9"], "--rules: expected some of 1 to 8"),
        ("a\n1\n2\n3\n", ["--chart", "imr", "--reference", "9"], "--reference: there is no point 9; the chart has 3"),
        ("a\n1\n2\n3\n", ["--chart", "imr", "--exclude", "2"], "expected the point and why"),
        ("a\n1\n2\n", ["--chart", "p"], "a p chart needs --sample-size"),
        ("a\n9\n2\n", ["--chart", "p", "--sample-size", "5"], "record 1: 9 of 5 are more than there are"),
        ("a\n1.5\n2\n", ["--chart", "c"], "record 1: 1.5 of 1 are no whole numbers"),
        ("a\n1\n2\n", ["--chart", "grr"], "a gage study needs --part and --appraiser"),
        ("a\n1\n2\n", ["--chart", "imr", "--lower", "3", "--upper", "2"], "--lower must be below --upper"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(run, text, arguments, expected):
    said = run(text, *arguments)
    assert expected in said and "Traceback" not in said
