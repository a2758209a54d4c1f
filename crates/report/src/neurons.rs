//! A small network as neurons and connections: a circle for every number, a line for every weight.
//!
//! Of a trained one the lines have the colour of the sign of their weight, and are as thick as it is large; rings say the same of
//! biases.

use crate::svg::{escape, number};
use std::fmt::Write as _;

/// More neurons of one layer than this are no picture.
pub const MOST: usize = 40;

/// Between two columns.
const APART: f64 = 190.0;
/// Around the drawing, and above it for the heads.
const MARGIN: f64 = 20.0;
const HEAD: f64 = 40.0;
/// The thickest line.
const THICK: f64 = 4.0;
/// Columns of a letter, about.
const LETTER: f64 = 6.6;

const STYLE: &str = include_str!("../assets/neurons.css");

/// A layer.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Neurons {
    /// What stands above it: the words of the program, `dense 16 relu`.
    pub text: String,
    /// The name of its weights, `dense1`.
    pub name: String,
    /// How many neurons it has.
    pub units: usize,
    /// Its weights, those of a neuron before it for all of its own one after the other; empty where they are not known.
    pub weights: Vec<f64>,
    /// A bias for each; empty where there are none.
    pub biases: Vec<f64>,
}

/// A network.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Net {
    /// What it is called.
    pub title: String,
    /// A name for each number that goes in.
    pub inputs: Vec<String>,
    /// The layers.
    pub layers: Vec<Neurons>,
    /// A name for each number that comes out.
    pub outputs: Vec<String>,
}

/// The largest of some numbers, by their size.
fn largest<'a>(values: impl Iterator<Item = &'a f64>) -> f64 {
    values.fold(0.0, |m: f64, x| if x.is_finite() { m.max(x.abs()) } else { m })
}

/// Between two neurons of a column of so many.
fn step(units: usize) -> f64 {
    if units > 20 { 24.0 } else { 34.0 }
}

/// The circle of a neuron.
fn radius(units: usize) -> f64 {
    if units > 20 { 8.0 } else { 11.0 }
}

/// The picture.
pub fn svg(net: &Net) -> String {
    let units: Vec<usize> =
        std::iter::once(net.inputs.len()).chain(net.layers.iter().map(|l| l.units)).collect();
    let tall = units.iter().map(|n| *n as f64 * step(*n)).fold(0.0, f64::max);
    let wide = |names: &[String]| {
        let longest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
        longest.min(24) as f64 * LETTER + 14.0
    };
    let head = net.layers.last().map_or(0, |l| l.text.chars().count()).min(26) as f64 * LETTER * 0.55;
    let (left, right) = (wide(&net.inputs), wide(&net.outputs).max(head));
    let known = net.layers.iter().any(|l| !l.weights.is_empty());
    let width = 2.0 * MARGIN + left + right + APART * net.layers.len() as f64 + 2.0 * 11.0;
    let height = 2.0 * MARGIN + HEAD + tall + if known { 24.0 } else { 0.0 };
    let at = |column: usize, i: usize| {
        let n = units[column];
        let x = MARGIN + left + 11.0 + APART * column as f64;
        let y = MARGIN + HEAD + (tall - n as f64 * step(n)) / 2.0 + (i as f64 + 0.5) * step(n);
        (x, y)
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"neurons\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\">\n<title>{2}</title>\n<style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"{0}\" height=\"{1}\"/>\n",
        number(width),
        number(height),
        escape(&net.title)
    );
    for (at_layer, layer) in net.layers.iter().enumerate() {
        lines(&mut out, layer, &|from| at(at_layer, from), units[at_layer], &|to| at(at_layer + 1, to));
    }
    for (i, name) in net.inputs.iter().enumerate() {
        let (x, y) = at(0, i);
        circle(&mut out, (x, y), radius(units[0]), "input", name);
        label(&mut out, (x - radius(units[0]) - 6.0, y), "end", name);
    }
    for (at_layer, layer) in net.layers.iter().enumerate() {
        let most = largest(layer.biases.iter());
        for i in 0..layer.units {
            let place = at(at_layer + 1, i);
            let bias = layer.biases.get(i).copied();
            let (class, about) = match bias {
                None => ("neuron", format!("{}[{i}]", layer.name)),
                Some(b) => (
                    if b < 0.0 { "neuron minus" } else { "neuron plus" },
                    format!("{}.b[{i}] = {}", layer.name, short(b)),
                ),
            };
            let ring = bias.filter(|_| most > 0.0).map_or(1.2, |b| 1.2 + 2.4 * b.abs() / most);
            let _ = writeln!(
                out,
                "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\" style=\"stroke-width:{ring:.2}\"><title>{}</title></circle>",
                number(place.0),
                number(place.1),
                number(radius(layer.units)),
                escape(&about)
            );
        }
        let (x, _) = at(at_layer + 1, 0);
        let _ = writeln!(
            out,
            "<text class=\"head\" text-anchor=\"middle\" x=\"{}\" y=\"{}\">{}</text>",
            number(x),
            number(MARGIN + 12.0),
            escape(&cut(&layer.text, 26))
        );
    }
    for (i, name) in net.outputs.iter().enumerate() {
        let last = units.len() - 1;
        let (x, y) = at(last, i);
        label(&mut out, (x + radius(units[last]) + 6.0, y), "start", name);
    }
    if known {
        let _ = writeln!(
            out,
            "<text class=\"legend\" x=\"{}\" y=\"{}\"><tspan class=\"plus\">blue</tspan> above 0, <tspan class=\"minus\">orange</tspan> below; thick is far from 0; rings are biases</text>",
            number(MARGIN),
            number(height - MARGIN + 6.0)
        );
    }
    out.push_str("</svg>\n");
    out
}

