"""What names a buyer elsewhere, and what names nobody."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.webstore import contacts
from core.store import buyers


@pytest.mark.parametrize("told", ["+49 (171) 234-567", "+49171234567", "+49.171/234\u00a0567"])
def test_a_number_is_known_however_it_is_written(told):
    assert contacts.phone(told) == "+49171234567"


@pytest.mark.parametrize(
    "phone", ["", None, "0171 234567", "0049 171 234567", "+0 1", "+49 x1", "+100000"]
)
def test_a_number_that_is_no_international_one_names_nobody(phone):
    assert contacts.phone(phone) is None


@pytest.mark.parametrize("told", ["Ana@Mail.example", " ana@mail.example\n"])
def test_an_address_is_known_however_it_is_written(told):
    assert contacts.mail(told) == "ana@mail.example"


@pytest.mark.parametrize(
    "told", ["", None, "ana", "@mail.example", "a@b,c@d", "\ud800@mail.example"]
)
def test_what_is_no_address_names_nobody(told):
    assert contacts.mail(told) is None


@given(st.none() | st.text(st.characters(), max_size=30) | st.from_regex(r"\+[0-9 ./()-]{1,20}"))
def test_whatever_is_told_what_is_found_is_known_to_the_store(told):
    number, address = contacts.phone(told), contacts.mail(told)

    assert number is None or buyers.phone(number) == number
    assert address is None or "@" in address
