"""Templates that an earlier version stored, and that no code makes any more.

What stands in a database is still read in its reader's language: the catalogues keep these. One
that goes leaves its rows readable, in English.
"""

from __future__ import annotations

from config.phrases import later

#: Once, a text that counted things had one form for every number.
WITHOUT_PLURALS = (
    later("%(seen)s negative in %(window)s, expected %(expected)s; index %(index)s"),
    later("%(number)s gaps"),
    later("1 gap"),
    later("%(source)s has never been read: %(failures)s attempts failed in a row."),
    later(
        "A message to %(contact)s (%(channel)s) about incident %(incident)s was given up after "
        "%(attempts)s attempts: %(error)s."
    ),
    later("X could not give %(number)s things of a page: %(titles)s"),
    later("%(size)s calls at once"),
)