/// The connections into a layer; the strong ones above the weak ones.
fn lines(
    out: &mut String,
    layer: &Neurons,
    from: &dyn Fn(usize) -> (f64, f64),
    before: usize,
    to: &dyn Fn(usize) -> (f64, f64),
) {
    let most = largest(layer.weights.iter());
    let mut all: Vec<(usize, usize, Option<f64>)> = (0..before)
        .flat_map(|i| (0..layer.units).map(move |j| (i, j)))
        .map(|(i, j)| (i, j, layer.weights.get(i * layer.units + j).copied()))
        .collect();
    all.sort_by(|a, b| a.2.unwrap_or(0.0).abs().total_cmp(&b.2.unwrap_or(0.0).abs()));
    for (i, j, weight) in all {
        let ((x1, y1), (x2, y2)) = (from(i), to(j));
        let share = weight.filter(|_| most > 0.0).map_or(0.0, |w| w.abs() / most);
        let class = match weight {
            None => "line",
            Some(w) if w < 0.0 => "line minus",
            Some(_) => "line plus",
        };
        let style = match weight {
            None => String::new(),
            Some(_) => format!(
                " style=\"stroke-width:{:.2};opacity:{:.2}\"",
                0.4 + THICK * share,
                0.15 + 0.85 * share
            ),
        };
        let about = weight.map_or_else(String::new, |w| {
            format!("<title>{}</title>", escape(&format!("{}.w[{i},{j}] = {}", layer.name, short(w))))
        });
        let _ = writeln!(
            out,
            "<path class=\"{class}\"{style} d=\"M{} {}L{} {}\">{about}</path>",
            number(x1),
            number(y1),
            number(x2),
            number(y2)
        );
    }
}

fn circle(out: &mut String, at: (f64, f64), r: f64, class: &str, about: &str) {
    let _ = writeln!(
        out,
        "<circle class=\"{class}\" cx=\"{}\" cy=\"{}\" r=\"{}\"><title>{}</title></circle>",
        number(at.0),
        number(at.1),
        number(r),
        escape(about)
    );
}

fn label(out: &mut String, at: (f64, f64), anchor: &str, text: &str) {
    let _ = writeln!(
        out,
        "<text text-anchor=\"{anchor}\" x=\"{}\" y=\"{}\">{}</text>",
        number(at.0),
        number(at.1 + 4.0),
        escape(&cut(text, 24))
    );
}

/// The beginning of a long text.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_string();
    }
    format!("{}…", text.chars().take(most - 1).collect::<String>())
}

/// Four digits.
fn short(x: f64) -> String {
    format!("{x:.4}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net() -> Net {
        Net {
            title: "x <or>".into(),
            inputs: vec!["a".into(), "b & c".into()],
            layers: vec![
                Neurons {
                    text: "dense 3 relu".into(),
                    name: "dense1".into(),
                    units: 3,
                    weights: vec![1.0, -2.0, 0.0, 0.5, 0.25, -0.5],
                    biases: vec![0.0, -1.0, 0.5],
                },
                Neurons { text: "dense 1".into(), name: "dense2".into(), units: 1, ..Neurons::default() },
            ],
            outputs: vec!["y".into()],
        }
    }

    #[test]
    fn every_weight_is_a_line_and_every_number_a_circle() {
        let text = svg(&net());
        assert_eq!(text.matches("<path").count(), 6 + 3);
        assert_eq!(text.matches("<circle").count(), 2 + 3 + 1);
        // The largest is the thickest, and negative.
        assert!(text.contains("class=\"line minus\" style=\"stroke-width:4.40;opacity:1.00\""), "{text}");
        assert!(text.contains("dense1.w[0,1] = -2.0000") && text.contains("dense1.b[1] = -1.0000"), "{text}");
        assert!(text.contains("b &amp; c") && text.contains("x &lt;or&gt;"));
        assert_eq!(text, svg(&net()));
    }
}
