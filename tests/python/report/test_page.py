import base64
import hashlib
import json
import re

import pytest


def page_of(folder):
    return (folder / "reports" / "latest" / "engineering" / "yield.html").read_text(encoding="utf-8")


def blocks(page: str, tag: str) -> list[str]:
    return re.findall(rf"<{tag}>(.*?)</{tag}>", page, flags=re.DOTALL)


# The browser would refuse the page's own script, and readers see a blank page.
def test_the_policy_names_exactly_the_scripts_and_the_style_inside(published):
    page = page_of(published)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    inline = [*blocks(page, "script"), *blocks(page, "style")]
    wanted = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline}
    assert set(re.findall(r"'sha256-([^']*)'", policy)) == wanted
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


# A product named like a script would run in the browser of whoever opens the report.
def test_names_of_records_stay_inside_the_data_block(hostile):
    page = page_of(hostile)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, flags=re.DOTALL)[1]
    assert "<" not in data
    assert "<script>alert(1)</script>" in json.loads(data)["names"]["product"]
    assert "alert(1)" not in page.replace(data, "")


@pytest.mark.parametrize("folder", ["published", "hostile", "empty"])
def test_nothing_in_the_page_leads_outside(folder, request):
    page = page_of(request.getfixturevalue(folder))
    markup = page.replace("\n".join(blocks(page, "script")), "")
    for text in blocks(page, "script"):
        markup = markup.replace(text, "")
    assert not re.search(r"""(src|href|action)=["']?(https?:)?//""", markup)
    assert "@import" not in page.split("</style>")[0]
    assert "url(" not in page.split("</style>")[0]
