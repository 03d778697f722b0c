"""What the writer wrote stays, what the letter quotes goes; in doubt, all stays."""

from __future__ import annotations

from time import process_time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mailparser_reply.constants import MAIL_LANGUAGES

from core.transport import mime, quotes
from tests.core import letters

if TYPE_CHECKING:
    from collections.abc import Callable

ANSWER = "It never came.\nPlease look again: the number is 12."

PHRASES = {
    "en": "On Sat, 21 Nov 2026 at 18:04, Shop <support@shop.example> wrote:",
    "en, cut": "On Sat, 21 Nov 2026 at 18:04, Shop\n<support@shop.example> wrote:",
    "en, cut again": "On Sat, 21 Nov 2026 at 18:04, Shop <support@shop.example>\nwrote:",
    "de": "Am Sa., 21. Nov. 2026 um 18:04 Uhr schrieb Shop <support@shop.example>:",
    "de, cut": "Am Sa., 21. Nov. 2026 um 18:04 Uhr schrieb Shop <\nsupport@shop.example>:",
    "cs": "Dne so 21. 11. 2026 v 18:04 Shop <support@shop.example> napsal(a):",
    "da": "Den lør. 21. nov. 2026 kl. 18.04 skrev Shop <support@shop.example>:",
    "es": "El sáb, 21 nov 2026 a las 18:04, Shop (<support@shop.example>) escribió:",
    "fr": "Le sam. 21 nov. 2026 à 18:04, Shop <support@shop.example> a écrit :",
    "it": "Il giorno sab 21 nov 2026 alle ore 18:04 Shop <support@shop.example> ha scritto:",
    "ja": "2026年11月21日(土) 18:04 Shop <support@shop.example>:",
    "ko": "2026년 11월 21일 (토) 오후 6:04, Shop <support@shop.example>님이 작성하였습니다:",
    "nl": "Op za 21 nov 2026 om 18:04 schreef Shop <support@shop.example>:",
    "pl": "Dnia 21 listopada 2026 18:04 Shop <support@shop.example> napisał(a):",
    "sv": "Den lör 21 nov. 2026 kl 18:04 skrev Shop <support@shop.example>:",
    "zh": "Shop <support@shop.example> 于2026年11月21日周六 18:04写道：",  # noqa: RUF001  # a colon of theirs
    "pt": "Em sáb., 21 de nov. de 2026 às 18:04, Shop <support@shop.example> escreveu:",
    "tr": "Shop <support@shop.example>, 21 Kas 2026 Cmt, 18:04 tarihinde şunu yazdı:",  # noqa: RUF001  # Turkish
    "fi": "la 21. marrask. 2026 klo 18.04 Shop (support@shop.example) kirjoitti:",
    "nb": "lør. 21. nov. 2026 kl. 18:04 skrev Shop <support@shop.example>:",
    "hu": "Shop <support@shop.example> ezt írta (időpont: 2026. nov. 21., Szo, 18:04):",
    "ru": "сб, 21 нояб. 2026 г. в 18:04, Shop <support@shop.example> написал:",  # noqa: RUF001  # Russian
}  # fmt: skip

BLOCKS = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "es": ("De", "Enviado", "Para", "Asunto"),
    "fr": ("De ", "Envoyé ", "À ", "Objet "),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "zh": ("发件人", "发送时间", "收件人", "主题"),
    "pt": ("De", "Enviado", "Para", "Assunto"),
    "tr": ("Kimden", "Tarih", "Kime", "Konu"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "ru": ("От", "Отправлено", "Кому", "Тема"),
}

SEPARATORS = [
    "-----Original Message-----", "-----Ursprüngliche Nachricht-----",
    "-----Message d'origine-----", "-----Messaggio originale-----",
    "-----Mensaje original-----", "-----Mensagem original-----",
    "-----Oorspronkelijk bericht-----", "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----", "---------- Forwarded message ---------",
    "-----Orijinal İleti-----", "-----元のメッセージ-----", "-----원본 메시지-----",
    "------------------ 原始邮件 ------------------",
]  # fmt: skip


def test_the_samples_cover_the_librarys_languages():
    spoken = {*MAIL_LANGUAGES} - {"david"}

    assert spoken <= {language.split(",")[0] for language in PHRASES}
    assert spoken <= {*BLOCKS}


@pytest.mark.parametrize("language", PHRASES)
@pytest.mark.parametrize("mark", ["> ", ">", ""])
def test_a_phrase_and_what_follows_are_cut(language, mark):
    old = "\n".join(f"{mark}{line}" for line in ("Did it come?", "", "Your shop"))

    assert quotes.written(f"{ANSWER}\n\n{PHRASES[language]}\n\n{old}\n") == ANSWER


@pytest.mark.parametrize("language", BLOCKS)
@pytest.mark.parametrize("shape", ["{}: x", "*{}:* x", "{}:\tx"])
def test_the_headers_of_an_older_letter_and_what_follows_are_cut(language, shape):
    block = "\n".join(shape.format(label) for label in BLOCKS[language])

    assert quotes.written(f"{ANSWER}\n\n{block}\n\nDid it come?") == ANSWER


