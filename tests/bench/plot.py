"""A line over time, as SVG and as a line of text; no library."""
BARS = "▁▂▃▄▅▆▇█"
WIDTH, HEIGHT, LEFT, RIGHT, BOTTOM, TOP = 760, 260, 50, 30, 36, 30


def slope(points):
    """Least squares: units of y for each unit of x."""
    n = len(points)
    x, y = sum(p[0] for p in points) / n, sum(p[1] for p in points) / n
    spread = sum((p[0] - x) ** 2 for p in points)
    return sum((p[0] - x) * (p[1] - y) for p in points) / spread if spread else 0.0


def spark(points, width=60):
    """Means of equal parts as bars from zero to the most."""
    values = [y for _, y in points]
    parts = min(width, len(values))
    means = [sum(part) / len(part) for part in
             (values[len(values) * i // parts:len(values) * (i + 1) // parts] for i in range(parts))]
    most = max(means) or 1.0
    return "".join(BARS[min(len(BARS) - 1, int(mean / most * len(BARS)))] for mean in means)


def svg(title, points, unit, mark=None):
    """Seconds from left to right, values from zero up; `mark` is a moment from which on something holds."""
    right, most = points[-1][0] or 1.0, max(y for _, y in points) * 1.1 or 1.0

    def at(x, y):
        return LEFT + x / right * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - y / most * (HEIGHT - BOTTOM - TOP)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', f'<text x="{LEFT}" y="18" font-size="14">{title}, {unit}</text>']
    for part in range(5):
        x, y = at(right * part / 4, most * part / 4)
        out += [f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" stroke="#ddd"/>',
                f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{most * part / 4:.0f}</text>',
                f'<text x="{x:.1f}" y="{HEIGHT - 16}" text-anchor="middle">{right * part / 4:.0f} s</text>']
    if mark is not None:
        x, _ = at(mark, 0)
        out.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{HEIGHT - BOTTOM}" stroke="#999" stroke-dasharray="4 3"/>')
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*p) for p in points))
    out += [f'<polyline points="{path}" fill="none" stroke="#1f5f99" stroke-width="1.5"/>', "</svg>"]
    return "\n".join(out) + "\n"
