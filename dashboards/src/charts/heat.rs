//! A heat map: rows by columns, colour in six steps, hatched where too few cases stand behind.

use maud::Markup;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{HEAT, LINES, Mark, QUIET, SURFACE, TEXT, drawing, finish, font};

/// A cell of the map.
#[derive(Debug, Clone, Default)]
pub struct HeatCell {
    /// The number; None = nothing known.
    pub value: Option<f64>,
    /// As it reads.
    pub text: String,
    /// Cases behind it.
    pub n: i64,
    /// Where it leads.
    pub href: String,
    /// In words.
    pub tip: String,
}

/// A heat map.
pub struct Heat {
    /// Identity in the page.
    pub id: String,
    /// Title.
    pub title: String,
    /// One sentence: what is to be seen.
    pub finding: String,
    /// Names of the rows, top first.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Cells, by row.
    pub cells: Vec<Vec<HeatCell>>,
    /// Below so many cases a cell is hatched; 0 = never.
    pub few: i64,
}

impl Heat {
    /// The drawing.
    ///
    /// # Errors
    /// When plotters cannot draw it.
    pub fn draw(&self) -> Result<Markup, String> {
        let (left, top, row) = (84, 8, 34);
        let columns = self.columns.len().max(1) as i32;
        let width = ((960 - left - 8) / columns).clamp(26, 96);
        let size = (
            (left + width * columns + 8).unsigned_abs(),
            (top + row * self.rows.len() as i32 + 28).unsigned_abs(),
        );
        let known = || self.cells.iter().flatten().filter_map(|c| c.value);
        let (low, high) = (
            known().fold(f64::INFINITY, f64::min),
            known().fold(f64::NEG_INFINITY, f64::max),
        );
        let mut svg = String::new();
        let mut marks = Vec::new();
        {
            let root = SVGBackend::with_string(&mut svg, size).into_drawing_area();
            for (r, name) in self.rows.iter().enumerate() {
                let y = top + row * r as i32;
                let label = font(12.0, TEXT, HPos::Right, VPos::Center);
                root.draw(&Text::new(name.clone(), (left - 8, y + row / 2), label))
                    .map_err(drawing)?;
                for (c, cell) in self.cells.get(r).into_iter().flatten().enumerate() {
                    let x = left + width * c as i32;
                    let area = [(x + 1, y + 1), (x + width - 1, y + row - 1)];
                    let step = step(cell.value, low.min(0.0), high);
                    let ink = step.map_or(SURFACE, |s| HEAT[s]);
                    root.draw(&Rectangle::new(area, ink.rgb().filled()))
                        .map_err(drawing)?;
                    root.draw(&Rectangle::new(area, LINES.rgb().stroke_width(1)))
                        .map_err(drawing)?;
                    if cell.n > 0 && cell.n < self.few {
                        for d in (6..width + row).step_by(8) {
                            let a = (x + (d - row).max(0) + 1, y + d.min(row) - 1);
                            let b = (x + d.min(width) - 1, y + (d - width).max(0) + 1);
                            let line = PathElement::new(
                                vec![a, b],
                                SURFACE.rgb().mix(0.55).stroke_width(1),
                            );
                            root.draw(&line).map_err(drawing)?;
                        }
                    }
                    let ink = if step.is_some_and(|s| s >= 3) {
                        SURFACE
                    } else {
                        TEXT
                    };
                    let style = font(11.5, ink, HPos::Center, VPos::Center);
                    let at = (x + width / 2, y + row / 2);
                    root.draw(&Text::new(cell.text.clone(), at, style))
                        .map_err(drawing)?;
                    marks.push(Mark {
                        x: (x + 1, x + width - 1),
                        y: (y + 1, y + row - 1),
                        href: cell.href.clone(),
                        tip: cell.tip.clone(),
                    });
                }
            }
            let y = top + row * self.rows.len() as i32 + 6;
            for (c, name) in self.columns.iter().enumerate() {
                let style = font(11.0, QUIET, HPos::Center, VPos::Top);
                let at = (left + width * c as i32 + width / 2, y);
                root.draw(&Text::new(name.clone(), at, style))
                    .map_err(drawing)?;
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

/// The step of a value between the least and the greatest.
fn step(value: Option<f64>, low: f64, high: f64) -> Option<usize> {
    let v = value?;
    if high <= low {
        return Some(0);
    }
    let share = ((v - low) / (high - low)).clamp(0.0, 1.0);
    Some(((share * HEAT.len() as f64) as usize).min(HEAT.len() - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_the_range() {
        assert_eq!(step(Some(0.0), 0.0, 10.0), Some(0));
        assert_eq!(step(Some(10.0), 0.0, 10.0), Some(5));
        assert_eq!(step(None, 0.0, 10.0), None);
        assert_eq!(step(Some(0.0), 0.0, 0.0), Some(0));
    }
}
