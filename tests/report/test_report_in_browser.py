"""The report of a folder with one of every result, whose names would do harm, in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver import Chrome

from neurox_lite.descriptions.page import page
from neurox_lite.report.html_report import write_report
from neurox_lite.report.neuron_card import neuron_card
from neurox_lite.results.saving import SavedResult
from tests.report.browser import complaints, open_browser, requests, show
from tests.report.planted import plant_job, ranking
from tests.report.test_html_report import PAGED
from tests.report.test_neuron_table import planted_exemplars
from tests.results.every_result import EVERY

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("browser")]

WORDS = ("<img src=x onerror=alert(1)>", "كتاب", "می‌خواهم", "猫", "a\x1b[2Jb", "&amp;", "</script>")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with open_browser(tmp_path_factory.mktemp("downloads")) as found:
        yield found


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a job with exemplars in words of several scripts, and of all results beside it."""
    folder = tmp_path_factory.mktemp("every")
    plant_job(folder / "0 job")
    own = planted_exemplars(7)
    whole = replace(own, sentences=(WORDS,))
    whole.arrays["places"][:] = 0
    whole.save(folder / "0 job" / "exemplars")
    for name in PAGED:
        result = EVERY[name]
        is_file = isinstance(result, SavedResult) or name == "NeuronRanking"
        result.save(folder / "others" / name / "r.json" if is_file else folder / "others" / name)
    path = folder / "report.html"
    write_report(folder, path, neurons=20)
    return path


@pytest.mark.parametrize("place", ["overview", "neurons", "compare", "1:1"])
def test_all_of_it_is_shown_without_complaints(browser: Chrome, report: Path, place: str) -> None:
    show(browser, report, place)
    assert complaints(browser) == [] and requests(browser) == []
    browser.set_script_timeout(120)
    found = Axe().run(browser)["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []


PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}


def test_on_a_phone_nothing_is_wider_than_the_page(browser: Chrome, report: Path) -> None:
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    try:
        for place in ("overview", "1:1"):
            show(browser, report, place)
            assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_single_results_have_no_fault(
    browser: Chrome, scheme: str, tmp_path: Path
) -> None:
    every = EVERY["NeuronDescriptions"]
    own = replace(every.exemplars[0], neuron=every.neurons[0].neuron)
    (tmp_path / "NeuronDescriptions.html").write_text(page(replace(every, exemplars=(own,))))
    EVERY["TokenAttributions"].save(tmp_path / "TokenAttributions.html")
    neuron_card("0:1", planted_exemplars(), ranking()).save(tmp_path / "NeuronCard.html")
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    for file in sorted(tmp_path.iterdir()):
        browser.get(file.as_uri())
        browser.execute_script("for (const e of document.querySelectorAll('details')) e.open = 1")
        found = Axe().run(browser)["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], file.name
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_words_of_all_scripts_are_shown_as_they_are(browser: Chrome, report: Path) -> None:
    first = str(ranking().top(1)[0])
    show(browser, report, first)
    shown = browser.find_element("css selector", "main").text
    for word in (*WORDS[:4], "a\\x1b[2Jb", *WORDS[5:]):
        assert word in shown, word
    assert not browser.find_elements("css selector", "main img")
