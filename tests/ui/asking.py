"""What every browser test does: ask, wait for the answer, press a number."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect


def ask(page: Page, question: str) -> None:
    box = page.get_by_label("Question")
    box.fill(question)
    box.press("Enter")
    expect(page.locator("#live .asked")).to_have_text(question)


def answered(page: Page, question: str) -> None:
    ask(page, question)
    whole(page)


def whole(page: Page) -> None:
    expect(page.locator("#live .exchange")).to_have_attribute("aria-busy", "false")


def cite(page: Page, number: int) -> Locator:
    return page.locator("#live").get_by_role("button", name=str(number), exact=True).first
