"""What looks at pages for everybody: a shortcut past words that look alike misses none that is hard to read."""

import pytest
from visits_for_tests import serious

PALE = [("color-contrast", [["span:nth-child(3)"]])]
FINE = (
    "<!doctype html><html lang=en><title>Code</title><main><h1>Code</h1><pre tabindex=0>"
    "<span>one</span> <span>two</span> {}</pre></main>"
)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("<span>three</span>", []),
        ("<span style='color: #ddd'>three</span>", PALE),
        ("<span style='background: #222'>three</span>", PALE),
        ("<b style='color: #ddd'><span>three</span></b>", [("color-contrast", [["b > span"]])]),
    ],
)
def test_a_word_that_is_hard_to_read_is_found_among_others(browser, word, expected):
    page = browser.new_page()
    page.set_content(FINE.format(word))
    assert serious(page) == expected
    page.close()
