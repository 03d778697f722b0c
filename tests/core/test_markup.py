"""HTML as text."""

from __future__ import annotations

import re
from time import process_time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.transport import markup

if TYPE_CHECKING:
    from collections.abc import Callable

GMAIL = (
    "<div>It never came.</div><br><div class='gmail_quote gmail_quote_container'>"
    "<div dir=ltr class='gmail_attr'>On Sat, 21 Nov 2026, Shop &lt;s@shop.example&gt; wrote:"
    "<br></div><blockquote class='gmail_quote' style='margin:0'><p>Did it come?</p></blockquote>"
    "</div>"
)
OUTLOOK = (
    "<p>It never came.</p><hr><div id='divRplyFwdMsg'><b>From:</b> Shop<br>"
    "<b>Sent:</b> Saturday<br><b>To:</b> Ana<br><b>Subject:</b> x</div>"
    "<div><p>Did it come?</p></div>"
)
APPLE = (
    "It never came.<br><blockquote type='cite'><div>On 21 Nov 2026, Shop wrote:</div>"
    "<div>Did it come?</div></blockquote>"
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<div>a</div><div>b</div>c", "a\nb\nc"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("a<b>b</b><span>c</span>  d\n e", "abc d e"),
        ("<ul><li>a<li>b</ul>", "- a\n- b"),
        ("<table><tr><td>ASIN</td><td>B0</td></tr><tr><td>SKU<td>7</table>", "ASIN\tB0\nSKU\t7"),
        ("<pre>  a\n   b</pre>", "  a\n   b"),
        ("1 &lt; 2 &amp;amp; &#8364;&nbsp;5", "1 < 2 &amp; € 5"),
        ("<head><title>t</title><style>s{}</style></head><body>x<script>y</script>", "x"),
        ("a<!-- <p>b</p> -->c<!--[if mso]><table><tr><td>d<![endif]-->e", "ace"),
        ("a<!-- <span>b</span> -->c<!-- <i>d", "ac"),
        ("<<i>p>x", "<p>x"),
        ("a<noscript>b</noscript><template>c</template><textarea>d</textarea>", "a"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n\n> > b\n\nc"),
        ("a &unheard; <3 you", "a &unheard; <3 you"),
        ("<p>open <a href='x", "open"),
        ("", ""),
        ("just words", "just words"),
    ],
)
def test_html_becomes_what_a_person_reads(html, text):
    assert markup.text(html) == text


@pytest.mark.parametrize("html", [GMAIL, OUTLOOK, APPLE])
def test_an_older_letter_is_cut_on_request(html):
    assert "Did it come?" in markup.text(html)
    assert markup.text(html, cut_quotes=True) == "It never came."


@pytest.mark.parametrize("html", [GMAIL, OUTLOOK, APPLE])
def test_where_nothing_else_is_there_the_older_letter_stays(html):
    alone = re.sub("It never came.", "", html)

    assert "Did it come?" in markup.text(alone, cut_quotes=True)


def test_words_below_a_quote_survive_its_cut():
    html = "<blockquote type=cite>Did it <div>come?</div></blockquote><p>No.</p>"

    assert markup.text(html, cut_quotes=True) == "No."


@given(st.text(alphabet="<>/ab!-'\"=[]& \n\x00\ud800é"))
def test_any_text_is_read(html):
    markup.text(html, cut_quotes=True)


BOMBS: dict[str, Callable[[int], str]] = {
    "nested blocks": lambda n: "<div>" * n,
    "formatting without end": lambda n: "".join(f"<b id={i}><p>" for i in range(n)),
    "formatting hidden in formatting": lambda n: "<<b>b id=1><p>" * n,
    "formatting in comments": lambda n: "".join(f"<b id={i}><!-- </b> --><p>" for i in range(n)),
    "nested tables": lambda n: "<table><tr><td>" * n,
    "links": lambda n: "".join(f"<a href={i}><div>" for i in range(n)),
    "attributes": lambda n: "<p " + " ".join(f"a{i}=1" for i in range(n)) + ">",
    "attributes of a link": lambda n: "<a " + " ".join(f"a{i}=1" for i in range(n)) + ">",
    "closings": lambda n: "<div>" * n + "</p>" * n,
    "quotes": lambda n: "<blockquote>" * n + "x<br>" * n,
    "opened": lambda n: "<" * n,
    "letters of a tag": lambda n: "<" + "a" * n,
    "signs": lambda n: "&" * n,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_html_that_asks_for_millions_of_elements_gets_a_bounded_answer(kind):
    """Without the rewriting the second of these takes gigabytes at a tenth of this size."""
    html = BOMBS[kind](200_000)

    before = process_time()
    assert len(markup.text(html)) <= markup.LONGEST_HTML
    assert process_time() - before < 20


def test_tags_beyond_the_limit_are_not_looked_at():
    html = "<p>x</p>" * markup.MOST_TAGS

    assert markup.is_long(html)
    assert markup.text(html).count("x") == markup.MOST_TAGS // 2
    assert not markup.is_long("<p>x</p>" * (markup.MOST_TAGS // 2))
