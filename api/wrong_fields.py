"""What is wrong with the fields of a request, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from config.field_errors import of_field
from config.phrases import Phrase, joined, later, phrase

#: The words of the framework for addresses that do not exist and methods that they do not take.
_ANSWERS = (later("Not Found"), later("Method Not Allowed"))

#: What the console's forms and filters call the fields that people fill in themselves.
LABELS: Mapping[str, str] = {
    "about": later("What it is about"),
    "account": later("Account"),
    "all_of": later("Filters"),
    "assignee": later("Assigned to"),
    "brand": later("Brand"),
    "brands": later("Brands"),
    "comment": later("Comment"),
    "contact": later("Contact"),
    "current": later("Current password"),
    "days": later("Days"),
    "email": later("E-mail"),
    "emotion": later("Emotion"),
    "evidence": later("Evidence"),
    "form": later("Form"),
    "hour": later("Hour"),
    "hours": later("Hours"),
    "intent": later("Intent"),
    "interests": later("Interests"),
    "kind": later("Kind"),
    "label": later("Sentiment"),
    "lang": later("Language"),
    "language": later("Language"),
    "languages": later("Languages"),
    "linked": later("Linked"),
    "members": later("Members"),
    "minutes": later("Minutes"),
    "name": later("Name"),
    "new": later("New password"),
    "note": later("Note"),
    "owner": later("Owner"),
    "password": later("Password"),
    "period": later("Period"),
    "places": later("Places"),
    "platform": later("Platform"),
    "priority": later("Priority"),
    "q": later("Search"),
    "query": later("Query"),
    "reason": later("Reason"),
    "recipients": later("Recipients"),
    "role": later("Role"),
    "rotation": later("Rotation"),
    "said": later("Answer"),
    "scenario": later("Scenario"),
    "segment": later("Segment"),
    "severities": later("Severities"),
    "severity": later("Severity"),
    "since": later("From"),
    "spam": later("Spam"),
    "starts": later("From"),
    "state": later("State"),
    "status": later("State"),
    "text": later("Text"),
    "tier": later("Tier"),
    "title": later("Title"),
    "topic": later("Topic"),
    "topics": later("Topics"),
    "until": later("Until"),
    "url": later("Address"),
    "verdict": later("Verdict"),
    "weekday": later("Day of the week"),
    "where": later("Where"),
    "who": later("Who"),
    "whom": later("For whom"),
    "why": later("Why"),
    "zone": later("Time zone"),
}


def wrong_fields(problems: Sequence[Mapping[str, Any]], *, is_page: bool) -> str:
    """Return what is wrong with the fields, one after the other.

    Args:
        problems: What pydantic found.
        is_page: Whether a person reads it: then a field is called as its label says, and not by
            its place in the request.

    """
    return joined("; ", [_said(problem, is_page=is_page) for problem in problems])


def _said(problem: Mapping[str, Any], *, is_page: bool) -> Phrase:
    place = [str(part) for part in problem["loc"]]
    if is_page and len(place) > 1:
        name = place[1]
        return of_field(phrase(LABELS[name]) if name in LABELS else name, problem)
    return of_field(".".join(place), problem)
