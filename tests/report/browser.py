"""A headless Chromium that opens pages from disk, for tests."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import NoSuchDriverException, WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
REQUIRED = os.environ.get("NEUROX_LITE_REQUIRE_BROWSER") == "1"
ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1200,1000"),
)
SECONDS = 20


@contextmanager
def open_browser(downloads: Path) -> Iterator[Chrome]:
    """A browser that logs its console and every request.

    Without Chromium the test is skipped, unless NEUROX_LITE_REQUIRE_BROWSER is 1, as in CI.
    """
    if not (CHROMIUM and DRIVER):
        reason = "needs Debian's packages chromium and chromium-driver"
        if REQUIRED:
            pytest.fail(reason)
        pytest.skip(reason)
    options = Options()
    options.binary_location = CHROMIUM
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    try:
        browser = Chrome(options=options, service=Service(DRIVER))
    except (NoSuchDriverException, WebDriverException) as error:
        if REQUIRED:
            raise
        pytest.skip(f"Chromium does not start here: {error.msg}")
    try:
        yield browser
    finally:
        browser.quit()


def show(browser: Chrome, page: Path, place: str = "overview") -> None:
    """Open a part of a page, from anew, and wait until it is drawn."""
    browser.get("about:blank")
    browser.get(f"{page.as_uri()}#{place}")
    wait_for(browser, place)


def wait_for(browser: Chrome, place: str) -> None:
    """Until a part of the page is drawn."""
    script = "return document.body.dataset.ready"
    WebDriverWait(browser, SECONDS).until(lambda one: one.execute_script(script) == place)


def complaints(browser: Chrome) -> list[dict[str, Any]]:
    """Errors and warnings of the console since it was asked last."""
    return [entry for entry in browser.get_log("browser") if entry["level"] != "INFO"]


def requests(browser: Chrome) -> list[str]:
    """Addresses that were asked for since it was asked last, but for the pages themselves.

    What the policy of the page stopped has asked nobody; it is among the complaints.
    """
    asked = {}
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        of_request = message["params"].get("requestId")
        if message["method"] == "Network.requestWillBeSent":
            asked[of_request] = message["params"]["request"]["url"]
        if message["params"].get("blockedReason") == "csp":
            asked.pop(of_request, None)
    own = ("file:", "data:", "about:", "blob:")
    return [address for address in asked.values() if not address.startswith(own)]
