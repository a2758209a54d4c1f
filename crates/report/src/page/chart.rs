//! Charts of points, lines and bars, as SVG: axes with round numbers, colours from the page's style.

use crate::page::text::{escape, number, short};
use std::fmt::Write as _;

/// The size of a chart, in units that the page scales.
const SIZE: (f64, f64) = (380.0, 250.0);
/// Left, top, right, bottom: room for the numbers of the axes and what they are.
const ROOM: (f64, f64, f64, f64) = (52.0, 10.0, 12.0, 38.0);
/// A line is drawn through the least and the most of so many pieces of it.
const PIECES: usize = 300;
/// Colours that the style has.
pub(crate) const COLOURS: usize = 8;

/// An axis.
#[derive(Clone, Debug, Default)]
pub(crate) struct Axis {
    /// What it is.
    pub(crate) label: String,
    /// Whether tenfold is a step.
    pub(crate) log: bool,
    /// From where to where; as the points lie, where nothing is said.
    pub(crate) range: Option<(f64, f64)>,
}

impl Axis {
    pub(crate) fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    pub(crate) fn within(self, low: f64, high: f64) -> Self {
        Self { range: Some((low, high)), ..self }
    }
}

/// How points are drawn.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Form {
    Line,
    /// A line that is not read by the pointer: a diagonal, the end of a stage.
    Guide,
    Dots,
    /// Around dots.
    Rings,
    /// Bars of this width (in numbers of the axis) that begin at the point and stand on 0.
    Bars(f64),
}

/// Points of one colour.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) colour: usize,
    pub(crate) form: Form,
    pub(crate) points: Vec<(f64, f64)>,
    /// What is told of a point when the pointer rests on it; of all of them or of none.
    pub(crate) titles: Vec<String>,
}

impl Series {
    pub(crate) fn new(name: impl Into<String>, colour: usize, form: Form, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), colour, form, points, titles: Vec::new() }
    }
}

/// A picture behind the points: where it lies, and its address.
#[derive(Clone, Debug)]
pub(crate) struct Behind {
    pub(crate) x: (f64, f64),
    pub(crate) y: (f64, f64),
    pub(crate) href: String,
}

/// A chart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chart {
    pub(crate) title: String,
    /// What is said below the title; text.
    pub(crate) about: String,
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    pub(crate) series: Vec<Series>,
    pub(crate) behind: Option<Behind>,
}

/// An axis with its place on the paper.
pub(crate) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    from: f64,
    to: f64,
}

