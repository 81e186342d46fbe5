"""A document's HTML: one file that opens by double click and asks nobody for anything.

Library, style, script and data are inlined. The policy in its head allows no request at all and no script but the two
whose hashes it names; Vega runs by its interpreter, so nothing is evaluated. Text from records reaches the page only as
JSON in a data block, and from there only as text nodes.
"""

import base64
import hashlib
import json
from functools import cache
from html import escape
from pathlib import Path

import vl_convert

from report.document import Document

ASSETS = Path(__file__).parent / "assets"
BEFORE, AFTER = ("data.js", "elements.js", "charts.js"), ("frame.js",)
"""What all documents share, before and after the scripts of their own."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<div id="documents" role="navigation" aria-label="Reports" hidden></div>
<header id="header"></header>
<nav id="pages" aria-label="Pages"></nav>
<form id="filters" aria-label="Filters"></form>
<main id="main" tabindex="-1"><noscript>This report needs JavaScript, which this browser does not run.</noscript></main>
<div id="tip" role="status" hidden></div>
<script type="application/json" id="data">{data}</script>
<script type="application/json" id="charts">{charts}</script>
<script>{library}</script>
<script>{script}</script>
</body>
</html>
"""


def render_page(document: Document, content: dict) -> str:
    """The whole page of a role's document (`report.content` and its own data)."""
    style = (ASSETS / "shared" / "page.css").read_text(encoding="utf-8")
    script = _script(document)
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src {_hash(_library())} {_hash(script)}",
            f"style-src {_hash(style)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    return PAGE.format(
        policy=policy,
        title=escape(f"{document.title} · {content['run']['plant']} · {content['role']}"),
        style=style,
        data=_json(content),
        charts=_charts(document),
        library=_library(),
        script=script,
    )


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the wheel of vl-convert."""
    return vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")


@cache
def _script(document: Document) -> str:
    own, shared = ASSETS / document.name, ASSETS / "shared"
    files = [*(shared / n for n in BEFORE), *(own / n for n in document.scripts), *(shared / n for n in AFTER)]
    parts = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return f'"use strict";\n(() => {{\n{parts}\n}})();'


@cache
def _charts(document: Document) -> str:
    return _json(document.charts())


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _json(value: object) -> str:
    """JSON that can't end its script element, whatever a record says."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign, code in {"<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}.items():
        text = text.replace(sign, code)
    return text
