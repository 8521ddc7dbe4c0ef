# SPDX-License-Identifier: GPL-2.0-or-later
"""A picture of TLS connections: one self-contained HTML page with a timeline of each context.

Responsible for: the page. State: none.

TCP sequence against time, coloured by what became of each packet, with the state of the context
below. Each mark has its line of the trace, which a browser shows when the mouse is over it; that is
why this writes SVG itself, since plotting libraries write none of that. The page loads nothing.
"""

import xml.etree.ElementTree as ET

from . import explain
from .flows import RX, Context, End, Mark, Observed

WIDTH, HEIGHT = 1000, 260       # of the field of a timeline
LEFT, TOP, BAND = 90, 12, 14    # of its margins, and the height of the band of states
TICKS = 5
LEAST = 2.0                     # pixels: the least height of a mark
# kind of a mark: (its class, what the legend calls it at a TIR, at a TIS)
KINDS = {"packet": ("done", "decrypted", "encrypted"), "skipped": ("left", "not decrypted", ""),
         "error": ("bad", "wrong tag", ""), "candidate": ("ask", "resync asked for", ""),
         "answer": ("answer", "answer to GET_PSV", ""), "params": ("params", "approval", ""),
         "dump": ("dump", "", "DUMP"), "drop": ("bad", "", "dropped")}
STYLE = """
:root { --back: #fff; --ink: #1b1f24; --dim: #6a737d; --grid: #e1e4e8; --done: #1a7f37;
  --left: #bc4c00; --bad: #cf222e; --ask: #0969da; --answer: #8250df; --params: #0a7ea4;
  --dump: #8250df; }
@media (prefers-color-scheme: dark) { :root { --back: #0d1117; --ink: #e6edf3; --dim: #8b949e;
  --grid: #30363d; --done: #3fb950; --left: #f0883e; --bad: #ff7b72; --ask: #58a6ff;
  --answer: #bc8cff; --params: #39c5cf; --dump: #bc8cff; } }
body { background: var(--back); color: var(--ink); font: 15px/1.45 system-ui, sans-serif;
  margin: 2em auto; max-width: 1120px; padding: 0 1em; }
h1 { font-size: 1.3em; } h2 { font-size: 1.1em; margin-top: 2em; }
h3 { font-size: 1em; margin-bottom: .2em; font-weight: 600; }
p { margin: .2em 0; } .dim { color: var(--dim); } svg { width: 100%; height: auto; }
text { fill: var(--dim); font-size: 12px; } .grid { stroke: var(--grid); }
line { stroke-width: 2; } .mark { stroke-linecap: butt; }
"""
COLOURS = "".join(f".{name} {{ stroke: var(--{name}); fill: var(--{name}); }}\n" for name in
                  ("done", "left", "bad", "ask", "answer", "params", "dump"))
STATES = {"START": "left", "OFFLOAD": "done", "SEARCH": "bad", "LINK": "bad", "CAND": "ask",
          "AUTH": "params"}


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: object) -> ET.Element:
    """Add an element; a trailing _ of an attribute's name is dropped (class_)."""
    element = ET.SubElement(parent, tag, {
        name.rstrip("_").replace("_", "-"): f"{value:.2f}".rstrip("0").rstrip(".")
        if isinstance(value, float) else str(value) for name, value in attributes.items()})
    element.text = text or None
    return element


class _Scale:
    """Where a mark is: time, or its turn if the log has no time stamps, and place in the stream."""

    def __init__(self, context: Context) -> None:
        marks = context.marks
        self.timed = all(mark.time is not None for mark in marks)
        self._base = context.start if context.start is not None else marks[0].seq
        self._begin = marks[0].time or 0.0
        self.span = max(1e-6, (marks[-1].time or 0.0) - self._begin) if self.timed \
            else max(1, len(marks) - 1)
        self.top = max(1, max(self.place(mark) + mark.size for mark in marks))

    def place(self, mark: Mark) -> int:
        """Bytes from where the context began; before that, 0."""
        return max(0, (mark.seq - self._base + (1 << 31)) % (1 << 32) - (1 << 31))

    def x(self, mark: Mark, turn: int) -> float:
        """Pixels from the left."""
        at = (mark.time or 0.0) - self._begin if self.timed else float(turn)
        return LEFT + WIDTH * at / self.span

    def y(self, place: float) -> float:
        """Pixels from the top."""
        return TOP + HEIGHT * (1 - place / self.top)


