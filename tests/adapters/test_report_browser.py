"""The report in a real browser: headless Chromium, at the width of a desk and of a phone, in the light and in the dark.

Skipped where Chromium, its driver, selenium or axe is missing. `FORETELL_COMPLETE` opens the page of 5,000 trials too.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import create_trial

from foretell_adapters.optuna.report import study_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
DRIVERS = {"selenium": find_spec("selenium"), "axe-core-python": find_spec("axe_core_python")}
NEEDED = {"chromium": CHROMIUM, "chromedriver": DRIVER, **DRIVERS}
MISSING = [name for name, found in NEEDED.items() if not found]
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run --hide-scrollbars "
    "--disable-background-networking --disable-component-update --disable-sync"
)
DESK, PHONE = 1100, 390
NASTY = "</title><img src=x onerror=\"document.title='broken into'\">"

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs a browser and what drives it, and {MISSING} are missing")


class Browser:
    """A headless Chromium with one page open."""

    def __init__(self, folder: Path) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM
        for flag in (*FLAGS.split(), f"--user-data-dir={folder}"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))

    def open(self, page: Path, width: int, scheme: str = "light") -> float:
        """Open a page, and say how many seconds that took until all of it was there and laid out."""
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(page.as_uri())
        drawn = "requestAnimationFrame(() => setTimeout(() => arguments[0](performance.now())))"
        return self.driver.execute_async_script(drawn) / 1000

    def ask(self, script: str) -> object:
        return self.driver.execute_script(f"return {script}")

    def findings(self) -> list[str]:
        """What axe finds to be serious or critical."""
        import axe_core_python

        axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")
        self.driver.execute_script(axe)
        run = "axe.run(document, {resultTypes: ['violations']}).then(arguments[arguments.length - 1])"
        found = self.driver.execute_async_script(run)
        assert found["passes"]  # it did look
        return [f"{v['id']}: {v['nodes'][0]['html']}" for v in found["violations"] if v["impact"] in GRAVE]

    def press_tab(self) -> str:
        """Go on by keyboard, and say where that leads: the text or the name of what has the focus now."""
        from selenium.webdriver.common.keys import Keys

        self.driver.switch_to.active_element.send_keys(Keys.TAB)
        focus = "document.activeElement"
        return str(self.ask(f"{focus}.getAttribute('aria-label') || {focus}.textContent"))


GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.driver.quit()


def studied(n: int) -> optuna.Study:
    """Two objectives over three parameters, one of them with a name that would break into a page."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(study_name=NASTY, directions=["minimize", "maximize"])
    kinds = {
        "rate": optuna.distributions.FloatDistribution(1e-4, 1, log=True),
        "<script>alert(1)</script>": optuna.distributions.CategoricalDistribution(["relu", "tanh"]),
        "width": optuna.distributions.IntDistribution(1, 512, log=True),
    }
    rng = np.random.default_rng(0)
    for rate, act, width in zip(
        10 ** rng.uniform(-4, 0, n), rng.integers(2, size=n), rng.integers(1, 513, n), strict=True
    ):
        params = dict(zip(kinds, (float(rate), ["relu", "tanh"][act], int(width)), strict=True))
        loss = abs(np.log10(rate) + 2) + 0.5 * act
        study.add_trial(create_trial(params=params, distributions=kinds, values=[loss, np.log(width) - loss]))
    return study


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("report") / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("foretell.response_surface._FOLDS", 2)  # quicker
        page.write_text(study_report(studied(12)), encoding="utf-8")
    return page


@pytest.mark.parametrize(("width", "scheme"), [(DESK, "dark"), (PHONE, "light")])
def test_it_can_be_read_by_everyone(browser: Browser, page: Path, width: int, scheme: str) -> None:
    browser.open(page, width, scheme)
    assert browser.driver.title == f"Study {NASTY}"  # the page itself, with nothing run from it
    assert browser.ask("document.scripts.length + document.querySelectorAll('img').length") == 0
    assert browser.ask("performance.getEntriesByType('resource').length") == 0
    assert browser.ask("document.documentElement.scrollWidth") == width  # nothing stands out to the side
    assert browser.findings() == []


def test_the_colours_are_those_that_the_reader_wants(browser: Browser, page: Path) -> None:
    def brightness(part: str) -> float:
        colour = browser.ask(f"getComputedStyle({part}).{'backgroundColor' if 'body' in part else 'fill'}")
        return float(np.mean([float(v) for v in str(colour).strip("rgba()").split(",")[:3]]))

    for scheme in ("light", "dark"):
        browser.open(page, PHONE, scheme)
        paper, letters = brightness("document.body"), brightness("document.querySelector('svg text')")
        assert (paper > 200 > 60 > letters) if scheme == "light" else (paper < 40 < 200 < letters)


def test_the_keyboard_finds_its_way(browser: Browser, page: Path) -> None:
    browser.open(page, PHONE)
    assert browser.press_tab() == "Skip to content"
    assert browser.ask("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert browser.press_tab() == "Result"
    levels = browser.ask("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert isinstance(levels, list)
    assert levels[0] == 1
    assert max(np.diff(levels)) == 1  # no level is left out on the way down
    assert browser.ask("['header', 'nav', 'main'].every(tag => document.querySelectorAll(tag).length == 1)")
    anchors = "[...document.querySelectorAll('nav a')].map(a => document.querySelector(a.getAttribute('href')))"
    assert browser.ask(f"{anchors}.every(target => target && target.tagName == 'H2')")
    pictures = "[...document.querySelectorAll('svg')]"
    assert browser.ask(
        f"{pictures}.every(s => s.querySelector('title').textContent && s.querySelector('desc').textContent)"
    )
    while (place := browser.press_tab()) != "Parameters by what they matter to objective 0":
        assert place  # tables are reached, and read by the arrow keys


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("FORETELL_COMPLETE"), reason="takes a minute: set FORETELL_COMPLETE")
def test_the_page_of_5000_trials_opens_in_three_seconds(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(study_report(studied(5000)), encoding="utf-8")
    assert page.stat().st_size < 3e6
    assert max(browser.open(page, width) for width in (DESK, PHONE)) < 3
    assert browser.findings() == []
