//! The page of a run.

use crate::drawing::Drawing;
use crate::page::chart::{Axis, Chart, Form, Series};
use crate::page::classes::Classes;
use crate::page::curves::Curves;
use crate::page::frame::{Section, page};
use crate::page::importance::Importance;
use crate::page::numbers::{self, Numbers};
use crate::page::plane::Plane;
use crate::page::text::{bitmap, escape, figures, paragraph, short, table};
use crate::svg;
use std::fmt::Write as _;

/// Figures by name; what is no number is `None`.
pub type Figures = Vec<(String, Option<f64>)>;

/// What the page of a run shows; a section without content is left out.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Run {
    /// Its title.
    pub title: String,
    /// What came of it, in a line.
    pub about: String,
    /// What is missing, and why.
    pub notes: Vec<String>,
    /// The parts of the data with their figures by name.
    pub parts: Vec<(String, Figures)>,
    /// Figures over the epochs.
    pub curves: Curves,
    /// Which rows the answers are about, in a sentence.
    pub rows: String,
    /// What the network says of held-out rows, by output.
    pub answers: Vec<(String, Answers)>,
    /// The rows that it does worst on.
    pub worst: Worst,
    /// What the network says in the plane of its inputs, where they are two numbers.
    pub plane: Option<Plane>,
    /// Which columns matter.
    pub importance: Importance,
    /// How the weights lie.
    pub weights: Vec<Weights>,
    /// The network.
    pub network: Option<Drawing>,
    /// Names and texts of the program's files.
    pub files: Vec<(String, String)>,
    /// Settings, versions, times.
    pub facts: Vec<(String, String)>,
}

/// What an output says of rows.
#[derive(Clone, PartialEq, Debug)]
pub enum Answers {
    /// Classes.
    Classes(Classes),
    /// Numbers, column by column.
    Numbers(Vec<Numbers>),
}

/// Rows as a table, the worst first; some with a picture.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Worst {
    /// The headings of the cells.
    pub head: Vec<String>,
    /// The cells of every row, one for each heading.
    pub rows: Vec<Vec<String>>,
    /// The pictures of the rows, where what goes in is one.
    pub pictures: Vec<Picture>,
}

/// A picture.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Picture {
    /// Pixels beside each other.
    pub width: usize,
    /// Pixels above each other.
    pub height: usize,
    /// Red, green and blue of every pixel, row by row from the top.
    pub pixels: Vec<u8>,
}

/// How the numbers of a tensor of weights lie.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Weights {
    /// Its path.
    pub name: String,
    /// How many numbers it has.
    pub count: usize,
    /// The first edge of the bins and their width.
    pub bins: (f64, f64),
    /// How many are in each bin before the first step; empty where that is not known.
    pub start: Vec<usize>,
    /// How many are in each bin of the weights that were kept.
    pub end: Vec<usize>,
}

/// The page.
pub fn print(run: &Run) -> String {
    let section = |id, title: &str, body| Section { id, title: title.into(), body };
    let curves: Vec<String> = run.curves.charts().iter().map(Chart::figure).collect();
    let mut sections = vec![
        section("figures", "Figures", parts(run)),
        section("curves", "Curves", if curves.is_empty() { String::new() } else { figures(&curves) }),
    ];
    for (name, answers) in &run.answers {
        let title =
            |what: &str| if run.answers.len() > 1 { format!("{what}: {name}") } else { what.to_string() };
        let about = paragraph(&run.rows);
        let mut add = |id, what: &str, body: String| {
            let body = if body.is_empty() { body } else { format!("{about}{body}") };
            sections.push(Section { id, title: title(what), body });
        };
        match answers {
            Answers::Classes(classes) => {
                add("confusion", "Confusion", classes.confusion_section());
                add("roc", "ROC and calibration", classes.curves_section());
            }
            Answers::Numbers(columns) => add("residuals", "Predictions", numbers::section(columns)),
        }
    }
    let plane = |p: &Plane| format!("{}<div class=\"plane-of\">{}</div>\n", paragraph(&run.rows), p.figure());
    sections.extend([
        section("boundary", "In the plane", run.plane.as_ref().map_or(String::new(), plane)),
        section("importance", "Importance of columns", run.importance.section()),
        section("worst", "Worst rows", worst(run)),
        section("weights", "Weights", weights(&run.weights)),
        section("network", "Network", run.network.as_ref().map_or(String::new(), network)),
        section("program", "Program", program(&run.files)),
        section("run", "Run", facts(&run.facts)),
    ]);
    page(&run.title, &run.about, &sections)
}

