"""What somebody wrote, as a page shows it: harmless, readable, and nothing of it lost unnamed."""

from __future__ import annotations

import re
import sys
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.web import conversation, lettering
from core.web.conversation import MOST, WHOLE, shown
from tests.core.test_markup import APPLE, GMAIL, OUTLOOK
from tests.web.hostile import BOMBS, HTML, LINES

SHOP = "Shop <s@shop.example>"
HEAD = "From: Shop\nSent: Saturday\nTo: Ana\nSubject: x"
SALAM = "\u0645\u0631\u062d\u0628\u0627"
MIKHAHAM = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
ALLOWED = {
    "a": {"href", "rel", "target"},
    "b": set(),
    "br": set(),
    "code": set(),
    "i": set(),
}
LINK = re.compile(r"https?://[a-z0-9]|mailto:", re.IGNORECASE)


class Parsed(HTMLParser):
    """The words of some HTML; complains about what is not on the list, or not closed."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.words, self.links, self.open = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag in ALLOWED
        given_ = dict(attrs)
        assert set(given_) <= ALLOWED[tag]
        if tag == "br":
            self.words.append("\n")
            return
        self.open.append(tag)
        if tag == "a":
            assert LINK.match(given_.get("href", "mailto:")), given_
            assert given_["rel"] == "noopener noreferrer nofollow"
            assert given_["target"] == "_blank"
            self.links.append(given_.get("href", ""))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def read(body, **changes):
    """Each part's words, with what is quoted behind a bar."""
    parts = shown(body, "picture", **changes).parts
    return ["|" * part.is_quoted + "".join(Parsed(str(part.html)).words) for part in parts]


def words(body, **changes):
    return "\n".join(read(body, **changes))


@pytest.mark.parametrize("body", [*HTML, *LINES])
def test_nothing_that_acts_is_shown(body):
    assert "alert" not in " ".join(
        link for part in shown(body, "picture").parts for link in Parsed(str(part.html)).links
    )
    read(body, whole=True, as_it_came=True)


@given(
    st.lists(
        st.sampled_from([*HTML, *LINES, "<", ">", '"', "'", "<!--", "-->", "<b>", "</p>", "\n>"]),
        max_size=6,
    )
)
def test_nothing_that_acts_is_shown_however_it_is_put_together(pieces):
    body = "".join(pieces)

    read(body)
    read(body[1:-1], whole=True)


@given(st.text() | st.text(alphabet="<>/ab!-'\"=[]&;#x \n\r\x00\ud800\u202e\u0301\u200dé"))
def test_any_text_is_shown(body):
    read(body)
    read(f"<p>{body}", whole=True)


def ordinary(text):
    """The characters that have a look of their own."""
    return [c for c in text if unicodedata.category(c)[0] in "LNPS" and not lettering.letters(c)[1]]


PLAIN = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="<\u202a\u202b\u202c\u202d"
                  "\u202e\u2066\u2067\u2068\u2069")
)  # fmt: skip


@given(PLAIN)
def test_no_word_of_a_text_is_lost(body):
    assert ordinary("".join(read(body, whole=True)).replace("|", "")) == ordinary(
        body.replace("|", "")
    )


WORD = st.text(alphabet="abcdefghijk\ud55c\uae00\u0639\u0631\u0628", min_size=1, max_size=6)
TREE = st.recursive(
    WORD,
    lambda inner: st.tuples(
        st.sampled_from(["p", "div", "b", "i", "ul", "li", "table", "tr", "td", "blockquote", "pre",
                         "span", "h1", "code", "u", "o:p", "center", "body", "noscript", "svg"]),
        st.lists(inner, max_size=4),
    ),
    max_leaves=20,
)  # fmt: skip


def html_of(tree):
    if isinstance(tree, str):
        return f" {tree} "
    name, inner = tree
    return f"<{name}>{''.join(map(html_of, inner))}</{name}>"


def said_in(tree):
    return [tree] if isinstance(tree, str) else [word for each in tree[1] for word in said_in(each)]


@given(TREE)
def test_no_word_of_an_html_is_lost(tree):
    body = f"<html>{html_of(tree)}</html>"

    assert words(body, whole=True).replace("|", " ").replace(">", " ").replace(
        "\u2022", " "
    ).split() == said_in(tree)


