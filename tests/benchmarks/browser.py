"""The report's page with 10,000 neurons in headless Chromium: what a reader waits for.

    python -m tests.benchmarks.browser [--neurons N] [--json]

Times are of the page's own work up to its layout, the median of several.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

from tests.benchmarks.extraction import row
from tests.report.browser import open_browser, show
from tests.report.made_page import made_page

N_TIMES = 7
MOST = {"filter": 200, "sort": 200, "open a neuron": 500}
"""Milliseconds."""

FILTER = """
const box = document.querySelector("input[type=search]");
box.value = arguments[0];
const start = performance.now();
box.dispatchEvent(new Event("input", { bubbles: true }));
document.body.getBoundingClientRect();
return performance.now() - start;
"""
SORT = """
const heads = [...document.querySelectorAll("table.neurons thead button")];
const start = performance.now();
heads[arguments[0]].click();
document.body.getBoundingClientRect();
return performance.now() - start;
"""
OPEN = """
const done = arguments[arguments.length - 1], id = arguments[0], start = performance.now();
document.body.dataset.ready = "";
const waiting = new MutationObserver(() => {
  if (document.body.dataset.ready !== id) return;
  waiting.disconnect();
  document.body.getBoundingClientRect();
  done(performance.now() - start);
});
waiting.observe(document.body, { attributes: true });
location.hash = id;
"""


def measure(browser: Chrome, path: Path) -> dict[str, float]:
    """Median milliseconds."""
    show(browser, path, "neurons")
    queries = ["tense", "", "zzz", "1:2", "img", "verb", "past"]
    ids = [f"0:{unit}" for unit in range(0, 500, 71)][:N_TIMES]
    return {
        "filter": median(browser.execute_script(FILTER, query) for query in queries),
        "sort": median(browser.execute_script(SORT, column) for column in (0, 2, 3, 4, 5, 6, 2)),
        "open a neuron": median(browser.execute_async_script(OPEN, one) for one in ids),
    }


def median(values: Any) -> float:
    return statistics.median(float(value) for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open_browser(Path(folder)) as browser:
        path = Path(folder) / "report.html"
        path.write_text(made_page(options.neurons), "utf-8")
        took = measure(browser, path)
        size = path.stat().st_size
    if options.json:
        print(json.dumps({"bytes": size, "milliseconds": took}))
        return
    print(f"report of {options.neurons:,} neurons, {size / 1e6:.1f} MB")
    row("what", "ours", "reference", None)
    for what, milliseconds in took.items():
        most = MOST[what]
        row(what, f"{milliseconds:.0f} ms", f"{most} ms at most", milliseconds / most)


if __name__ == "__main__":
    main()
