//! Drawings of all stages and the program beside them as one page that needs nothing else.
//!
//! Every drawing is laid out here, with all boxes closed and with what is in each; the page moves boxes apart as they are
//! opened. What the page knows is JSON in a script element that is not run; the page writes it as text, never as markup.

use crate::drawing::{Drawing, Item, Kind, Line};
use crate::layout::{self, Layout};
use crate::svg::{STYLE, about, band_name, class, escape};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../assets/page.html");
const PAGE_STYLE: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/page.js");

/// A stage of the compiler.
#[derive(Clone, PartialEq, Debug)]
pub struct Stage {
    /// Its name, such as `forward`.
    pub name: String,
    /// What it is, in a few words.
    pub about: String,
    /// Its drawing.
    pub drawing: Drawing,
}

/// What a page shows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// Names and texts of the program's files.
    pub files: Vec<(String, String)>,
    /// The stages.
    pub stages: Vec<Stage>,
    /// The stage that is seen first.
    pub first: usize,
    /// How deep boxes are open in the beginning; at 1, none is.
    pub depth: usize,
    /// What is searched in the beginning; may be empty.
    pub search: String,
}

/// The page.
pub fn print(page: &Page) -> String {
    let stages = page.stages.iter().map(|stage| {
        json!({
            "name": stage.name,
            "about": stage.about,
            "drawing": drawing(&stage.drawing, &layout::folded(&stage.drawing), &page.files),
        })
    });
    let data = json!({
        "files": page.files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect::<Vec<_>>(),
        "stages": stages.collect::<Vec<_>>(),
        "first": page.first,
        "depth": page.depth,
        "search": page.search,
    });
    let mut out = String::new();
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        out.push_str(before);
        match name {
            "title" => out.push_str(&escape(&page.title)),
            "style" => out.extend([STYLE, PAGE_STYLE]),
            "data" => out.push_str(&in_script(&data)),
            _ => out.push_str(SCRIPT),
        }
        rest = after;
    }
    out + rest
}

/// JSON that ends no script element and begins no comment, whatever is in it.
fn in_script(data: &Value) -> String {
    let text = data.to_string();
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            c => out.push(c),
        }
    }
    out
}

fn drawing(drawing: &Drawing, layout: &Layout, files: &[(String, String)]) -> Value {
    let items = drawing.items.iter().enumerate().map(|(i, item)| {
        let r = layout.boxes[i];
        let mut out = json!({
            "class": class(&Item { inside: None, ..item.clone() }),
            "lines": layout::lines(item),
            "r": [short(r.x), short(r.y), short(r.w), short(r.h)],
            "round": if item.kind == Kind::Data { 14 } else { 6 },
            "about": about(item),
            "own": numbers(&item.lines, files),
            "also": numbers(&item.also, files),
        });
        if let (Some(within), Some(lies), Some(out)) = (&item.inside, &layout.inside[i], out.as_object_mut())
        {
            out.insert("in".into(), self::drawing(within, lies, files));
        }
        out
    });
    let edges = layout.wires.iter().map(|wire| {
        let e = &drawing.edges[wire.edge];
        json!({
            "from": e.from,
            "to": e.to,
            "across": wire.across,
            "label": wire.label,
            "p": wire.points.iter().flat_map(|&(x, y)| [short(x), short(y)]).collect::<Vec<f64>>(),
        })
    });
    json!({
        "w": short(layout.width),
        "h": short(layout.height),
        "bands": layout.bands.iter().map(|(band, y)| json!([band_name(*band), short(*y)])).collect::<Vec<_>>(),
        "items": items.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
    })
}

/// Lines counted through all files, from 0, as the page counts them.
fn numbers(lines: &[Line], files: &[(String, String)]) -> Vec<usize> {
    let number = |line: &Line| {
        let mut before = 0;
        for (name, text) in files {
            let count = text.split('\n').count();
            let at = (line.line as usize).checked_sub(1)?;
            if *name == line.file {
                return (at < count).then_some(before + at);
            }
            before += count;
        }
        None
    };
    lines.iter().filter_map(number).collect()
}

fn short(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}