impl Scale {
    pub(crate) fn new(axis: &Axis, points: &mut dyn Iterator<Item = f64>, (from, to): (f64, f64)) -> Self {
        let log = axis.log;
        let (mut low, mut high) = axis.range.unwrap_or_else(|| {
            points
                .filter(|x| x.is_finite() && (!log || *x > 0.0))
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)))
        });
        if !(low.is_finite() && high.is_finite()) {
            (low, high) = if log { (0.1, 1.0) } else { (0.0, 1.0) };
        }
        if log {
            (low, high) = (low.log10(), high.log10());
        }
        if high <= low {
            let room = if log { 0.5 } else { (low.abs() * 0.1).max(1e-6) };
            (low, high) = (low - room, high + room);
        }
        if axis.range.is_none() {
            let room = (high - low) * 0.04;
            (low, high) = (low - room, high + room);
        }
        Self { low, high, log, from, to }
    }

    /// Where a number stands; `None` where it does not.
    pub(crate) fn at(&self, x: f64) -> Option<f64> {
        let x = if self.log { x.log10() } else { x };
        let at = self.from + (x - self.low) / (self.high - self.low) * (self.to - self.from);
        at.is_finite().then_some(at)
    }

    /// Round numbers within it.
    pub(crate) fn ticks(&self) -> Vec<f64> {
        if self.log && self.high - self.low >= 1.0 {
            let every = ((self.high - self.low) / 6.0).ceil().max(1.0);
            let first = (self.low / every).ceil() as i64;
            let last = (self.high / every).floor() as i64;
            return (first..=last).map(|p| 10f64.powf(p as f64 * every)).collect();
        }
        let (low, high) =
            if self.log { (10f64.powf(self.low), 10f64.powf(self.high)) } else { (self.low, self.high) };
        let step = round((high - low) / 5.0);
        let first = (low / step - 1e-9).ceil() as i64;
        (0..12)
            .map(|i| (first + i) as f64 * step)
            .take_while(|x| *x <= high + step * 1e-9)
            .map(|x| if x.abs() < step * 1e-9 { 0.0 } else { x })
            .collect()
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not much smaller.
fn round(x: f64) -> f64 {
    let power = 10f64.powf(x.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|s| s * power >= x * 0.75).unwrap_or(10.0);
    step * power
}

impl Chart {
    /// The chart with its title, its key and what is said of it, as a figure of a page.
    pub(crate) fn figure(&self) -> String {
        let mut out = format!("<figure><figcaption><b>{}</b>", escape(&self.title));
        let named: Vec<&Series> = self.series.iter().filter(|s| !s.name.is_empty()).collect();
        for series in &named {
            let dash = if series.form == Form::Guide { " dash" } else { "" };
            let _ =
                write!(out, " <span class=\"key c{}{dash}\">{}</span>", colour(series), escape(&series.name));
        }
        if !self.about.is_empty() {
            let _ = write!(out, "<p>{}</p>", escape(&self.about));
        }
        out.push_str("</figcaption>");
        self.svg(&mut out);
        out.push_str("</figure>\n");
        out
    }

    fn svg(&self, out: &mut String) {
        let (left, right) = (ROOM.0, SIZE.0 - ROOM.2);
        let (top, bottom) = (ROOM.1, SIZE.1 - ROOM.3);
        let all = || self.series.iter().filter(|s| s.form != Form::Guide).flat_map(|s| &s.points);
        let bars = self.series.iter().find_map(|s| match s.form {
            Form::Bars(width) => Some(width),
            Form::Line | Form::Guide | Form::Dots | Form::Rings => None,
        });
        let ends = all().map(|p| p.0 + bars.unwrap_or(0.0));
        let x = Scale::new(&self.x, &mut all().map(|p| p.0).chain(ends), (left, right));
        let floor = bars.map(|_| 0.0);
        let mut y = Scale::new(&self.y, &mut all().map(|p| p.1).chain(floor), (bottom, top));
        if bars.is_some() {
            y.low = 0.0;
        }
        let log = |s: &Scale| u8::from(s.log);
        let plane = if self.behind.is_some() { " plane" } else { "" };
        let _ = write!(
            out,
            "<svg class=\"chart{plane}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" \
             data-x=\"{} {} {}\" data-y=\"{} {} {}\" data-label=\"{}\">",
            SIZE.0,
            SIZE.1,
            escape(&format!("{}: {} against {}", self.title, self.y.label, self.x.label)),
            x.low,
            x.high,
            log(&x),
            y.low,
            y.high,
            log(&y),
            escape(&self.x.label),
        );
        if let Some(behind) = &self.behind
            && let (Some(x0), Some(x1), Some(y0), Some(y1)) =
                (x.at(behind.x.0), x.at(behind.x.1), y.at(behind.y.0), y.at(behind.y.1))
        {
            let _ = write!(
                out,
                "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" href=\"{}\"/>",
                number(x0),
                number(y1),
                number(x1 - x0),
                number(y0 - y1),
                behind.href
            );
        }
        for tick in x.ticks() {
            let Some(at) = x.at(tick).map(number) else { continue };
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{at} {top}V{bottom}\"/><text class=\"middle\" x=\"{at}\" y=\"{}\">{}</text>",
                bottom + 14.0,
                short(tick)
            );
        }
        for tick in y.ticks() {
            let Some(place) = y.at(tick) else { continue };
            let _ = write!(
                out,
                "<path class=\"grid\" d=\"M{left} {}H{right}\"/><text class=\"far\" x=\"{}\" y=\"{}\">{}</text>",
                number(place),
                left - 5.0,
                number(place + 3.5),
                short(tick)
            );
        }
        let _ = write!(
            out,
            "<text class=\"middle axis\" x=\"{}\" y=\"{}\">{}</text>\
             <text class=\"middle axis\" transform=\"translate(11 {}) rotate(-90)\">{}</text>",
            number((left + right) / 2.0),
            SIZE.1 - 6.0,
            escape(&self.x.label),
            number((top + bottom) / 2.0),
            escape(&self.y.label)
        );
        for series in &self.series {
            draw(out, series, &x, &y);
        }
        out.push_str("</svg>");
    }
}

fn colour(series: &Series) -> usize {
    series.colour % COLOURS
}

