//! Charts by plotters as SVG: drawn with stand-in colours that become the page's own CSS
//! variables, with title, description and links laid over the marks.

pub mod bars;
pub mod dots;
pub mod heat;
pub mod timeline;

use maud::{Markup, PreEscaped, html};
use plotters::coord::Shift;
use plotters::prelude::{DrawingArea, DrawingBackend, PathElement};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontStyle, RGBColor, TextStyle};

/// A stand-in colour and the CSS variable it becomes.
#[derive(Debug, Clone, Copy)]
pub struct Ink(u8, &'static str);

impl Ink {
    /// As plotters wants it.
    pub fn rgb(self) -> RGBColor {
        RGBColor(1, 2, self.0)
    }

    /// Class of a swatch in a legend.
    pub fn class(self) -> &'static str {
        self.1
    }
}

/// Text.
pub const TEXT: Ink = Ink(1, "ink");
/// Quiet text and axes.
pub const QUIET: Ink = Ink(2, "quiet");
/// Grid lines.
pub const LINES: Ink = Ink(3, "line");
/// The page itself, for gaps between marks.
pub const SURFACE: Ink = Ink(4, "surface");
/// The line over bars.
pub const OVER: Ink = Ink(5, "over");
/// A goal.
pub const GOAL: Ink = Ink(6, "goal");
/// Series in order.
pub const SERIES: [Ink; 8] = [
    Ink(16, "c1"),
    Ink(17, "c2"),
    Ink(18, "c3"),
    Ink(19, "c4"),
    Ink(20, "c5"),
    Ink(21, "c6"),
    Ink(22, "c7"),
    Ink(23, "c8"),
];
/// Steps of a heat map, little to much.
pub const HEAT: [Ink; 6] = [
    Ink(32, "h0"),
    Ink(33, "h1"),
    Ink(34, "h2"),
    Ink(35, "h3"),
    Ink(36, "h4"),
    Ink(37, "h5"),
];
/// A drawing of fewer units across keeps its own size.
const NARROW: u32 = 600;

/// States and kinds of segments by name.
const STATES: [(&str, Ink); 15] = [
    ("available", Ink(48, "s-available")),
    ("ringing", Ink(49, "s-ringing")),
    ("talk", Ink(50, "s-talk")),
    ("hold", Ink(51, "s-hold")),
    ("wrapup", Ink(52, "s-wrapup")),
    ("paused", Ink(53, "s-paused")),
    ("offline", Ink(54, "s-offline")),
    ("unknown", Ink(55, "s-unknown")),
    ("queue", Ink(56, "s-queue")),
    ("offer", Ink(49, "s-ringing")),
    ("menu", Ink(57, "s-menu")),
    ("voicemail", Ink(58, "s-voicemail")),
    ("missed", Ink(59, "s-missed")),
    ("recording", Ink(60, "s-recording")),
    ("other", Ink(61, "s-other")),
];

/// Every ink there is.
fn inks() -> impl Iterator<Item = Ink> {
    [TEXT, QUIET, LINES, SURFACE, OVER, GOAL]
        .into_iter()
        .chain(SERIES)
        .chain(HEAT)
        .chain(STATES.map(|s| s.1))
}

/// The ink of a state or segment kind.
pub fn state_ink(name: &str) -> Ink {
    STATES
        .iter()
        .find(|s| s.0 == name)
        .map_or(Ink(61, "s-other"), |s| s.1)
}

/// An area of a chart that leads somewhere; pixels of the chart's own grid.
#[derive(Debug, Clone)]
pub struct Mark {
    /// Left and right.
    pub x: (i32, i32),
    /// Top and bottom.
    pub y: (i32, i32),
    /// Where it leads; empty = nowhere, it only has its tip.
    pub href: String,
    /// What it is, in words.
    pub tip: String,
}

/// A text style in an ink: size in pixels.
pub(crate) fn font(size: f64, ink: Ink, h: HPos, v: VPos) -> TextStyle<'static> {
    let style = if size > 12.5 {
        FontStyle::Bold
    } else {
        FontStyle::Normal
    };
    // plotters divides sizes by 1.24 when it writes them.
    let mut text = TextStyle::from((FontFamily::SansSerif, size * 1.24, style));
    text.color = ink.rgb().to_backend_color();
    text.pos = Pos::new(h, v);
    text
}

/// An error while drawing, as text: it cannot be mended by the reader.
pub(crate) fn drawing<E: std::fmt::Display>(e: E) -> String {
    format!("The chart could not be drawn: {e}")
}

