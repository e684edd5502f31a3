"""Screenshots of README: python docs/site/screenshots.py out/ewt/report.html 2:266.

Writes docs/figures/report-overview.png, report-curves.png and report-neuron.png, the last of the
neuron named. README shows them side by side, a third of its width each: so the window is narrow,
and each of its pixels is four. Needs Debian's chromium and chromedriver, and selenium.
"""

from __future__ import annotations

import sys
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

FIGURES = Path(__file__).parents[1] / "figures"
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars"
)
WINDOW = {"width": 560, "height": 640, "deviceScaleFactor": 2, "mobile": False}
SCROLL = """
const heads = [...document.querySelectorAll("h2, h3")];
const head = heads.find((h) => h.textContent.startsWith(arguments[0]));
window.scrollTo(0, head.getBoundingClientRect().top + window.scrollY - 16);
"""


def main(report: Path, neuron: str) -> None:
    """Open the report in a browser without a window, and take the three."""
    options = ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for option in OPTIONS.split():
        options.add_argument(option)
    browser = Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        browser.implicitly_wait(5)
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", WINDOW)
        browser.get(report.resolve().as_uri())
        browser.find_element("tag name", "h2")
        browser.save_screenshot(str(FIGURES / "report-overview.png"))
        browser.execute_script(SCROLL, "How many neurons")
        browser.save_screenshot(str(FIGURES / "report-curves.png"))
        browser.get(f"{report.resolve().as_uri()}#{neuron}")
        browser.find_element("xpath", f"//h2[contains(., '{neuron}')]")
        browser.execute_script(SCROLL, "Classes")
        browser.save_screenshot(str(FIGURES / "report-neuron.png"))
    finally:
        browser.quit()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("python docs/site/screenshots.py REPORT LAYER:UNIT")
    main(Path(sys.argv[1]), sys.argv[2])