@pytest.mark.parametrize(
    ("body", "parts"),
    [
        ("a\nb", ["a\nb"]),
        ("a\r\nb\rc\u2028d", ["a\nb\nc\nd"]),
        ("No.\n> Did it\n>\n\n> come?\nSorry", ["No.", "|> Did it\n>\n\n> come?", "Sorry"]),
        ("> all of it", ["> all of it"]),
        ("1 < 2 & <3 you", ["1 < 2 & <3 you"]),
        ("<p>a</p><p>b</p>c", ["a\n\nb\n\nc"]),
        ("<div>a</div><div>b</div>c<br><br>d", ["a\nb\nc\n\nd"]),
        ("a<b>b</b><span>c</span>  d\n e", ["abc  d\n e"]),
        ("<p>a  b\n c", ["a b c"]),
        ("<ul><li>a<li>b</ul><ol><li>c<li>d</ol>", ["\u2022 a\n\u2022 b\n1. c\n2. d"]),
        ("<table><tr><td>ASIN</td><td>B0</td></tr><tr><td>7<td>8</table>", ["ASIN\tB0\n7\t8"]),
        ("<pre>  a\n   b</pre>", ["  a\n   b"]),
        ("1 &lt; 2 &amp;amp; &#8364;<br>", ["1 < 2 &amp; \u20ac"]),
        ("<head><title>t</title><style>s{}</style></head>x<script>y</script>", ["x"]),
        ("<p>a<!-- <p>b</p> -->c<!--[if mso]>d<![endif]-->e", ["ace"]),
        ("<p>a<script>b", ["ab"]),
        ("<img alt='my cat' src=x><img src=y>", ["[picture: my cat][picture]"]),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", ["|a\n\n> b", "c"]),
        (f"No.\n\n{HEAD}\n\nDid it come?", ["No.", f"|{HEAD}\n\nDid it come?"]),
        (f"<p>No.</p><div>{HEAD.replace(chr(10), '<br>')}</div><p>Did it come?</p>",
         ["No.", f"|{HEAD}\n\nDid it come?"]),
        ("Sorry.\nOn 21 Nov 2026, Ana <a@b.example> wrote:\nDid it come?",
         ["Sorry.", "|On 21 Nov 2026, Ana <a@b.example> wrote:\nDid it come?"]),
        (f"{HEAD}\n\nDid it come?", [f"{HEAD}\n\nDid it come?"]),
        ("x: y\n" * 100, ["x: y\n" * 79 + "x: y"]),
        (GMAIL, ["It never came.", f"|On Sat, 21 Nov 2026, {SHOP} wrote:\n\nDid it come?"]),
        (OUTLOOK, ["It never came.", f"|{HEAD}\n\nDid it come?"]),
        (APPLE, ["It never came.", "|On 21 Nov 2026, Shop wrote:\nDid it come?"]),
        ("", []),
        ("\u200b", []),
    ],
)  # fmt: skip
def test_a_person_reads_what_was_written(body, parts):
    assert read(body) == parts


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<a href='https://evil.example/x'>https://bank.example/</a>",
         "https://bank.example/ [evil.example]"),
        ("<a href='https://bank.example/x'>https://bank.example/</a>", "https://bank.example/"),
        ("<a href='https://bank.example@evil.example/x'>here</a>", "here [evil.example]"),
        ("<a href='https://bank.example.evil.example/'>https://bank.example</a>",
         "https://bank.example [bank.example.evil.example]"),
        ("<a href='https://b\u00e4nk.example/'>b\u00e4nk</a>",
         "b\u00e4nk [xn--bnk-qla.example]"),
        ("<a href='mailto:a@b.example?subject=x'>write</a>", "write [a@b.example]"),
        ("<a href='mailto:a@b.example'>a@b.example</a>", "a@b.example"),
        ("<a href='https://x.example/'><img src=y></a>", "[picture] [x.example]"),
        ("<a href='https://x.example/'></a>", "[x.example]"),
        ("see https://x.example/a?b=1&c=(2).", "see https://x.example/a?b=1&c=(2)."),
        ("https://bank.example@evil.example/", "https://bank.example@evil.example/ [evil.example]"),
    ],
)  # fmt: skip
def test_a_link_says_where_it_leads(body, text):
    [part] = shown(body, "picture").parts
    parsed = Parsed(str(part.html))

    assert "".join(parsed.words) == text
    assert len(parsed.links) == 1


def test_a_link_that_leads_nowhere_good_keeps_its_words():
    [part] = shown("<a href='javascript:alert(1)'>click</a>", "picture").parts

    assert str(part.html) == "click"