/// A finished drawing with its title, description and links.
pub(crate) fn finish(
    id: &str,
    title: &str,
    desc: &str,
    size: (u32, u32),
    drawn: &str,
    marks: &[Mark],
) -> Markup {
    let start = drawn.find('>').map_or(0, |i| i + 1);
    let end = drawn.rfind("</svg>").unwrap_or(drawn.len());
    let mut inner = drawn.get(start..end).unwrap_or_default().to_owned();
    for ink in inks() {
        let hex = format!("#0102{:02X}", ink.0);
        if inner.contains(&hex) {
            inner = inner.replace(&hex, &format!("var(--{})", ink.1));
        }
    }
    inner = inner.replace("font-family=\"sans-serif\"", "");
    html! {
        div class="chart" tabindex="0" role="region" aria-label=(title) {
            // A small drawing stays small: text blown up to a page helps nobody.
            svg class=[(size.0 < NARROW).then_some("small")] width=[(size.0 < NARROW).then_some(size.0)]
                viewBox={ "0 0 " (size.0) " " (size.1) } xmlns="http://www.w3.org/2000/svg" {
                g role="img" aria-labelledby={ (id) "-t " (id) "-d" } {
                    title id={ (id) "-t" } { (title) }
                    desc id={ (id) "-d" } { (desc) }
                    (PreEscaped(inner))
                }
                g class="marks" {
                    @for m in marks {
                        @if m.href.is_empty() { (hit(m)) }
                        @else { a href=(m.href) aria-label=(m.tip) { (hit(m)) } }
                    }
                }
            }
        }
    }
}

fn hit(m: &Mark) -> Markup {
    let (w, h) = ((m.x.1 - m.x.0).max(2), (m.y.1 - m.y.0).max(2));
    html! {
        rect class="hit" x=(m.x.0) y=(m.y.0) width=(w) height=(h) { title { (m.tip) } }
    }
}

/// A dashed line along an axis, in pixels, with a gap to whatever lies under it: dashes are of one
/// length in every chart, and are seen on bars as well as beside them.
pub(crate) fn dashed<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    from: (i32, i32),
    to: (i32, i32),
    ink: Ink,
) -> Result<(), String> {
    const DASH: i32 = 9;
    const GAP: i32 = 5;
    let under = PathElement::new(vec![from, to], SURFACE.rgb().stroke_width(6));
    root.draw(&under).map_err(drawing)?;
    let (dx, dy) = ((to.0 - from.0).signum(), (to.1 - from.1).signum());
    let length = (to.0 - from.0).abs().max((to.1 - from.1).abs());
    for start in (0..length).step_by((DASH + GAP).unsigned_abs() as usize) {
        let end = (start + DASH).min(length);
        let at = |n: i32| (from.0 + dx * n, from.1 + dy * n);
        let dash = PathElement::new(vec![at(start), at(end)], ink.rgb().stroke_width(3));
        root.draw(&dash).map_err(drawing)?;
    }
    Ok(())
}

/// A legend: swatch, shape and name of each series.
pub fn legend(entries: &[(Ink, &str, &str)]) -> Markup {
    html! {
        ul class="legend" {
            @for (ink, shape, name) in entries {
                li { span class={ "swatch " (shape) " k-" (ink.class()) } {} (name) }
            }
        }
    }
}

/// A round number at or above `max` and the step to it; `whole` axes have no fractions.
pub(crate) fn axis(max: f64, whole: bool) -> (f64, f64) {
    if max <= 0.0 {
        return (1.0, 1.0);
    }
    let raw = max / 4.0;
    let magnitude = 10f64.powf(raw.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    let step = steps
        .into_iter()
        .map(|m| m * magnitude)
        .find(|s| *s >= raw * 0.999)
        .unwrap_or(raw);
    let step = if whole { step.max(1.0) } else { step };
    ((max / step * 0.999).ceil() * step, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_on_round_numbers() {
        assert_eq!(axis(23.0, true), (30.0, 10.0));
        assert_eq!(axis(4.0, true), (4.0, 1.0));
        assert_eq!(axis(2.0, true), (2.0, 1.0));
        assert_eq!(axis(0.0, true), (1.0, 1.0));
        let (top, step) = axis(0.97, false);
        assert!(
            (top - 1.0).abs() < 1e-9 && (step - 0.5).abs() < 1e-9,
            "{top} {step}"
        );
    }

    #[test]
    fn stand_in_colours_become_variables_and_marks_links() {
        let drawn = r##"<svg width="9"><rect fill="#010210"/></svg>"##;
        let mark = Mark {
            x: (0, 5),
            y: (0, 5),
            href: "/a?b=1&c=2".into(),
            tip: "<5>".into(),
        };
        let out = finish("x", "T", "D", (9, 9), drawn, &[mark]).into_string();
        assert!(out.contains("fill=\"var(--c1)\""));
        assert!(out.contains("/a?b=1&amp;c=2") && out.contains("&lt;5&gt;"));
    }
}
