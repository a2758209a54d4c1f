//! Box plots that lie: a row for each point of a sweep.

use crate::page::chart::{Axis, Scale};
use crate::page::text::{escape, number, short};
use std::fmt::Write as _;

/// The width, and where the names end and the boxes begin and end.
const WIDTH: f64 = 400.0;
const NAMES: f64 = 118.0;
const RIGHT: f64 = 390.0;
/// The height of a row.
const ROW: f64 = 24.0;
/// Characters of a name that have room.
const LETTERS: usize = 19;
/// Points that are drawn.
const POINTS: usize = 120;

/// How a figure of a point lies.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Spread {
    /// The point.
    pub label: String,
    /// Least, lower quartile, median, upper quartile, most; `None` where no training has the figure.
    pub quartiles: Option<[f64; 5]>,
    /// The value of every training, with what it is.
    pub values: Vec<(f64, String)>,
}

/// The box plots of a figure.
pub(crate) fn figure(name: &str, all: &[Spread]) -> String {
    let shown = all.get(..POINTS).unwrap_or(all);
    let values = || shown.iter().flat_map(|s| &s.values).map(|v| v.0).filter(|x| x.is_finite());
    let (low, high) = values().fold((f64::INFINITY, 0.0), |(a, b): (f64, f64), x| (a.min(x), b.max(x)));
    let axis = Axis { log: low > 0.0 && high > 50.0 * low, ..Axis::default() };
    let scale = Scale::new(&axis, &mut values(), (NAMES, RIGHT));
    let height = ROW * shown.len() as f64;
    let mut out = format!("<figure><figcaption><b>{}</b>", escape(name));
    if shown.len() < all.len() {
        let _ = write!(out, "<p>The first {} of {} points.</p>", shown.len(), all.len());
    }
    let _ = write!(
        out,
        "</figcaption><svg class=\"chart\" viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"{} of every point\">",
        number(height + 22.0),
        escape(name)
    );
    for tick in scale.ticks() {
        let Some(x) = scale.at(tick).map(number) else { continue };
        let _ = write!(
            out,
            "<path class=\"grid\" d=\"M{x} 0V{}\"/><text class=\"middle\" x=\"{x}\" y=\"{}\">{}</text>",
            number(height),
            number(height + 15.0),
            short(tick)
        );
    }
    for (i, spread) in shown.iter().enumerate() {
        row(&mut out, spread, ROW * (i as f64 + 0.5), &scale);
    }
    out.push_str("</svg></figure>\n");
    out
}

fn row(out: &mut String, spread: &Spread, y: f64, scale: &Scale) {
    let label: String = match spread.label.char_indices().nth(LETTERS) {
        Some((at, _)) => format!("{}…", &spread.label[..at]),
        None => spread.label.clone(),
    };
    let _ = write!(
        out,
        "<text class=\"far\" x=\"{}\" y=\"{}\">{}<title>{}</title></text>",
        NAMES - 8.0,
        number(y + 3.5),
        escape(&label),
        escape(&spread.label)
    );
    let places = spread.quartiles.map(|q| q.map(|x| scale.at(x)));
    if let Some([Some(least), Some(lower), Some(median), Some(upper), Some(most)]) = places {
        let (top, bottom) = (number(y - 7.0), number(y + 7.0));
        let [least, lower, median, upper, most, middle] = [least, lower, median, upper, most, y].map(number);
        let width = number(scale_width(&lower, &upper));
        let _ = write!(
            out,
            "<path class=\"whisker\" d=\"M{least} {middle}H{lower}M{upper} {middle}H{most}\"/>\
             <rect class=\"box0\" x=\"{lower}\" y=\"{top}\" width=\"{width}\" height=\"14\"/>\
             <path class=\"median\" d=\"M{median} {top}V{bottom}\"/>"
        );
    }
    for (value, what) in &spread.values {
        if let Some(x) = scale.at(*value) {
            let _ = write!(
                out,
                "<circle class=\"dot c1\" cx=\"{}\" cy=\"{}\" r=\"2.4\"><title>{}: {}</title></circle>",
                number(x),
                number(y),
                escape(what),
                short(*value)
            );
        }
    }
}

/// The width of a box whose sides are written with one digit.
fn scale_width(lower: &str, upper: &str) -> f64 {
    let read = |text: &str| text.parse::<f64>().unwrap_or(0.0);
    (read(upper) - read(lower)).max(0.5)
}