fn draw(out: &mut String, series: &Series, x: &Scale, y: &Scale) {
    let c = colour(series);
    let places = |points: &[(f64, f64)]| -> Vec<Option<(f64, f64)>> {
        points.iter().map(|p| Some((x.at(p.0)?, y.at(p.1)?))).collect()
    };
    match series.form {
        Form::Line | Form::Guide => {
            let class = if series.form == Form::Guide { "guide" } else { "line" };
            // A number that is none parts a line.
            for part in places(&thin(&series.points)).split(Option::is_none) {
                let points: Vec<String> =
                    part.iter().flatten().map(|p| format!("{},{}", number(p.0), number(p.1))).collect();
                if let [(x, y)] = part.iter().flatten().collect::<Vec<_>>()[..] {
                    let _ = write!(
                        out,
                        "<circle class=\"dot c{c}\" cx=\"{}\" cy=\"{}\" r=\"3\"/>",
                        number(*x),
                        number(*y)
                    );
                }
                if !points.is_empty() {
                    let _ = write!(
                        out,
                        "<polyline class=\"{class} c{c}\" data-name=\"{}\" points=\"{}\"/>",
                        escape(&series.name),
                        points.join(" ")
                    );
                }
            }
        }
        Form::Dots | Form::Rings => {
            let (class, r) = if series.form == Form::Dots { ("dot", 2.6) } else { ("ring", 4.5) };
            for (i, (px, py)) in
                places(&series.points).into_iter().enumerate().filter_map(|(i, p)| Some((i, p?)))
            {
                let _ = write!(
                    out,
                    "<circle class=\"{class} c{c}\" cx=\"{}\" cy=\"{}\" r=\"{r}\"",
                    number(px),
                    number(py)
                );
                match series.titles.get(i) {
                    Some(title) => {
                        let _ = write!(out, "><title>{}</title></circle>", escape(title));
                    }
                    None => out.push_str("/>"),
                }
            }
        }
        Form::Bars(width) => {
            for &(at, height) in &series.points {
                let (Some(a), Some(b), Some(t), Some(f)) =
                    (x.at(at), x.at(at + width), y.at(height), y.at(0.0))
                else {
                    continue;
                };
                let _ = write!(
                    out,
                    "<rect class=\"bar c{c}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{} to {}: {}</title></rect>",
                    number(a),
                    number(t),
                    number((b - a - 0.6).max(0.4)),
                    number((f - t).max(0.0)),
                    short(at),
                    short(at + width),
                    short(height)
                );
            }
        }
    }
}

/// The first, the least, the most and the last of every piece of a long line, in their order.
fn thin(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() <= 4 * PIECES {
        return points.to_vec();
    }
    let size = points.len().div_ceil(PIECES);
    let mut out = Vec::new();
    for piece in points.chunks(size) {
        let by = |wanted: fn(f64, f64) -> bool| {
            (0..piece.len()).fold(0, |best, i| if wanted(piece[i].1, piece[best].1) { i } else { best })
        };
        let mut chosen = [0, by(|a, b| a < b), by(|a, b| a > b), piece.len() - 1].to_vec();
        chosen.sort_unstable();
        chosen.dedup();
        out.extend(chosen.into_iter().map(|i| piece[i]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_round_numbers() {
        let ticks = |low, high, log| {
            let axis = Axis { range: Some((low, high)), log, ..Axis::default() };
            Scale::new(&axis, &mut std::iter::empty(), (0.0, 1.0)).ticks()
        };
        assert_eq!(ticks(0.0, 1.0, false), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks(-3.0, 41.0, false), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(ticks(1.0, 500.0, true), [1.0, 10.0, 100.0]);
        assert_eq!(ticks(0.2, 0.5, true).first(), Some(&0.2));
        let same = Scale::new(&Axis::default(), &mut [7.0, 7.0].into_iter(), (0.0, 1.0));
        assert!(same.low < 7.0 && 7.0 < same.high && !same.ticks().is_empty());
        let nothing = Scale::new(&Axis::default(), &mut [f64::NAN].into_iter(), (0.0, 1.0));
        assert_eq!(nothing.ticks().len(), 6);
    }

    #[test]
    fn long_lines_keep_what_sticks_out() {
        let mut points: Vec<(f64, f64)> = (0..100_000).map(|i| (f64::from(i), 1.0)).collect();
        points[54_321].1 = 9.0;
        points[77_777].1 = -9.0;
        let thin = thin(&points);
        assert!(thin.len() <= 4 * PIECES && thin.first() == points.first() && thin.last() == points.last());
        assert!(thin.contains(&(54_321.0, 9.0)) && thin.contains(&(77_777.0, -9.0)));
        assert!(thin.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn what_is_no_number_is_not_drawn() {
        let mut chart = Chart { title: "a <b>".into(), ..Chart::default() };
        let points = vec![(1.0, 1.0), (2.0, f64::NAN), (3.0, f64::INFINITY), (4.0, 2.0)];
        chart.series.push(Series::new("x", 0, Form::Line, points.clone()));
        chart.series.push(Series::new("", 1, Form::Dots, points));
        let figure = chart.figure();
        assert!(!figure.contains("NaN") && !figure.contains("inf"), "{figure}");
        // A line of one point is a dot.
        assert_eq!((figure.matches("<polyline").count(), figure.matches("<circle").count()), (2, 4));
        assert!(figure.contains("a &lt;b&gt;"));
    }
}