def _field(svg: ET.Element, scale: _Scale) -> None:
    """Axes and grid."""
    said = ""
    for tick in range(TICKS + 1):
        share = tick / TICKS
        y, x = scale.y(scale.top * share), LEFT + WIDTH * share
        _add(svg, "line", class_="grid", x1=LEFT, x2=LEFT + WIDTH, y1=y, y2=y, stroke_width=1)
        _add(svg, "text", f"{scale.top * share:,.0f}", x=LEFT - 6, y=y + 4, text_anchor="end")
        at = f"{scale.span * share * 1000:,.1f} ms" if scale.timed \
            else f"event {scale.span * share:,.0f}"
        at, said = "" if at == said else at, at         # few events have several ticks each
        _add(svg, "text", at, x=x, y=TOP + HEIGHT + BAND + 22,
             text_anchor="start" if not tick else "end" if tick == TICKS else "middle")


def _drawing(context: Context) -> ET.Element:
    svg = ET.Element("svg", {"viewBox": f"0 0 {LEFT + WIDTH + 20} {TOP + HEIGHT + BAND + 30}",
                             "role": "img"})
    scale = _Scale(context)
    _field(svg, scale)
    xs = [scale.x(mark, turn) for turn, mark in enumerate(context.marks)]
    for turn, mark in enumerate(context.marks):
        low, high = scale.y(scale.place(mark)), scale.y(scale.place(mark) + mark.size)
        if mark.kind in ("answer", "params"):
            low, high = TOP + HEIGHT, TOP
        line = _add(svg, "line", class_=f"mark {KINDS[mark.kind][0]}", x1=xs[turn], x2=xs[turn],
                    y1=float(low), y2=float(min(high, low - LEAST)))
        if mark.kind in ("answer", "params"):
            line.set("stroke-dasharray", "3 4")
        _add(line, "title", mark.line)
    _states(svg, context, xs)
    return svg


def _states(svg: ET.Element, context: Context, xs: list[float]) -> None:
    """A band with the states of the context: a run of equal ones is one piece."""
    known = [(x, mark.state) for x, mark in zip(xs, context.marks) if mark.state]
    begin = 0
    for index in range(1, len(known) + 1):
        if index < len(known) and known[index][1] == known[begin][1]:
            continue
        end = known[index][0] if index < len(known) else float(LEFT + WIDTH)
        piece = _add(svg, "rect", class_=STATES.get(known[begin][1], "grid"), x=known[begin][0],
                     width=max(1.0, end - known[begin][0]), y=TOP + HEIGHT + 3, height=BAND - 4,
                     stroke_width=0)
        _add(piece, "title", f"state {known[begin][1]}")
        begin = index


def _legend(parent: ET.Element, context: Context) -> None:
    line = _add(parent, "p", class_="dim")
    kinds = dict.fromkeys(mark.kind for mark in context.marks)
    for kind in kinds:
        style, *names = KINDS[kind]
        _add(line, "span", "▮ ", style=f"color: var(--{style})").tail = \
            f"{names[context.way != RX]}, {sum(mark.kind == kind for mark in context.marks)}   "


def _end(body: ET.Element, end: End, sentences: dict[tuple[str, str], str]) -> None:
    for way, context in end.contexts.items():
        if not context.marks:
            continue
        name = explain.name_of(end)
        _add(body, "h3", sentences.get((name, way), name))
        _legend(body, context)
        body.append(_drawing(context))


def page(seen: Observed) -> str:
    """Return the page: verdict, then each connection with the timelines of its contexts."""
    html = ET.Element("html", {"lang": "en"})
    head = _add(html, "head")
    _add(head, "meta", charset="utf-8")
    _add(head, "title", "TLS connections")
    _add(head, "style", STYLE + COLOURS)
    body = _add(html, "body")
    told = explain.told(seen)
    for number, line in enumerate(explain.as_text(seen).split("\n\n", maxsplit=1)[0].splitlines()):
        _add(body, "p" if number else "h1", line)
    _add(body, "p", "Bytes of the stream from where the NIC began, against time; below, the state "
                    "of the context. The line of the trace is shown over each mark.",
         class_="dim")
    for one, connection in zip(told, seen.connections):
        _add(body, "h2", one.title)
        sentences = {(way.name, way.way): way.sentence for way in one.ways}
        for end in connection.ends:
            _end(body, end, sentences)
    return "<!DOCTYPE html>\n" + ET.tostring(html, encoding="unicode", method="html") + "\n"