fn parts(run: &Run) -> String {
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in run.parts.iter().flat_map(|(_, figures)| figures) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let head: Vec<String> =
        std::iter::once(String::new()).chain(names.iter().map(|n| n.to_string())).collect();
    let row = |(part, figures): &(String, Figures)| {
        let of =
            |name: &&String| figures.iter().find(|(n, _)| n == *name).map(|(_, x)| x.unwrap_or(f64::NAN));
        let cells = names.iter().map(|name| of(name).map_or(String::new(), short));
        std::iter::once(part.clone()).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = run.parts.iter().map(row).collect();
    let notes: String = run.notes.iter().map(|n| format!("<p class=\"note\">{}</p>\n", escape(n))).collect();
    format!("{}{notes}", if rows.is_empty() { String::new() } else { table(&head, &rows) })
}

fn worst(run: &Run) -> String {
    let worst = &run.worst;
    if worst.rows.is_empty() {
        return String::new();
    }
    let mut out = paragraph(&format!("The rows with the largest loss. {}", run.rows));
    if !worst.pictures.is_empty() {
        out.push_str("<div class=\"pictures\">\n");
        for (picture, cells) in worst.pictures.iter().zip(&worst.rows) {
            let told = worst.head.iter().zip(cells).map(|(head, cell)| format!("{head}: {cell}"));
            let told = escape(&told.collect::<Vec<_>>().join("; "));
            let _ = writeln!(
                out,
                "<figure><img alt=\"{told}\" width=\"96\" src=\"{}\"><figcaption>{told}</figcaption></figure>",
                bitmap(picture.width, picture.height, &[], &picture.pixels)
            );
        }
        out.push_str("</div>\n");
        return out;
    }
    out + &table(&worst.head, &worst.rows)
}

fn weights(all: &[Weights]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let chart = |w: &Weights| {
        let (begin, width) = w.bins;
        let at = |i: usize| begin + width * i as f64;
        let points = |counts: &[usize], shift: f64| -> Vec<(f64, f64)> {
            counts.iter().enumerate().map(|(i, n)| (at(i) + shift, *n as f64)).collect()
        };
        let mut series = vec![Series::new("kept", 0, Form::Bars(width), points(&w.end, 0.0))];
        if !w.start.is_empty() {
            series.push(Series::new("before the first step", 1, Form::Line, points(&w.start, width / 2.0)));
        }
        Chart {
            title: w.name.clone(),
            x: Axis::new("value"),
            y: Axis::new(format!("of {} numbers", w.count)),
            series,
            ..Chart::default()
        }
    };
    let charts: Vec<String> = all.iter().map(|w| chart(w).figure()).collect();
    let about = "How the numbers of every tensor of weights lie: those that were kept (bars), and those before the first step (line).";
    format!("{}{}", paragraph(about), figures(&charts))
}

fn network(drawing: &Drawing) -> String {
    format!("<div class=\"wide\">{}</div>\n", svg::print(&drawing.closed(1)))
}

/// The texts of programs with numbers of lines.
pub(crate) fn program(files: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, text) in files {
        let _ = write!(out, "<h3>{}</h3>\n<ol class=\"program\">", escape(name));
        for line in text.trim_end_matches('\n').split('\n') {
            let _ = write!(out, "<li>{}</li>", escape(line.trim_end_matches('\r')));
        }
        out.push_str("</ol>\n");
    }
    out
}

fn facts(facts: &[(String, String)]) -> String {
    let mut out = String::new();
    for (name, value) in facts {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(value));
    }
    if out.is_empty() { out } else { format!("<dl>\n{out}</dl>\n") }
}