@pytest.mark.parametrize(
    ("text", "seen", "left_out"),
    [
        ("a\u202egpj.exe\u202c", "a\u2039RLO\u203agpj.exe\u2039PDF\u203a", 0),
        ("\u2066x\u2069", "\u2039LRI\u203ax\u2039PDI\u203a", 0),
        ("\x00\x1b[31m\x7f\x9b", "\u2400\u241b[31m\u2421\ufffd", 0),
        ("pa\u200bss\u00adword\ufeff", "password", 3),
        ("a" + "\u0301" * 40, "a" + "\u0301" * lettering.MOST_MARKS, 34),
        (f"{SALAM}\u200f \u200f\u200f!", f"{SALAM}\u200f \u200f!", 1),
        (MIKHAHAM, MIKHAHAM, 0),
        (FAMILY, FAMILY, 0),
        ("\ud55c\uad6d\uc5b4 \uba54\uc2dc\uc9c0", "\ud55c\uad6d\uc5b4 \uba54\uc2dc\uc9c0", 0),
        ("Ti\u1ebfng Vi\u00ea\u0323t", "Ti\u1ebfng Vi\u00ea\u0323t", 0),
        ("\ud800x", "\ufffdx", 0),
    ],
)  # fmt: skip
def test_letters_show_what_they_are(text, seen, left_out):
    assert lettering.letters(text) == (seen, left_out)
    assert shown(text, "picture").left_out == left_out
    assert "".join(read(f"<p>{text}")) == seen


def test_marks_that_are_spread_over_elements_are_bounded_all_the_same():
    [text] = read("<p>a" + "<b>\u0301</b>" * 40)

    assert text == "a" + "\u0301" * lettering.MOST_MARKS


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (None, ""), ("a\n b\t", "a b"), ("\u200b\u3164", ""), ("\u200d \u200e", ""),
        ("w" * 400, "w" * 299 + "\u2026"),
    ],
)  # fmt: skip
def test_a_line_is_one_line(text, seen):
    assert lettering.line(text) == seen


def test_a_long_message_is_shown_to_its_begin_and_says_how_much_more_there_is():
    long, many = "x" * 200_000, "y\n" * 1000

    assert shown(long, "picture").more == 200_000 - MOST.characters + 1
    assert shown(many, "picture").more == 2 * (1000 - MOST.lines)
    assert len(words(long)) == MOST.characters - 1
    assert words(long, whole=True) == long
    assert shown(long, "picture", whole=True).more == 0


@pytest.mark.parametrize(
    "body",
    ["<p>" + "x" * 5000, "<p>" + "x<br>" * 500, "<b></b>" * 5000 + "x", "<p>x</p>" * 3000],
)
def test_of_a_long_html_no_more_is_read_than_is_shown(body):
    cut, whole = shown(body, "picture"), shown(body, "picture", whole=True)

    assert cut.more > 0
    assert whole.more == 0
    assert sum(len(part.html) for part in cut.parts) <= 10 * MOST.characters
    assert "x" in str(whole.parts[-1].html)


@pytest.mark.parametrize(
    "body",
    ["a\n" * 500_000, "<br>a" * 50_000, "<b>" + "a\n" * 500_000, "<pre>" + "\n" * 500_000,
     "<b>a</b>" * 50_000, "https://x.example/ " * 50_000, "\u200b" * 1_000_000],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_of_one_without_end_the_whole_has_an_end_too(body):
    found = shown(body, "picture", whole=True)

    assert found.more > 0
    assert sum(str(part.html).count("<br>") for part in found.parts) <= WHOLE.lines
    assert sum(len(part.html) for part in found.parts) <= 10 * WHOLE.characters
    assert sum(str(part.html).count("<b>") for part in found.parts) <= WHOLE.tags


@pytest.mark.parametrize("kind", ["</", "<a ", "<s", "&amp;", "x\n", "<p>", "x "])
@pytest.mark.parametrize("before", ["", "<p>"])
def test_a_look_at_the_begin_costs_the_same_however_much_follows(kind, before):
    once = before + kind * 12_000

    much = steps(once + kind * 12_000, whole=False)

    assert abs(much - steps(once, whole=False)) <= 50


def test_html_is_shown_as_it_came_on_request():
    body = "<p onclick='x'>a<script>b</script></p>"

    assert shown(body, "picture").was_html
    assert words(body) == "a"
    assert words(body, as_it_came=True) == body


def steps(body, *, whole=True):
    """How many calls of functions, Python's and C's, *body* takes."""
    count = 0

    def call(_frame, what, _arg):
        nonlocal count
        count += what in {"call", "c_call"}

    sys.setprofile(call)
    try:
        shown(body, "picture", whole=whole)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", BOMBS)
def test_the_work_is_that_of_the_length(kind):
    """The patterns themselves give nothing back: each is possessive, or ends at a sign."""
    lettering.letters("\u0301" * 10)  # its pattern is made once
    small, large = BOMBS[kind](500), BOMBS[kind](1000)

    assert steps(large) <= 2.2 * steps(small) + 100
    assert sum(len(part.html) for part in shown(large, "p", whole=True).parts) <= 20 * len(large)
    for part in shown(large, "p", whole=True).parts:
        Parsed(str(part.html))


def test_the_second_lock_would_hold_alone():
    for body in HTML:
        Parsed(conversation.CLEANER.clean(body))
