"""Interests as people state them in their bios: words by theme, looked for at word beginnings.

Themes only that say nothing about health, faith, politics, origin or sex life. English and
Spanish words; a bio in another language says nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Theme -> beginnings of words, in lower case.
INTERESTS: Mapping[str, tuple[str, ...]] = {
    "animals": ("dog", "cat ", "cats", "horse", "perro", "gato", "wildlife"),
    "books": ("book", "reader", "writer", "author", "libro", "escritor", "lector"),
    "cars": ("car ", "cars", "motor", "coche", "f1"),
    "coffee": ("coffee", "barista", "espresso", "café", "cafe"),
    "family": ("mom", "mother", "dad", "father", "parent", "madre", "padre", "mamá"),
    "film": ("film", "movie", "cinema", "cine", "serie"),
    "food": ("food", "cook", "chef", "vegan", "bak", "cocin", "comida"),
    "games": ("gamer", "gaming", "games", "videojueg", "twitch"),
    "music": ("music", "guitar", "piano", "dj ", "singer", "músic", "cantant"),
    "outdoors": ("hik", "cycl", "climb", "outdoor", "surf", "bicycl", "montañ", "ciclis"),
    "sports": ("football", "soccer", "basket", "tennis", "runner", "gym", "fútbol", "deport"),
    "technology": ("tech", "developer", "engineer", "software", "data ", "ingenier", "program"),
    "travel": ("travel", "traveller", "viaj", "nomad"),
}
