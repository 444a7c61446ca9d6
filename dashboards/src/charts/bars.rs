//! Stacked bars over a row of categories or intervals, with a line of shares over them.

use maud::Markup;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::{
    GOAL, LINES, Mark, OVER, QUIET, SERIES, SURFACE, axis, dashed, drawing, finish, font, legend,
};

/// One stacked series: a number and an address per category.
pub struct Series {
    /// Name.
    pub name: String,
    /// Heights.
    pub values: Vec<f64>,
    /// Where each bar leads.
    pub hrefs: Vec<String>,
    /// Each in words.
    pub tips: Vec<String>,
}

/// A line over the bars, 0 to 1.
pub struct Line {
    /// Name.
    pub name: String,
    /// Shares; None = a gap.
    pub values: Vec<Option<f64>>,
    /// Each in words.
    pub tips: Vec<String>,
    /// The share aimed at, per category.
    pub goals: Vec<Option<f64>>,
}

/// A chart of bars.
pub struct Bars {
    /// Identity in the page.
    pub id: String,
    /// Title.
    pub title: String,
    /// One sentence: what is to be seen.
    pub finding: String,
    /// Names of the categories.
    pub labels: Vec<String>,
    /// Title of the axis below.
    pub x_title: String,
    /// Title of the axis at the left, with its unit.
    pub y_title: String,
    /// Whether the axis has no fractions.
    pub whole: bool,
    /// How a tick of the left axis reads.
    pub tick: fn(f64) -> String,
    /// Series, bottom first.
    pub series: Vec<Series>,
    /// The line.
    pub line: Option<Line>,
}

const SIZE: (u32, u32) = (960, 320);

impl Bars {
    /// The drawing with its legend.
    ///
    /// # Errors
    /// When plotters cannot draw it.
    pub fn draw(&self) -> Result<Markup, String> {
        let mut svg = String::new();
        let mut marks = Vec::new();
        {
            let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            self.onto(&root, &mut marks)?;
            root.present().map_err(drawing)?;
        }
        let mut entries: Vec<_> = self
            .series
            .iter()
            .enumerate()
            .map(|(i, s)| (SERIES[i % SERIES.len()], "box", s.name.as_str()))
            .collect();
        if let Some(line) = &self.line {
            entries.push((OVER, "dot", line.name.as_str()));
            if line.goals.iter().any(Option::is_some) {
                entries.push((GOAL, "dash", "Goal"));
            }
        }
        Ok(maud::html! {
            (legend(&entries))
            (finish(&self.id, &self.title, &self.finding, SIZE, &svg, &marks))
        })
    }

