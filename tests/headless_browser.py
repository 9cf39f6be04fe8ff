"""A page in headless Chromium, with what it complains of; skips where there is no playwright or no Chromium."""

import os
import shutil
from contextlib import contextmanager

import pytest

# WebGL in software, which needs no graphics card.
ARGUMENTS = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox",
             "--autoplay-policy=no-user-gesture-required")


@contextmanager
def open_page(address, width=960, height=640):
    """Yield the page at an address and the list that its console's errors are added to."""
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = os.environ.get("S2S_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_api.sync_playwright() as driver:
        try:
            browser = driver.chromium.launch(executable_path=executable, args=list(ARGUMENTS))
        except sync_api.Error:
            pytest.skip("no Chromium: install Debian's chromium, or run `playwright install chromium`")
        page, errors = browser.new_page(viewport={"width": width, "height": height}), []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        page.goto(address)
        yield page, errors
        browser.close()
