"""Whether text can be read on a colour, by the contrast of WCAG 2.2."""

from __future__ import annotations

# What stands in the header of every page, light or dark.
HEADER_TEXT = "#e6efef"
ENOUGH = 4.5


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def carries_text(colour: str) -> bool:
    """The header's text is readable on it."""
    return contrast(colour, HEADER_TEXT) >= ENOUGH


def darkened(colour: str, share: float) -> str:
    """Mixed with as much black; text that was readable stays so."""
    return "#" + "".join(f"{round(part * (1 - share)):02x}" for part in _parts(colour))


def _parts(colour: str) -> list[int]:
    return [int(colour[place : place + 2], 16) for place in (1, 3, 5)]


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (number / 255 for number in _parts(colour))
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
