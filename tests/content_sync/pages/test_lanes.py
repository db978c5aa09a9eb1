"""The line of time on which deliverables stand."""

from __future__ import annotations

from content_sync.pages.lanes import lane, time_scale

PROJECT = {"starts_on": "2024-07-01", "ends_on": "2027-02-01"}
DELIVERABLE = {"due_on": "2025-03-31", "submitted_on": "2025-05-01", "accepted_on": None}


def test_a_year_is_named_where_its_name_has_room() -> None:
    """A label at the end of its column would run into the heading of the next."""
    scale = time_scale(PROJECT, [DELIVERABLE])
    assert scale is not None
    assert [tick["year"] for tick in scale["ticks"]] == ["2025", "2026", ""]
    assert [float(tick["at"].removesuffix("%")) for tick in scale["ticks"]] == sorted(
        float(tick["at"].removesuffix("%")) for tick in scale["ticks"]
    )


def test_marks_stand_in_the_order_of_their_days() -> None:
    scale = time_scale(PROJECT, [DELIVERABLE])
    assert scale is not None
    marks = lane(scale, DELIVERABLE, "in review")
    assert "accepted" not in marks
    assert float(marks["due"].removesuffix("%")) < float(marks["submitted"].removesuffix("%"))


def test_one_day_alone_is_no_line() -> None:
    assert (
        time_scale({"starts_on": None, "ends_on": None}, [DELIVERABLE | {"submitted_on": None}])
        is None
    )
