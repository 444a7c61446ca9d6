//! One dot per row with its 95 % interval, against the median of all.

use maud::Markup;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{GOAL, LINES, Mark, QUIET, SERIES, TEXT, axis, dashed, drawing, finish, font};

/// A row.
#[derive(Debug, Clone)]
pub struct Dot {
    /// Name.
    pub name: String,
    /// Value.
    pub value: f64,
    /// 95 % interval, where one can be given.
    pub interval: Option<(f64, f64)>,
    /// Where it leads.
    pub href: String,
    /// In words.
    pub tip: String,
}

/// Dots in rows.
pub struct Dots {
    /// Identity in the page.
    pub id: String,
    /// Title.
    pub title: String,
    /// One sentence: what is to be seen.
    pub finding: String,
    /// Title of the axis with its unit.
    pub x_title: String,
    /// Whether the axis has no fractions.
    pub whole: bool,
    /// How a tick reads.
    pub tick: fn(f64) -> String,
    /// Rows.
    pub dots: Vec<Dot>,
}

impl Dots {
    /// The drawing.
    ///
    /// # Errors
    /// When plotters cannot draw it.
    pub fn draw(&self) -> Result<Markup, String> {
        let (left, top, row, width) = (150, 24, 28, 960);
        let bottom = top + row * self.dots.len().max(1) as i32;
        let size = (width as u32, (bottom + 44).unsigned_abs());
        let reach = |d: &Dot| d.interval.map_or(d.value, |i| i.1).max(d.value);
        let (most, step) = axis(self.dots.iter().map(reach).fold(0.0, f64::max), self.whole);
        let x_of = |v: f64| left + (v / most * f64::from(width - left - 30)).round() as i32;
        let mut svg = String::new();
        let mut marks = Vec::new();
        {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            let put = |t: String, x: i32, y: i32, ink, h, v| {
                root.draw(&Text::new(t, (x, y), font(11.5, ink, h, v)))
                    .map_err(drawing)
            };
            let mut tick = 0.0;
            while tick <= most + step / 2.0 {
                let x = x_of(tick);
                root.draw(&PathElement::new(vec![(x, top), (x, bottom)], LINES.rgb()))
                    .map_err(drawing)?;
                put(
                    (self.tick)(tick),
                    x,
                    bottom + 6,
                    QUIET,
                    HPos::Center,
                    VPos::Top,
                )?;
                tick += step;
            }
            put(
                self.x_title.clone(),
                (left + width) / 2,
                bottom + 24,
                QUIET,
                HPos::Center,
                VPos::Top,
            )?;
            if let Some(m) = median(self.dots.iter().map(|d| d.value).collect()) {
                let x = x_of(m);
                dashed(&root, (x, top - 4), (x, bottom), GOAL)?;
                let text = format!("median {}", (self.tick)(m));
                put(text, x, top - 6, QUIET, HPos::Center, VPos::Bottom)?;
            }
            for (i, dot) in self.dots.iter().enumerate() {
                let y = top + row * i as i32 + row / 2;
                put(
                    dot.name.clone(),
                    left - 10,
                    y,
                    TEXT,
                    HPos::Right,
                    VPos::Center,
                )?;
                let ink = SERIES[0].rgb();
                if let Some((a, b)) = dot.interval {
                    let line = vec![(x_of(a.max(0.0)), y), (x_of(b), y)];
                    root.draw(&PathElement::new(line, ink.stroke_width(2)))
                        .map_err(drawing)?;
                }
                let x = x_of(dot.value.max(0.0));
                root.draw(&Circle::new((x, y), 6, ink.filled()))
                    .map_err(drawing)?;
                marks.push(Mark {
                    x: (left, width - 20),
                    y: (y - row / 2, y + row / 2),
                    href: dot.href.clone(),
                    tip: dot.tip.clone(),
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
}

/// The middle value.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let mid = values.len() / 2;
    Some(match values.len() % 2 {
        1 => values[mid],
        _ => f64::midpoint(values[mid - 1], values[mid]),
    })
}

/// Wilson's 95 % interval of a share of `k` among `n`.
pub fn wilson(k: f64, n: f64) -> Option<(f64, f64)> {
    if n <= 0.0 {
        return None;
    }
    let z = 1.959_963_985;
    let (p, z2) = (k / n, z * z);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = z / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    Some(((centre - half).max(0.0), (centre + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_gives_the_published_values() {
        let near =
            |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() < 5e-4 && (a.1 - b.1).abs() < 5e-4;
        assert!(near(wilson(7.0, 9.0).unwrap(), (0.453, 0.937)));
        assert!(near(wilson(0.0, 14.0).unwrap(), (0.0, 0.215)));
        assert!(near(wilson(52.0, 55.0).unwrap(), (0.851, 0.981)));
        assert!(near(wilson(171.0, 212.0).unwrap(), (0.748, 0.854)));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        assert_eq!(median(vec![3.0, 1.0, 2.0, 10.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