def test_a_line_across_the_page_goes_with_the_headers_below_it():
    text = f"{ANSWER}\n\n{'_' * 32}\nFrom: Shop\nSent: Saturday\n\nDid it come?"

    assert quotes.written(text) == ANSWER


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_separator_and_what_follows_are_cut(separator):
    assert quotes.written(f"{ANSWER}\n\n{separator}\nDid it come?") == ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "Just words.",
        "On Monday you wrote:\nit is on its way.\nIt is not.",
        "From: Berlin\nTo: Munich\nWhen does it come?",
        "Data: 12.11.2026\nDo: Kraków\nKiedy dotrze paczka?",
        "My address:\nName: Ana\nStreet: x 12\nPhone: 1",
        "Hinweis: es fehlt etwas.\nMit freundlichen Grüßen\nAna",
        "1 > 0, and\n-----------\nthat is all",
        "------------- Message: -------------\nhi\n------------- End message -------------",
        "Date: 21/11/2026\nSubject: my complaint\nIt never came.",
        "Sent from my iPhone",
        "",
        " \n\n ",
    ],
)
def test_a_buyers_own_words_are_not_cut(text):
    assert quotes.written(text) == text
    assert quotes.written(f"Hello,\n\n{text}").rstrip() == f"Hello,\n\n{text}".rstrip()


def test_answers_between_quoted_lines_stay_with_their_questions():
    text = (
        "My answers below.\n\nOn Sat, 21 Nov 2026 at 18:04, Shop <s@x> wrote:\n"
        "> What colour?\nBlue.\n> What size?\nLarge.\n> Regards"
    )
    kept = quotes.written(text)

    assert "> What colour?\nBlue.\n> What size?\nLarge." in kept
    assert "My answers below." in kept
    assert "Regards" not in kept


def test_an_answer_below_the_quote_is_what_is_left():
    text = "On Sat, 21 Nov 2026 at 18:04, Shop <s@x> wrote:\n> Did it come?\n\nNo."

    assert quotes.written(text) == "No."


@pytest.mark.parametrize(
    "text",
    [
        "> Did it come?",
        "On Sat, 21 Nov 2026 at 18:04, Shop <s@x> wrote:\n> Did it come?",
        "From: Shop\nSent: Saturday\nTo: Ana\nSubject: x\n\nDid it come?",
        "-----Original Message-----\nDid it come?",
    ],
)
def test_where_nothing_is_left_all_is_kept(text):
    assert quotes.written(text) == text


def test_the_quote_of_an_html_letter_is_cut_as_well():
    html = (
        "<div>It never came.</div><div class=gmail_quote><div>On Sat, 21 Nov 2026 at 18:04, Shop "
        "&lt;s@x.example&gt; wrote:<br></div><blockquote>Did it come?</blockquote></div>"
    )
    mail = mime.read(letters.letter(html, content_type="text/html"))

    assert "> Did it come?" in mail.text
    assert quotes.written(mail.text) == "It never came."


LINES = st.sampled_from(
    ["", "words", "> quoted", ">> twice", *PHRASES.values(), *SEPARATORS[:3], "From: x", "Sent: y",
     "To: z", "Subject: a", "_" * 32, "Am Ende:", "x" * 300 + ":"]
)  # fmt: skip


@given(st.lists(LINES, max_size=12).map("\n".join) | st.text())
def test_what_is_left_are_lines_of_the_letter_and_never_nothing(text):
    kept = quotes.written(text)

    assert bool(kept.strip()) == bool(text.strip())
    assert {line.strip() for line in kept.split("\n")} <= {
        line.strip() for line in text.split("\n")
    }


@given(st.lists(LINES.filter(lambda line: not line.startswith(">")), max_size=8).map("\n".join))
def test_the_first_words_of_a_letter_always_stay(text):
    assert quotes.written(f"These are mine.\n{text}").startswith("These are mine.")


COSTLY: dict[str, Callable[[int], str]] = {
    "spaces": lambda n: " " * n + ":",
    "empty lines": lambda n: " \n" * (n // 2) + ":",
    "colons": lambda n: ":\n" * (n // 2),
    "phrases": lambda n: "On a, b: c d wrote it:\n" * (n // 23),
    "long phrases": lambda n: ("On " + "a " * 120 + ":\n") * (n // 250),
    "one long phrase": lambda n: "On " + "a " * (n // 2) + "wrote:",
    "labels": lambda n: "From: x\n" * (n // 8),
    "quotes and answers": lambda n: "> q\na\n" * (n // 6),
    "dashes": lambda n: "-" * n + ":",
    "lines of dashes": lambda n: "-----\n:" * (n // 7),
    "marks": lambda n: ">" * n,
}


@pytest.mark.parametrize("kind", COSTLY)
def test_no_text_of_a_million_characters_takes_its_square(kind):
    """Each takes a second at most; a look back from every place takes minutes."""
    text = COSTLY[kind](1_000_000)

    before = process_time()
    quotes.written(text)
    assert process_time() - before < 20
