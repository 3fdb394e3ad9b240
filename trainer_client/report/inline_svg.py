"""From matplotlib's SVG file to an element that may stand in a page under a strict policy.

The page's content security policy forbids style attributes, and its colours differ by day and
night. So styles become plain attributes, colours become classes of the style sheet, and names,
metadata and definitions, which would clash between drawings, are dropped.
"""

import re
from typing import Final
from xml.etree import ElementTree as ET

COLOURS: Final = {f"h{rank}": f"#0000{rank + 1:02d}" for rank in range(8)} | {"rule": "#000099"}
"""Stand-ins that drawings are made with, by the class that the style sheet colours."""

_CLASSES: Final = {colour: name for name, colour in COLOURS.items()}
_KEPT: Final = frozenset({"d", "x", "y", "transform", "viewBox"})
_DROPPED_TAGS: Final = frozenset({"defs", "metadata", "title"})
_NO_ROTATION: Final = re.compile(r"rotate\(-?0(\.0)? ")
_NUMBER: Final = re.compile(r"-?\d+\.\d+")


def inline(svg: str, *, label: str) -> str:
    """Return the element, with `label` as what it shows.

    Args:
        svg: the file as matplotlib wrote it: our own drawing, never a stranger's.
        label: for those who do not see it.
    """
    source = ET.fromstring(svg)  # noqa: S314 - written by matplotlib a moment ago
    target = ET.Element("svg", {"viewBox": source.attrib["viewBox"], "role": "img"})
    target.set("aria-label", label)
    for child in source:
        _copy(child, target)
    return ET.tostring(target, encoding="unicode")


def _copy(source: ET.Element, parent: ET.Element) -> None:
    """Copy an element and what is in it, without groups and without what is invisible."""
    tag = source.tag.rpartition("}")[2]
    if tag in _DROPPED_TAGS:
        return
    style = _style(source.attrib.get("style", ""))
    if tag == "path" and style.get("fill") == "none" and "stroke" not in style:
        return
    if tag == "g":
        target = parent
    else:
        target = ET.SubElement(parent, tag, _attributes(source, style))
        target.text = source.text.strip() if source.text else None
    for child in source:
        _copy(child, target)


def _attributes(source: ET.Element, style: dict[str, str]) -> dict[str, str]:
    """Return the attributes of a copy: geometry rounded, styles as attributes, colours as class."""
    found = {name: value for name, value in source.attrib.items() if name in _KEPT}
    if _NO_ROTATION.match(found.get("transform", "")):
        del found["transform"]
    if "d" in found:
        found["d"] = " ".join(found["d"].split())
    for name in ("d", "x", "y"):
        if name in found:
            found[name] = _NUMBER.sub(lambda m: f"{float(m[0]):.1f}", found[name])
    classes = []
    for name, value in style.items():
        if value in _CLASSES:
            classes.append(f"{name}-{_CLASSES[value]}")
        elif name != "font-family":
            found[name] = value.removesuffix("px") if name == "font-size" else value
    if classes:
        found["class"] = " ".join(classes)
    return found


def _style(text: str) -> dict[str, str]:
    """Return the declarations of a style attribute."""
    pairs = (part.split(":", 1) for part in text.split(";") if ":" in part)
    return {name.strip(): value.strip() for name, value in pairs}
