"""The buyer's words out of every wrapper, and nothing else."""

from __future__ import annotations

import pickle
from time import process_time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.amazon import body
from tests.connectors.amazon.letters import (
    CASE,
    FOOTER,
    LINK,
    OLD_LINK,
    ORDER,
    OTHER_ORDER,
    QUESTION,
    SECRET,
    SUBJECTS,
    WRAPPERS,
    mail,
    question,
    wrapped,
)  # fmt: skip


@pytest.mark.parametrize("language", WRAPPERS)
def test_trap_06_the_words_are_found_by_shape_in_every_language(language):
    words = body.read(question(language))

    assert words.text == QUESTION
    assert words.is_wrapped
    assert words.order_ids == (ORDER,)
    assert words.asins == ("B0EXAMPLE1",)


def test_the_next_dashed_line_closes():
    text = wrapped(words="first\n----- Original -----\nsecond")

    assert body.read(mail(text)).text == "first"


@pytest.mark.parametrize("line", ["----", "---- Message: ----", "----------------", "- - - - - -"])
def test_other_lines_open_nothing(line):
    assert not body.read(mail(f"{line}\nhello\n{line}")).is_wrapped


def test_an_empty_block_is_an_empty_message():
    words = body.read(mail(wrapped(words="")))

    assert (words.text, words.is_wrapped) == ("", True)


@pytest.mark.parametrize("lines", ["\n", "\r\n"])
def test_lines_may_end_as_they_like(lines):
    assert body.read(mail(wrapped().replace("\n", lines))).text == QUESTION


@pytest.mark.parametrize("greeting", ["You have received a message.", "商品について"])
def test_trap_06_without_lines_the_words_are_in_the_one_pre(greeting):
    html = (
        f"<html><p>{greeting}</p># {ORDER}:<br>1 / Bottle [ASIN: B0EXAMPLE1]"
        '<PRE style="x">Gr&uuml;&szlig;e &amp; <b>Dank</b><br/>Ada</PRE>'
        f'<a href="{LINK.replace("&", "&amp;")}">Solve case</a></html>'
    )
    words = body.read(mail(f"{greeting} Grüße", html=html))

    assert words.text == "Grüße & Dank\nAda"
    assert words.order_ids == (ORDER,)
    assert words.no_reply_link.get_secret_value() == LINK


def test_a_pre_that_is_not_closed_is_none():
    assert not body.read(mail("hello", html="<pre>hello")).is_wrapped


FORMS = {
    "en": f"Order#: {ORDER}\nItem: B0EXAMPLE1\nReason: Where is it\nDetails: Please help.",
    "it": f"Ordine# {ORDER}\nASIN: B0EXAMPLE1\nMotivo: Dove\nDettagli: Aiuto.",
    "de": f"Bestellung#: {ORDER}\nArtikel: Flasche\nGrund: Wo ist es\nDetails: Bitte helfen.",
    "fr": f"Commande# : {ORDER}\nArticle : Bouteille\nMotif : Retard\nDétails : Aidez-nous.",
    "es": f"Pedido#: {ORDER}\nArtículo: Botella\nMotivo: Retraso\nDetalles: Ayuda.",
    "ja": f"注文番号: {ORDER}\n商品: 水筒\n理由: 遅延\n詳細: お願いします。",  # full width
}


@pytest.mark.parametrize("language", FORMS)
def test_the_form_of_customer_service_is_read_in_its_languages(language):
    form = FORMS[language]
    words = body.read(mail(f"Hello,\n{form}\n\n{FOOTER}", subject="x"))

    assert words.is_wrapped
    assert words.order_ids == (ORDER,)
    assert words.text.startswith(form.splitlines()[2])
    assert form.splitlines()[3] in words.text
    assert SECRET not in words.text


def test_the_subjects_order_comes_before_the_texts():
    letter = mail(wrapped(order=OTHER_ORDER), subject=f"x (Order: {ORDER})")

    assert body.read(letter).order_ids == (ORDER, OTHER_ORDER)


@pytest.mark.parametrize("language", SUBJECTS)
def test_each_subject_gives_its_order(language):
    subject = SUBJECTS[language].format(order=ORDER)
    told = (ORDER,) if "{order}" in SUBJECTS[language] else ()

    assert body.read(mail(wrapped(order=None), subject=subject)).order_ids == told


@pytest.mark.parametrize(
    "text",
    [
        "030-1234567", "+49 302-1234567-1234567-8", "1302-1234567-1234567", "302-1234567-12345678",
        "302-123456-1234567", "302 1234567 1234567", "0302-1234567-1234567",
        "\u0663\u0660\u0662-1234567-1234567", "A302-1234567-1234567",
    ],
)  # fmt: skip
def test_trap_09_a_phone_number_is_no_order(text):
    assert body.order_ids(text, text) == ()


def test_trap_09_what_the_buyer_types_names_no_order():
    letter = question(words=f"as in my order {OTHER_ORDER}", order=None, subject="Frage")

    assert body.read(letter).order_ids == ()


