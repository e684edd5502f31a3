"""The page of a report in a headless Chromium: what a reader can do with it."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from neurox_lite.report.page import page
from tests.report.browser import SECONDS, complaints, open_browser, requests, show, wait_for
from tests.report.made_page import HOSTILE, made_page

pytestmark = [pytest.mark.heavy, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def browser(downloads: Path) -> Iterator[Chrome]:
    with open_browser(downloads) as opened:
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(made_page(), "utf-8")
    return path


def texts(browser: Chrome, selector: str) -> list[str]:
    """In one call, which for each of hundreds of cells would take seconds."""
    script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText)"
    return [" ".join(text.split()) for text in browser.execute_script(script, selector)]


def only(browser: Chrome, selector: str) -> WebElement:
    (found,) = browser.find_elements(By.CSS_SELECTOR, selector)
    return found


def head(browser: Chrome, title: str) -> WebElement:
    heads = browser.find_elements(By.CSS_SELECTOR, "table.neurons thead th")
    return next(each for each in heads if each.text == title)


def count(browser: Chrome) -> str:
    return only(browser, "#view-neurons p[role=status]").text


def first_neurons(browser: Chrome, count: int = 3) -> list[str]:
    return texts(browser, "table.neurons tbody th")[:count]


def test_overview_shows_every_block_without_complaint_or_request(
    browser: Chrome, file: Path
) -> None:
    show(browser, file)
    assert "27 of 300 neurons" in only(browser, ".answer").text
    assert len(browser.find_elements(By.CSS_SELECTOR, "#view-overview figure svg[role=img]")) == 3
    # Beside the lines, over which no name could be read.
    legend = browser.find_element(By.CSS_SELECTOR, "#view-overview figure .legend").text
    assert "majority class, 17.0 %" in legend
    assert len(browser.find_elements(By.CSS_SELECTOR, "#view-overview polyline.line")) == 3
    assert HOSTILE in only(browser, "h1").text
    assert not browser.find_elements(By.CSS_SELECTOR, "img")
    assert complaints(browser) == []
    assert requests(browser) == []


def test_what_is_hostile_is_text_in_every_view(browser: Chrome, file: Path) -> None:
    for place in ("overview", "neurons", "compare", "0:5"):
        show(browser, file, place)
        assert not browser.find_elements(By.CSS_SELECTOR, "img")
        assert HOSTILE in browser.title
    assert complaints(browser) == []
    assert requests(browser) == []


def test_policy_forbids_scripts_and_requests_of_others(browser: Chrome, file: Path) -> None:
    show(browser, file)
    browser.execute_script(
        "const own = document.createElement('script'); own.textContent = 'document.title = 1';"
        "document.body.append(own);"
        "const image = new Image(); image.src = 'http://127.0.0.1:9/x';"
        "document.body.append(image);"
    )
    time.sleep(0.2)
    said = " ".join(entry["message"] for entry in complaints(browser))
    assert "Content Security Policy" in said
    assert HOSTILE in browser.title
    assert requests(browser) == []


def test_sorting_by_a_column_and_back(browser: Chrome, file: Path) -> None:
    show(browser, file, "neurons")
    in_order = first_neurons(browser)
    title = "rank by probeless"
    head(browser, title).find_element(By.TAG_NAME, "button").click()
    assert head(browser, title).get_attribute("aria-sort") == "ascending"
    ranks = texts(browser, "table.neurons tbody td:nth-child(4)")[:3]
    assert ranks == ["1", "2", "3"]
    head(browser, title).find_element(By.TAG_NAME, "button").click()
    assert head(browser, title).get_attribute("aria-sort") == "descending"
    assert first_neurons(browser) == in_order


def test_numbers_sort_from_the_largest_and_missing_texts_come_last(
    browser: Chrome, file: Path
) -> None:
    show(browser, file, "neurons")
    head(browser, "density").find_element(By.TAG_NAME, "button").click()
    cells = texts(browser, "table.neurons tbody td:nth-child(5)")
    shares = [float(cell.split()[0]) for cell in cells]
    assert shares == sorted(shares, reverse=True)
    head(browser, "description").find_element(By.TAG_NAME, "button").click()
    described = texts(browser, "table.neurons tbody td:nth-child(7)")
    assert described[0] == HOSTILE
    assert described[-1] == ""


def test_filters_leave_what_matches_and_say_when_nothing_does(browser: Chrome, file: Path) -> None:
    show(browser, file, "neurons")
    search = only(browser, "input[type=search]")
    search.send_keys("PAST tense")
    assert texts(browser, "table.neurons tbody td:nth-child(7)") == ["the past tense of verbs"]
    assert "1 to 1 of 1 neurons that match, of 300" in count(browser)
    search.clear()
    search.send_keys("no such word")
    assert "None of 300 neurons match" in count(browser)
    only(browser, "form.filters button[type=reset]").click()
    time.sleep(0.1)
    layer = only(browser, "select[name=layer]")
    layer.send_keys("2")
    assert set(texts(browser, "table.neurons tbody td:nth-child(2)")) == {"2"}
    only(browser, "form.filters button[type=reset]").click()
    time.sleep(0.1)
    only(browser, "input[name=from]").send_keys("2")
    only(browser, "input[name=to]").send_keys("4")
    assert len(first_neurons(browser, 10)) == 3


def test_rows_are_turned_by_a_hundred(browser: Chrome, file: Path) -> None:
    show(browser, file, "neurons")
    previous, following = (
        each
        for each in browser.find_elements(By.CSS_SELECTOR, "#view-neurons .bar-of-buttons button")
        if each.text.endswith("rows")
    )
    assert not previous.is_enabled()
    following.click()
    following.click()
    assert "201 to 300 of 300" in count(browser)
    assert not following.is_enabled()


def test_a_neuron_opens_from_the_table_and_leads_on(browser: Chrome, file: Path) -> None:
    show(browser, file, "neurons")
    first, second = first_neurons(browser, 2)
    browser.find_element(By.LINK_TEXT, first).click()
    wait_for(browser, first)
    heading = only(browser, "#view-neuron h2")
    assert heading.text == f"Neuron {first}"
    assert browser.switch_to.active_element == heading
    browser.find_element(By.LINK_TEXT, f"Next: {second}").click()
    wait_for(browser, second)
    assert only(browser, "#view-neuron h2").text == f"Neuron {second}"
    browser.back()
    wait_for(browser, first)
    assert only(browser, "#view-neuron h2").text == f"Neuron {first}"


def test_next_goes_by_the_order_of_the_table(browser: Chrome, file: Path) -> None:
    show(browser, file, "neurons")
    head(browser, "rank by probeless").find_element(By.TAG_NAME, "button").click()
    first, second = first_neurons(browser, 2)
    browser.find_element(By.LINK_TEXT, first).click()
    wait_for(browser, first)
    assert browser.find_elements(By.LINK_TEXT, f"Next: {second}")
    assert not browser.find_elements(By.PARTIAL_LINK_TEXT, "Previous")


def test_a_name_that_is_typed_whole_comes_first(browser: Chrome, file: Path) -> None:
    show(browser, file, "neurons")
    only(browser, "input[type=search]").send_keys("1:7")
    found = first_neurons(browser, 20)
    assert found[0] == "1:7" and len(found) > 1


def test_the_title_of_the_window_names_what_is_shown(browser: Chrome, file: Path) -> None:
    show(browser, file, "0:5")
    assert browser.title == f"Neuron 0:5 · upos in {HOSTILE}"
    show(browser, file, "compare")
    assert browser.title == f"upos in {HOSTILE}"
    # Its warnings and its answer are read first.
    assert browser.switch_to.active_element == only(browser, "main")


def test_an_address_that_stands_for_nothing_shows_the_overview(browser: Chrome, file: Path) -> None:
    show(browser, file, "%")
    assert only(browser, ".answer").is_displayed()
    assert complaints(browser) == []


def test_charts_are_as_wide_as_a_phone(browser: Chrome, file: Path) -> None:
    browser.set_window_size(500, 900)
    try:
        show(browser, file)
        picture = browser.find_element(By.CSS_SELECTOR, "figure svg[role=img]")
        assert picture.rect["width"] == 460
        width = "return document.documentElement.scrollWidth - innerWidth"
        assert browser.execute_script(width) <= 0
    finally:
        browser.set_window_size(1200, 1000)


def test_a_link_to_no_neuron_says_so(browser: Chrome, file: Path) -> None:
    show(browser, file, "9:999")
    assert "not in this report" in only(browser, "#view-neuron").text


def test_a_neuron_has_its_values(browser: Chrome, file: Path) -> None:
    show(browser, file, "0:5")
    shown = only(browser, "#view-neuron").text
    for part in ("AUPRC 0.71 (0.6 to 0.8)", "no description", "It raises:", "0.910", "-0.12"):
        assert part in shown
    hebrew = browser.find_elements(By.CSS_SELECTOR, "#view-neuron .sentence")[0]
    assert (
        browser.execute_script("return getComputedStyle(arguments[0]).direction", hebrew) == "rtl"
    )
    peak = hebrew.find_element(By.CSS_SELECTOR, ".peak")
    # The activation itself, not median + 45 levels of the scale.
    assert peak.get_attribute("title") == f"{peak.text}: 2.5"
    below = browser.find_elements(By.CSS_SELECTOR, "#view-neuron .below")
    assert all(float(each.get_attribute("title").split(": ")[-1]) < 0.25 for each in below)


def test_values_are_read_by_arrow_keys(browser: Chrome, file: Path) -> None:
    show(browser, file, "0:5")
    sentence = browser.find_elements(By.CSS_SELECTOR, "#view-neuron .sentence")[3]
    browser.execute_script("arguments[0].focus()", sentence)
    keys = ActionChains(browser)
    keys.send_keys(Keys.ARROW_RIGHT).perform()
    assert only(browser, "#value").text == "on: 2.5"
    keys.send_keys(Keys.ARROW_RIGHT).perform()
    assert only(browser, "#value").text.startswith("the: ")
    keys.send_keys(Keys.ESCAPE).perform()
    assert only(browser, "#value").text == ""
    # Of a text from right to left the next word is on the left.
    hebrew = browser.find_elements(By.CSS_SELECTOR, "#view-neuron .sentence")[0]
    browser.execute_script("arguments[0].focus()", hebrew)
    keys.send_keys(Keys.ARROW_RIGHT).send_keys(Keys.ARROW_LEFT).perform()
    assert only(browser, "#value").text.startswith("הספר: ")


def test_views_are_reached_by_the_keyboard_alone(browser: Chrome, file: Path) -> None:
    browser.get("about:blank")
    browser.get(file.as_uri())
    wait_for(browser, "overview")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Skip to content"
    for _ in range(2):
        browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.text == "Neurons"
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(browser, "neurons")
    assert only(browser, "nav a[aria-current=page]").text == "Neurons"


def test_downloads_are_what_is_shown(browser: Chrome, file: Path, downloads: Path) -> None:
    show(browser, file, "neurons")
    only(browser, "input[type=search]").send_keys("past tense")
    press(browser, "Download as CSV")
    header, row = read_csv(downloads / "neurons.csv")
    named = dict(zip(header, row, strict=True))
    assert named["description"] == "the past tense of verbs"
    assert named["rank by linguistic-correlation low"] == "3"
    show(browser, file, "0:5")
    press(browser, "Download as CSV")
    header, *rows = read_csv(downloads / "neuron-0-5.csv")
    assert header[:4] == ["neuron", "band", "sentence", "word"]
    assert [row[3] for row in rows[:5]] == ["הוא", "קרא", "את", "הספר", "אתמול"]
    assert [row[5] for row in rows[:5]] == ["0", "0", "1", "0", "0"]


def press(browser: Chrome, text: str) -> None:
    buttons = browser.find_elements(By.CSS_SELECTOR, ".view:not([hidden]) button")
    next(each for each in buttons if each.text == text).click()


def read_csv(path: Path) -> list[list[str]]:
    end = time.monotonic() + SECONDS
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.reader(lines))


def test_copy_as_text_says_that_it_did(browser: Chrome, file: Path) -> None:
    show(browser, file, "0:5")
    press(browser, "Copy as text")
    time.sleep(0.2)
    assert "Copied" in texts(browser, "#view-neuron button")


def test_values_of_a_chart_open_as_a_table(browser: Chrome, file: Path) -> None:
    show(browser, file)
    browser.find_elements(By.CSS_SELECTOR, "figure details summary")[0].click()
    time.sleep(0.1)
    rows = texts(browser, "figure details table tr")
    assert rows[1].startswith("0.1 % 50.0 % (48.0 % to 52.0 %)")


@pytest.mark.parametrize("place", ["overview", "neurons", "compare", "0:5"])
def test_axe_finds_no_violation(browser: Chrome, file: Path, place: str) -> None:
    show(browser, file, place)
    assert violations(browser) == []
    browser.execute_script("document.documentElement.dataset.theme = 'dark'")
    assert violations(browser, {"runOnly": ["color-contrast"]}) == []


def violations(browser: Chrome, options: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    found = Axe().run(browser, options=options)["violations"]
    return [(each["id"], node["html"]) for each in found for node in each["nodes"]]


TWO = (HOSTILE, "other/model")


def test_every_model_has_its_table_and_neurons(browser: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(made_page(100, TWO), "utf-8")
    show(browser, path, "neurons")
    choice = "nav[aria-label=Models] a"
    assert texts(browser, choice) == list(TWO)
    assert only(browser, f"{choice}[aria-current=page]").text == HOSTILE
    in_order = first_neurons(browser)
    only(browser, "input[type=search]").send_keys("2:")
    browser.find_element(By.LINK_TEXT, TWO[1]).send_keys(Keys.ENTER)
    wait_for(browser, f"{TWO[1]}/neurons")
    assert only(browser, "#view-neurons h2").text == f"Neurons of {TWO[1]}"
    assert browser.switch_to.active_element == only(browser, "#view-neurons h2")
    assert first_neurons(browser) != in_order
    # Filters of the other are kept.
    browser.back()
    wait_for(browser, "neurons")
    assert only(browser, "input[type=search]").get_attribute("value") == "2:"

    show(browser, path, f"{TWO[1]}/0:5")
    heading = f"Neuron 0:5 of {TWO[1]}"
    assert only(browser, "#view-neuron h2").text == heading and browser.title.startswith(heading)
    rows = texts(browser, "#view-neuron [aria-label='By correlation over words'] tbody tr")
    assert rows[2:] == [f"2:5 {HOSTILE} 0.550", f"9:9 {HOSTILE} 0.500"]
    assert not browser.find_elements(By.LINK_TEXT, "9:9")
    browser.find_element(By.LINK_TEXT, "2:5").click()
    wait_for(browser, f"{HOSTILE}/2:5")
    assert only(browser, "#view-neuron h2").text == f"Neuron 2:5 of {HOSTILE}"
    browser.find_element(By.LINK_TEXT, "All neurons").click()
    wait_for(browser, f"{HOSTILE}/neurons")
    show(browser, path, "encoded")
    browser.find_element(By.CSS_SELECTOR, "#encoded summary").click()
    browser.find_element(By.LINK_TEXT, "1:3").click()
    wait_for(browser, f"{TWO[1]}/1:3")
    show(browser, path, "none/0:5")
    assert "not in this report" in only(browser, "#view-neuron").text
    show(browser, path, "none/neurons")
    assert only(browser, ".answer").is_displayed()
    assert complaints(browser) == [] and requests(browser) == []


def test_the_theme_is_changed_by_a_button(browser: Chrome, file: Path) -> None:
    show(browser, file)
    color = "return getComputedStyle(document.body).backgroundColor"
    before = browser.execute_script(color)
    button = only(browser, "#theme")
    said = button.text
    button.click()
    assert browser.execute_script(color) != before
    assert button.text != said


def test_print_opens_what_is_folded(browser: Chrome, file: Path) -> None:
    show(browser, file)
    closed = "return document.querySelectorAll('details:not([open])').length"
    n_closed = browser.execute_script(closed)
    assert n_closed
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert browser.execute_script(closed) == 0
    folds = browser.find_elements(By.CSS_SELECTOR, "figure details")
    assert all(each.find_elements(By.TAG_NAME, "td") for each in folds)
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert browser.execute_script(closed) == n_closed


def test_without_neurons_there_is_no_link_to_them(browser: Chrome, tmp_path: Path) -> None:
    data = {
        "title": "masks",
        "answer": [],
        "provenance": [],
        "warnings": [],
        "sections": [],
        "neurons": [],
    }
    path = tmp_path / "report.html"
    path.write_text(page(data), "utf-8")
    show(browser, path)
    assert texts(browser, "nav[aria-label=Views] a") == ["Overview"]
    assert complaints(browser) == []


def test_equal_data_make_equal_pages() -> None:
    assert made_page(20) == made_page(20)
