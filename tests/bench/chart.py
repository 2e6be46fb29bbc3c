"""The chart of the page, an SVG drawn by hand: bars that leave the line of uv + nfpm, to the left where work costs less.

The scale is logarithmic, since a release costs a hundredth of what the dearest way does: on a linear one its bar would
not be seen. What matters is the factor, which a logarithm shows as a length, equal to both sides.
"""

import math
from html import escape

# It is drawn for 360 pixels, where its text has 13, and grows to 480; it brings its background, so the page's is no matter.
WIDTH, EDGE, STEP, BAR = 360, 14, 40, 12
STYLE = """
    svg { background: #ffffff }
    text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; stroke: #ffffff; stroke-width: 4px; paint-order: stroke }
    .title { font-weight: 600; font-size: 15px }
    .small { font-size: 12px; fill: #4b545d }
    .value { font-weight: 600; text-anchor: end }
    .ground { fill: #ffffff } .grid { stroke: #d1d9e0 } .one { stroke: #4b545d }
    .own { fill: #0969da } .other { fill: #8c959f }
    @media (prefers-color-scheme: dark) {
      svg { background: #0d1117 }
      text { fill: #f0f6fc; stroke: #0d1117 }
      .small { fill: #b1bac4 }
      .ground { fill: #0d1117 } .grid { stroke: #30363d } .one { stroke: #b1bac4 }
      .own { fill: #58a6ff } .other { fill: #7d8590 }
    }"""


def number(value):
    """Two digits that count, and no exponent."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def draw(title, subtitle, groups):
    """Draws the chart.

    - Takes: `groups`, pairs of a heading and rows; a row is a name, its value (`None`: not measured) and whether it is ours.
    """
    values = [value for _, rows in groups for _, value, _ in rows if value]
    low = math.floor(min(math.log10(value) for value in [*values, 0.1]))
    high = math.ceil(max(math.log10(value) for value in [*values, 10]))
    place = lambda value: EDGE + (math.log10(value) - low) / (high - low) * (WIDTH - 2 * EDGE)
    parts, y = [], 58
    for heading, rows in groups:
        y += 22
        parts.append(f'<text class="small" x="{EDGE}" y="{y}">{escape(heading)}</text>')
        y += 20
        for name, value, own in rows:
            shown = "not measured" if value is None else number(value)
            parts.append(f'<text x="{EDGE}" y="{y}">{escape(name)}</text>')
            parts.append(f'<text class="value" x="{WIDTH - EDGE}" y="{y}">{shown}</text>')
            if value is not None:
                ends = sorted([place(value), place(1)])
                # A bar of no length is still one: the way that all others are compared with.
                left, right = (ends[0] - 1.5, ends[1] + 1.5) if ends[1] - ends[0] < 3 else ends
                kind = "own" if own else "other"
                parts.append(f'<rect class="{kind}" x="{left:.1f}" y="{y + 6}" width="{right - left:.1f}" height="{BAR}" rx="2"/>')
            y += STEP
        y -= 12
    lines, bottom = [], y - 4
    for decade in range(low, high + 1):
        x = place(10**decade)
        anchor = "start" if decade == low else "end" if decade == high else "middle"
        lines.append(f'<line class="{"one" if decade == 0 else "grid"}" x1="{x:.1f}" y1="66" x2="{x:.1f}" y2="{bottom}"/>')
        lines.append(f'<text class="small" x="{x:.1f}" y="{bottom + 16}" text-anchor="{anchor}">{10.0**decade:g}</text>')
    height = bottom + 28
    rows = "; ".join(f"{name} {number(value) if value else 'not measured'}" for _, rows in groups for name, value, _ in rows)
    body = "\n  ".join([*lines, *parts])
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="480" height="{height * 480 // WIDTH}" role="img" aria-labelledby="title desc">
  <title id="title">{escape(title)}</title>
  <desc id="desc">{escape(subtitle)}. {escape(rows)}.</desc>
  <style>{STYLE}
  </style>
  <rect class="ground" width="{WIDTH}" height="{height}"/>
  <text class="title" x="{EDGE}" y="28">{escape(title)}</text>
  <text class="small" x="{EDGE}" y="48">{escape(subtitle)}</text>
  {body}
</svg>
"""
