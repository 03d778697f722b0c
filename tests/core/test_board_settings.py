"""`[board]`: what may stand there, and what is said of what may not."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from core.configuration.board import Board, languages
from core.web import words


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"claim_least": "2h", "claim_most": "1h"}, "write the shorter time as claim_least"),
        ({"undo_within": "6m"}, "keeps buyers waiting for nothing; write 5m or less"),
        ({"language": "xx"}, "is no language of the pages; choose one of en, ko"),
        ({"zone": "Europe/Berlim"}, "is no known time zone"),
        ({"claim_share": 1.5}, "less than or equal to 1"),
        ({"claims": "1h"}, "Extra inputs"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_mend(given, said):
    with pytest.raises(ValidationError, match=said):
        Board.model_validate(given)


def test_a_language_may_be_chosen_that_pages_are_written_in():
    assert set(languages()) == set(words.catalogues())
    assert Board(language="ko").language == "ko"
