"""docs/hooks.md is what the hook specifications say."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from hub.contract import HOOK_NAMES, Hooks
from hub.testing.hooks_page import hooks_page

PAGE = Path(__file__).parents[2] / "docs" / "hooks.md"


def test_the_page_is_made_from_the_specifications() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == hooks_page(), "stale: python -m hub.testing.hooks_page > docs/hooks.md"


@pytest.mark.parametrize("name", sorted(HOOK_NAMES))
def test_every_hook_has_a_heading_with_its_exact_arguments(name: str) -> None:
    arguments = [each for each in inspect.signature(getattr(Hooks, name)).parameters if each != "self"]
    assert f"\n## {name}({', '.join(arguments)})\n" in PAGE.read_text(encoding="utf-8")


def test_the_page_has_no_heading_that_is_no_hook() -> None:
    headings = re.findall(r"^## (\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(HOOK_NAMES)


@pytest.mark.parametrize("name", sorted(HOOK_NAMES))
def test_every_hook_says_whether_it_may_be_repeated(name: str) -> None:
    section = PAGE.read_text(encoding="utf-8").partition(f"\n## {name}(")[2].partition("\n## ")[0]
    assert "- **Repeats:** " in section
    assert f"`{name}(" in section
