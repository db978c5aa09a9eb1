"""One student in several windows at once: one answer each in words, one CV or none."""

from __future__ import annotations

import threading

from tests.dynamic.cv import files
from tests.dynamic.cv.students import EDIT, ENTRY, MINE, student
from tests.dynamic.process import Service

WITHDRAW = "/services/cv/withdraw"


def test_replacing_and_withdrawing_at_once_is_no_defect(service: Service) -> None:
    assert _send(student(service), "the first of all texts") == 303
    browsers = [student(service) for _ in range(6)]
    tokens = [browser.token(EDIT) for browser in browsers]
    answers: list[int] = []

    def go(number: int) -> None:
        browser, token = browsers[number], tokens[number]
        if number % 2:
            answers.append(browser.post(WITHDRAW, {"csrf_token": token}).status_code)
        else:
            answers.append(_send(browser, f"text number {number} of this student", token))

    threads = [threading.Thread(target=go, args=(number,)) for number in range(len(browsers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {303, 503}, answers
    assert student(service).get(MINE).status_code == 200
    left = list((service.site / "var" / "cv-store").glob("*"))
    assert len(left) == (student(service).get("/services/cv/file").status_code == 200)


def _send(browser, text: str, token: str = "") -> int:
    given = {"csrf_token": token} if token else {}
    file = ("cv.pdf", files.pdf(text), "application/pdf")
    return browser.post(EDIT, {**ENTRY, **given}, files={"file": file}).status_code
