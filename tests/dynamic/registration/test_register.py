"""Registering for an event, changing one's answers, withdrawing."""

from __future__ import annotations

import pytest

from tests.dynamic.registration.conftest import SLUG, House, text_of


def test_a_person_registers_once_and_is_told(house: House) -> None:
    mira = house.person("mira", "student", name="Nguyễn Hạ Miên")
    assert mira.name in mira.get(f"events/{SLUG}/register").text
    answer = mira.register(q_food="No nuts, please.", c_listing="y")
    assert (answer.status_code, answer.location) == (303, f"/services/events/{SLUG}/registration")
    page = mira.get(f"events/{SLUG}/registration").text
    assert "You have a place" in page
    assert "No nuts, please." in page
    (mail,) = house.mails()
    assert (mail["To"], mail["Subject"]) == ("mira@example.org", "Confirmed: Winter Review 2027")
    assert "You get this mail because you registered for Winter Review 2027." in text_of(mail)
    assert "19 January 2027, 09:00, to 20 January 2027, 16:00 (Europe/Warsaw)" in text_of(mail)
    assert house.transitions() == [(None, "confirmed", "person", "mira")]