    fn onto(
        &self,
        root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
        marks: &mut Vec<Mark>,
    ) -> Result<(), String> {
        let n = self.labels.len().max(1);
        let height = |i: usize| -> f64 { self.series.iter().filter_map(|s| s.values.get(i)).sum() };
        let (top, step) = axis((0..n).map(height).fold(0.0, f64::max), self.whole);
        let right = if self.line.is_some() { 66 } else { 12 };
        let mut chart = ChartBuilder::on(root)
            .margin_left(58)
            .margin_right(right)
            .margin_top(26)
            .margin_bottom(46)
            .build_cartesian_2d(0.0..n as f64, 0.0..top)
            .map_err(drawing)?
            .set_secondary_coord(0.0..n as f64, 0.0..1.0);
        let at = |x: f64, y: f64| chart.backend_coord(&(x, y));
        let (left, right_edge) = (at(0.0, 0.0).0, at(n as f64, 0.0).0);
        let put = |text: String, x: i32, y: i32, h: HPos, v: VPos| {
            let label = Text::new(text, (x, y), font(11.0, QUIET, h, v));
            root.draw(&label).map_err(drawing)
        };
        let mut tick = 0.0;
        while tick <= top + step / 2.0 {
            let y = at(0.0, tick).1;
            root.draw(&PathElement::new(
                vec![(left, y), (right_edge, y)],
                LINES.rgb(),
            ))
            .map_err(drawing)?;
            put((self.tick)(tick), left - 6, y, HPos::Right, VPos::Center)?;
            tick += step;
        }
        put(self.y_title.clone(), 6, 6, HPos::Left, VPos::Top)?;
        put(
            self.x_title.clone(),
            (left + right_edge) / 2,
            SIZE.1 as i32 - 4,
            HPos::Center,
            VPos::Bottom,
        )?;
        let every = n.div_ceil(14);
        for (i, label) in self.labels.iter().enumerate().step_by(every) {
            put(
                label.clone(),
                at(i as f64 + 0.5, 0.0).0,
                at(0.0, 0.0).1 + 8,
                HPos::Center,
                VPos::Top,
            )?;
        }
        let mut bars = Vec::new();
        for i in 0..n {
            let mut base = 0.0;
            for (k, s) in self.series.iter().enumerate() {
                let v = s.values.get(i).copied().unwrap_or(0.0);
                if v <= 0.0 {
                    continue;
                }
                let (x0, y0) = at(i as f64 + 0.14, base + v);
                let (x1, y1) = at(i as f64 + 0.86, base);
                bars.push((k, (x0, y0), (x1, y1)));
                marks.push(Mark {
                    x: (x0, x1),
                    y: (y0, y1),
                    href: s.hrefs.get(i).cloned().unwrap_or_default(),
                    tip: s.tips.get(i).cloned().unwrap_or_default(),
                });
                base += v;
            }
        }
        for (k, a, b) in bars {
            let ink = SERIES[k % SERIES.len()].rgb();
            root.draw(&Rectangle::new([a, b], ink.filled()))
                .map_err(drawing)?;
            root.draw(&Rectangle::new([a, b], SURFACE.rgb().stroke_width(1)))
                .map_err(drawing)?;
        }
        if let Some(line) = &self.line {
            let last = line.goals.iter().rev().find_map(|g| *g);
            // A tick gives way to the goal's own label.
            let near = |share: f64| last.is_some_and(|g| (g - share).abs() < 0.06);
            for share in [0.0, 0.5, 1.0].into_iter().filter(|s| !near(*s)) {
                let y = at(0.0, top * share).1;
                put(
                    format!("{:.0} %", share * 100.0),
                    right_edge + 6,
                    y,
                    HPos::Left,
                    VPos::Center,
                )?;
            }
            put(
                line.name.clone(),
                SIZE.0 as i32 - 6,
                6,
                HPos::Right,
                VPos::Top,
            )?;
            for (first, end, goal) in stretches(&line.goals) {
                let y = at(0.0, goal * top).1;
                let (a, b) = (at(first as f64, 0.0).0, at(end as f64, 0.0).0);
                dashed(root, (a, y), (b, y), GOAL)?;
            }
            if let Some(goal) = last {
                let label = Text::new(
                    format!("goal {:.0} %", goal * 100.0),
                    (right_edge + 6, at(0.0, goal * top).1),
                    font(11.0, GOAL, HPos::Left, VPos::Center),
                );
                root.draw(&label).map_err(drawing)?;
            }
            let points: Vec<_> = (0..n)
                .filter_map(|i| Some((i, (*line.values.get(i)?)?.clamp(0.0, 1.0))))
                .collect();
            for run in points.chunk_by(|a, b| a.0 + 1 == b.0) {
                let path = run.iter().map(|(i, v)| (*i as f64 + 0.5, *v));
                let style = OVER.rgb().stroke_width(2);
                chart
                    .draw_secondary_series(LineSeries::new(path, style))
                    .map_err(drawing)?;
            }
            for (i, v) in points {
                let (x, y) = chart.backend_coord(&(i as f64 + 0.5, v * top));
                root.draw(&Circle::new((x, y), 4, OVER.rgb().filled()))
                    .map_err(drawing)?;
                root.draw(&Circle::new((x, y), 4, SURFACE.rgb().stroke_width(1)))
                    .map_err(drawing)?;
                let tip = line.tips.get(i).cloned().unwrap_or_default();
                marks.push(Mark {
                    x: (x - 5, x + 5),
                    y: (y - 5, y + 5),
                    href: String::new(),
                    tip,
                });
            }
        }
        Ok(())
    }
}

/// Stretches of categories with one goal: first, one past the last, goal. A category that names
/// none is aimed at as the one before it was, the first ones as the first that does.
fn stretches(goals: &[Option<f64>]) -> Vec<(usize, usize, f64)> {
    let mut out: Vec<(usize, usize, f64)> = Vec::new();
    let Some(mut now) = goals.iter().find_map(|g| *g) else {
        return out;
    };
    for (i, goal) in goals.iter().enumerate() {
        now = goal.unwrap_or(now);
        match out.last_mut() {
            Some(last) if (last.2 - now).abs() < 1e-9 => last.1 = i + 1,
            _ => out.push((i, i + 1, now)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_holds_until_another_does() {
        assert_eq!(
            stretches(&[None, Some(0.8), None, Some(0.9)]),
            [(0, 3, 0.8), (3, 4, 0.9)]
        );
        assert!(stretches(&[None, None]).is_empty());
    }
}
