//! Several runs on one page.

use crate::page::boxes::{self, Spread};
use crate::page::chart::{Chart, Form, Series};
use crate::page::curves::{Curves, over_epochs, points};
use crate::page::frame::{Section, page};
use crate::page::run::{Figures, program};
use crate::page::text::{escape, figures, paragraph, short, table};

/// Lines in one chart.
const LINES: usize = 24;

/// What a page about several runs shows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Runs {
    /// Its title.
    pub title: String,
    /// What they are, in a line.
    pub about: String,
    /// The runs.
    pub runs: Vec<One>,
    /// Names and texts of the different programs.
    pub files: Vec<(String, String)>,
}

/// A run among others.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct One {
    /// What it is called.
    pub name: String,
    /// Its settings, by name.
    pub settings: Vec<(String, String)>,
    /// Its final figures.
    pub figures: Figures,
    /// Figures over its epochs.
    pub curves: Curves,
}

/// The page.
pub fn print(all: &Runs) -> String {
    let section = |id, title: &str, body| Section { id, title: title.into(), body };
    let sections = [
        section("figures", "Figures", finals(&all.runs)),
        section("settings", "Settings", settings(&all.runs)),
        section("curves", "Curves", curves(&all.runs)),
        section("program", "Programs", program(&all.files)),
    ];
    page(&all.title, &all.about, &sections)
}

/// Every name once, in the order in which they come.
fn names<'a>(all: impl Iterator<Item = &'a String>) -> Vec<&'a String> {
    let mut out: Vec<&String> = Vec::new();
    for name in all {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

fn finals(runs: &[One]) -> String {
    let names = names(runs.iter().flat_map(|r| &r.figures).map(|(n, _)| n));
    let head: Vec<String> =
        std::iter::once("run".into()).chain(names.iter().map(|n| n.to_string())).collect();
    let row = |run: &One| {
        let of =
            |name: &&String| run.figures.iter().find(|(n, _)| n == *name).map(|(_, x)| x.unwrap_or(f64::NAN));
        let cells = names.iter().map(|name| of(name).map_or(String::new(), short));
        std::iter::once(run.name.clone()).chain(cells).collect()
    };
    table(&head, &runs.iter().map(row).collect::<Vec<Vec<String>>>())
}

/// The settings that differ as a table, and those that do not in a line.
fn settings(runs: &[One]) -> String {
    let of = |run: &One, name: &String| {
        run.settings.iter().find(|(n, _)| n == name).map_or(String::new(), |(_, v)| v.clone())
    };
    let (differ, alike): (Vec<&String>, Vec<&String>) =
        names(runs.iter().flat_map(|r| &r.settings).map(|(n, _)| n))
            .into_iter()
            .partition(|name| runs.iter().any(|r| of(r, name) != of(&runs[0], name)));
    let head: Vec<String> =
        std::iter::once("run".into()).chain(differ.iter().map(|n| n.to_string())).collect();
    let row =
        |run: &One| std::iter::once(run.name.clone()).chain(differ.iter().map(|n| of(run, n))).collect();
    let mut out = String::new();
    if !differ.is_empty() {
        out.push_str(&table(&head, &runs.iter().map(row).collect::<Vec<Vec<String>>>()));
    }
    let same: Vec<String> = alike.iter().map(|name| format!("{name} {}", of(&runs[0], name))).collect();
    if !same.is_empty() {
        out.push_str(&paragraph(&format!("Alike in all: {}.", same.join(", "))));
    }
    out
}

fn curves(runs: &[One]) -> String {
    let names = names(runs.iter().flat_map(|r| &r.curves.columns).map(|(n, _)| n));
    let chart = |name: &String| {
        let line = |(i, run): (usize, &One)| {
            let (_, values) = run.curves.columns.iter().find(|(n, _)| n == name)?;
            Some(Series::new(run.name.clone(), i, Form::Line, points(values)))
        };
        over_epochs(name, runs.iter().enumerate().take(LINES).filter_map(line).collect())
    };
    let all: Vec<String> = names.into_iter().map(chart).map(|c: Chart| c.figure()).collect();
    let few = match runs.len() > LINES {
        true => paragraph(&format!("The first {LINES} of {} runs.", runs.len())),
        false => String::new(),
    };
    if all.is_empty() { String::new() } else { format!("{few}{}", figures(&all)) }
}

/// What a sweep came to.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sweep {
    /// Its title.
    pub title: String,
    /// What it is, in a line.
    pub about: String,
    /// The headings and the rows of its table: a row for each point.
    pub table: (Vec<String>, Vec<Vec<String>>),
    /// How the figures lie: for each figure a box for each point.
    pub figures: Vec<(String, Vec<Spread>)>,
    /// The name and the text of the program.
    pub files: Vec<(String, String)>,
    /// What was asked.
    pub facts: Vec<(String, String)>,
}

/// The page of a sweep.
pub fn print_sweep(sweep: &Sweep) -> String {
    let section = |id, title: &str, body| Section { id, title: title.into(), body };
    let boxes: Vec<String> = sweep.figures.iter().map(|(name, all)| boxes::figure(name, all)).collect();
    let about = "Boxes go from the lower to the upper quartile, with a line at the median, whiskers to the least and the most; dots are trainings.";
    let spread =
        if boxes.is_empty() { String::new() } else { format!("{}{}", paragraph(about), figures(&boxes)) };
    let facts: String = sweep
        .facts
        .iter()
        .map(|(name, value)| format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(value)))
        .collect();
    let sections = [
        section("points", "Points", table(&sweep.table.0, &sweep.table.1)),
        section("spread", "Spread", spread),
        section("program", "Program", program(&sweep.files)),
        section("run", "Sweep", format!("<dl>\n{facts}</dl>\n")),
    ];
    page(&sweep.title, &sweep.about, &sections)
}
