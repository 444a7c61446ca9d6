//! Spans on a time axis: an agent's day, a contact's segments.

use chrono_tz::Tz;
use maud::Markup;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{LINES, Mark, QUIET, SURFACE, TEXT, drawing, finish, font, state_ink};
use crate::view::format;

/// A span.
#[derive(Debug, Clone)]
pub struct Span {
    /// Row it stands in.
    pub row: usize,
    /// Start, UTC microseconds.
    pub start: i64,
    /// End, UTC microseconds.
    pub end: i64,
    /// State or kind: decides the colour.
    pub state: String,
    /// Short words, written into it where they fit.
    pub text: String,
    /// Where it leads.
    pub href: String,
    /// All of it in words.
    pub tip: String,
}

/// Spans in rows.
pub struct Timeline {
    /// Identity in the page.
    pub id: String,
    /// Title.
    pub title: String,
    /// One sentence: what is to be seen.
    pub finding: String,
    /// Names of the rows, top first.
    pub rows: Vec<String>,
    /// Spans.
    pub spans: Vec<Span>,
    /// Start of the axis, UTC microseconds.
    pub from: i64,
    /// End of the axis.
    pub to: i64,
    /// Zone of the axis.
    pub zone: Tz,
}

/// Steps of a time axis, in seconds.
const STEPS: [i64; 17] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 86_400,
];

impl Timeline {
    /// The drawing.
    ///
    /// # Errors
    /// When plotters cannot draw it.
    pub fn draw(&self) -> Result<Markup, String> {
        let (left, top, row, width) = (150, 8, 30, 960);
        let bottom = top + row * self.rows.len().max(1) as i32;
        let size = (width as u32, (bottom + 40).unsigned_abs());
        let length = (self.to - self.from).max(1);
        let x_of = |us: i64| {
            let share = (us.clamp(self.from, self.to) - self.from) as f64 / length as f64;
            left + (share * f64::from(width - left - 16)).round() as i32
        };
        let mut svg = String::new();
        let mut marks = Vec::new();
        {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            self.axis(&root, &x_of, top, bottom)?;
            for (r, name) in self.rows.iter().enumerate() {
                let at = (left - 10, top + row * r as i32 + row / 2);
                let style = font(12.0, TEXT, HPos::Right, VPos::Center);
                root.draw(&Text::new(shorten(name, 22), at, style))
                    .map_err(drawing)?;
            }
            for span in &self.spans {
                let y = top + row * span.row as i32;
                let x0 = x_of(span.start);
                let x1 = x_of(span.end).max(x0 + 3);
                let area = [(x0, y + 5), (x1, y + row - 5)];
                let ink = state_ink(&span.state).rgb();
                root.draw(&Rectangle::new(area, ink.filled()))
                    .map_err(drawing)?;
                if x1 - x0 > 5 {
                    root.draw(&Rectangle::new(area, SURFACE.rgb().stroke_width(1)))
                        .map_err(drawing)?;
                }
                if x1 - x0 > 7 * span.text.chars().count() as i32 + 8 && !span.text.is_empty() {
                    let style = font(11.0, SURFACE, HPos::Left, VPos::Center);
                    let at = (x0 + 5, y + row / 2);
                    root.draw(&Text::new(span.text.clone(), at, style))
                        .map_err(drawing)?;
                }
                marks.push(Mark {
                    x: (x0, x1),
                    y: (y + 3, y + row - 3),
                    href: span.href.clone(),
                    tip: span.tip.clone(),
                });
            }
            root.present().map_err(drawing)?;
        }
        Ok(finish(
            &self.id,
            &self.title,
            &self.finding,
            size,
            &svg,
            &marks,
        ))
    }

    fn axis(
        &self,
        root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
        x_of: &dyn Fn(i64) -> i32,
        top: i32,
        bottom: i32,
    ) -> Result<(), String> {
        let seconds = (self.to - self.from) / 1_000_000;
        let step = STEPS
            .into_iter()
            .find(|s| seconds / s <= 9)
            .unwrap_or(86_400 * 7)
            * 1_000_000;
        let shift = crate::zone::offset(self.zone, self.from);
        let mut at = (self.from + shift).div_euclid(step) * step - shift;
        while at <= self.to {
            if at >= self.from {
                let x = x_of(at);
                root.draw(&PathElement::new(vec![(x, top), (x, bottom)], LINES.rgb()))
                    .map_err(drawing)?;
                let text = match step {
                    s if s >= 86_400_000_000 => crate::zone::local(self.zone, at)
                        .format("%m-%d")
                        .to_string(),
                    s if s >= 60_000_000 => format::minute(self.zone, at),
                    _ => format::clock(self.zone, at),
                };
                let style = font(11.0, QUIET, HPos::Center, VPos::Top);
                root.draw(&Text::new(text, (x, bottom + 6), style))
                    .map_err(drawing)?;
            }
            at += step;
        }
        let title = format!("Time of day, {}", self.zone);
        let style = font(11.0, QUIET, HPos::Center, VPos::Top);
        root.draw(&Text::new(title, (555, bottom + 22), style))
            .map_err(drawing)
    }
}

fn shorten(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['\u{2026}']).collect()
}
