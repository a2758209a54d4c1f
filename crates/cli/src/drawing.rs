//! What the stages look like as drawings.

use crate::stage::flat;
use nnc_backend::Executable;
use nnc_model::{Model, Spec};
use nnc_report::drawing::grouped;
use nnc_report::{Band, Drawing, Edge, Item, Kind, Line, Place, Program, Site};
use nnc_syntax::SourceMap;

/// The steps of the network and the texts of its files.
pub fn program(spec: &Spec, model: &Model) -> Program {
    let sources = &spec.sources;
    let site = |row: &nnc_model::LayerRow| {
        let source = sources.get(row.span.source);
        let at = |offset| {
            let (line, column) = source.line_column(offset);
            (line as u32, column as u32)
        };
        let text = flat(&row.text);
        Site {
            name: row.name.clone(),
            file: source.name.clone(),
            start: at(row.span.start),
            end: at(row.span.end),
            text,
        }
    };
    let rows = model.layers.iter().filter(|row| !row.span.is_empty());
    Program { sites: rows.map(site).collect(), files: files(sources) }
}

fn files(sources: &SourceMap) -> Vec<(String, String)> {
    sources.iter().map(|s| (s.name.clone(), s.text.to_string())).collect()
}

/// Names and texts of the program and of the files it uses, without those that every program has.
pub fn own_files(spec: &Spec) -> Vec<(String, String)> {
    let (own, set) = (nnc_model::PRELUDE.len(), "--set ");
    let files = spec.sources.iter().skip(own).filter(|s| !s.name.starts_with(set));
    files.map(|s| (s.name.clone(), s.text.to_string())).collect()
}

/// A syntax tree, one node a line, deeper ones indented, each with its place at the end.
pub fn tree(spec: &Spec, text: &str) -> Drawing {
    let mut out = Drawing { title: "ast".into(), ..Drawing::default() };
    let first = spec.program.stmts.first().map(|s| s.span.source);
    let main = first.map(|id| spec.sources.get(id).name.clone()).unwrap_or_default();
    let mut above: Vec<(usize, usize)> = Vec::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let indent = line.len() - line.trim_start().len();
        let (words, place) = split_place(&flat(line), &main);
        let (name, rest) = words.split_once(' ').unwrap_or((&words, ""));
        let mut item = Item::new(Kind::Operation, name);
        item.text = rest.into();
        item.lines = place.iter().map(|p| Line { file: p.file.clone(), line: p.line }).collect();
        item.place = place;
        while above.last().is_some_and(|(depth, _)| *depth >= indent) {
            above.pop();
        }
        if let Some(&(_, from)) = above.last() {
            out.edges.push(Edge { from, to: out.items.len(), shape: String::new() });
        }
        above.push((indent, out.items.len()));
        out.items.push(item);
    }
    out.edges.sort();
    out
}

/// `step dense 15:1` is `step dense`, line 15, column 1.
fn split_place(line: &str, file: &str) -> (String, Option<Place>) {
    let place = line.rsplit_once(' ').and_then(|(words, place)| {
        let (line, column) = place.split_once(':')?;
        let (line, column) = (line.parse().ok()?, column.parse().ok()?);
        Some((words.to_string(), Place { file: file.into(), line, column }))
    });
    match place {
        Some((words, place)) => (words, Some(place)),
        None => (line.to_string(), None),
    }
}

/// The instructions of a plan.
pub fn plan(plan: &dyn Executable, program: &Program) -> Drawing {
    let items = plan.operations().iter().enumerate().map(|(i, step)| {
        let mut item = Item::new(Kind::Operation, format!("{i} {}", step.kind));
        item.text = step.detail.clone();
        item.band = band(&step.origin.scope);
        item.nodes = step.nodes.iter().map(|n| n.index()).collect();
        item.flops = step.flops;
        let origin = &step.origin;
        if !origin.file.is_empty() {
            item.place =
                Some(Place { file: origin.file.to_string(), line: origin.line, column: origin.column });
        }
        let nodes = step.nodes.iter().map(|n| &*plan.graph().node(*n).origin);
        (item.lines, item.also) = program.lines(nodes.chain([&**origin]));
        let flops = if step.flops > 0 { format!("{} FLOPs, ", grouped(step.flops)) } else { String::new() };
        item.results = vec![format!("{flops}{} bytes", grouped(step.bytes))];
        item
    });
    nnc_report::parts(plan.graph(), "plan", items.collect())
}

/// An instruction has nodes of several lines; its own line says where it stands.
fn band(scope: &str) -> Band {
    match (scope.ends_with("(grad)"), scope.starts_with("optimizer")) {
        (true, _) => Band::Backward,
        (false, true) => Band::Update,
        (false, false) => Band::Forward,
    }
}
