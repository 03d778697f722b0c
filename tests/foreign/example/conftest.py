"""What an author of a connector puts here: one line, so that the inherited asserts speak."""

import pytest

pytest.register_assert_rewrite("core.conformance")