@pytest.mark.parametrize("language", WRAPPERS)
def test_trap_07_links_tokens_and_footers_are_cut(language):
    words = body.read(question(language))

    for secret in (SECRET, "commMgrTok", "SPC-EU", "sellercentral", "customAttribute", "retained"):
        assert secret not in words.text


def test_trap_07_without_a_block_the_footer_is_cut_too():
    text = f"{QUESTION}\n\n{FOOTER}"
    words = body.read(mail(text))

    assert not words.is_wrapped
    assert QUESTION in words.text
    for secret in (SECRET, "commMgrTok", "SPC-EU", "ss=", "retained"):
        assert secret not in words.text


def test_trap_07_one_long_line_is_cut_at_its_first_token():
    text = f"{'word ' * 300} {FOOTER.replace(chr(10), ' ')}"

    assert SECRET not in body.read(mail(text)).text


def test_a_link_that_the_buyer_types_stays_but_amazons_lose_what_signs_them():
    words = "see https://shop.example/a?b=c and https://www.amazon.de/dp/B0X?tag=1#frag ok"
    text = body.read(question(words=words)).text

    assert text == "see https://shop.example/a?b=c and https://www.amazon.de/dp/B0X ok"


def test_trap_08_the_link_is_a_secret_and_stands_in_no_text():
    words = body.read(question())

    assert words.no_reply_link.get_secret_value() == LINK
    assert SECRET not in repr(words)
    assert SECRET not in str(words.no_reply_link)
    assert "no_reply_link" not in repr(words)


def test_the_older_link_is_known_too():
    letter = mail(wrapped(footer=f"No response needed {OLD_LINK}"))

    assert body.read(letter).no_reply_link.get_secret_value() == OLD_LINK


def test_trap_08_a_link_in_the_buyers_words_is_no_link():
    words = f"{LINK}\n----- End -----\n{LINK}\n"
    letter = mail(wrapped(words=words, footer="nothing"))

    assert body.read(letter).no_reply_link is None
    assert body.read(mail(f"{LINK}\n{LINK}")).no_reply_link is None


@pytest.mark.parametrize(
    "link",
    [
        LINK.replace("https", "http"),
        LINK.replace("amazon.de", "amazon.de.evil.example"),
        LINK.replace("sellercentral.", "sellercentral-"),
        LINK.replace("https://", "https://x@"),
        LINK.replace("https://", "https://evil.example/?"),
        LINK.replace("amazon.de/", "amazon.de:8443/"),
        LINK.replace("no-response-needed", "other"),
        LINK.partition("?")[0],
        "https://[sellercentral.amazon.de/messaging/no-response-needed?t=1",
    ],
)
def test_trap_08_only_https_and_seller_central_itself(link):
    assert body.read(mail(wrapped(footer=f"Solve case {link}"))).no_reply_link is None


@pytest.mark.parametrize("host", ["sellercentral-europe.amazon.com", "sellercentral.amazon.co.jp"])
def test_every_seller_central_is_known(host):
    link = LINK.replace("sellercentral.amazon.de", host)

    assert body.read(mail(wrapped(footer=link))).no_reply_link


def test_the_case_stands_in_the_footers_link_too():
    assert body.read(question()).case == CASE
    assert body.read(mail(wrapped(footer=FOOTER.replace("ss=", "s=")))).case == CASE
    assert body.read(mail(wrapped(footer=LINK))).case is None
    elsewhere = FOOTER.replace("sellercentral.amazon.de", "evil.example")
    assert body.read(mail(wrapped(footer=elsewhere))).case is None


def test_words_can_be_handed_on():
    assert pickle.loads(pickle.dumps(body.read(question()))) == body.read(question())


SHAPES = st.lists(
    st.sampled_from(
        [
            "-----", "----- x -----", "\n", "<pre>", "</pre>", "<", ">", "#", ORDER, LINK, " ",
            "Order#:", "Reason:", "[commMgrTok:", "https://", "&amp;", "\u0130", "x", "ASIN: ",
        ]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(SHAPES | st.text(), st.none() | SHAPES | st.text(), st.text())
@example("----- a -----\n----- b -----", "<pre", "")
@example(f"----- x -----https://{LINK}----- x -----", None, "")
@example(f"https://click.example/?to={LINK}", None, "")
def test_any_text_is_read(text, html, subject):
    assert LINK not in body.read(mail(text, html=html, subject=subject)).text


@pytest.mark.parametrize(
    "text",
    [
        "-" * 200_000, ("-----" + " " * 50) * 3600, "<pre>" * 40_000, "<pre " * 40_000,
        "https://www.amazon." * 10_000, "----- " * 33_000, "#" * 200_000, "\n-----x" * 28_000,
        "[" * 200_000, "Order#:\n" * 25_000, " " * 200_000, "SPC-AA" * 33_000, "<" * 200_000,
    ],
    ids=lambda text: repr(text[:12]),
)  # fmt: skip
def test_no_shape_takes_long(text):
    begun = process_time()
    body.read(mail(text, html=text, subject=text))

    assert process_time() - begun < 3.0
