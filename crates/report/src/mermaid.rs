//! A drawing as source for Mermaid, which GitHub and many editors draw.

use crate::drawing::{Drawing, Item, Kind};
use std::fmt::Write as _;

/// A Mermaid flowchart; boxes that hold something are subgraphs.
pub fn print(drawing: &Drawing) -> String {
    let mut out = String::from("flowchart TD\n");
    inside(&mut out, drawing, "n", 1);
    out.push_str("  classDef data fill:#d5e8f7,stroke:#5b87ab,color:#111;\n");
    out.push_str("  classDef weights fill:#fde9c9,stroke:#b98a35,color:#111;\n");
    out
}

fn inside(out: &mut String, drawing: &Drawing, prefix: &str, depth: usize) {
    let pad = "  ".repeat(depth);
    for (i, item) in drawing.items.iter().enumerate() {
        let name = format!("{prefix}{i}");
        match &item.inside {
            Some(within) => {
                let _ = writeln!(out, "{pad}subgraph {name}[\"{}\"]", label(&item.lines()));
                inside(out, within, &format!("{name}_"), depth + 1);
                let _ = writeln!(out, "{pad}end");
            }
            None => {
                let _ = writeln!(out, "{pad}{name}{}", node(item));
            }
        }
    }
    for e in &drawing.edges {
        let shape = if e.shape.is_empty() {
            String::new()
        } else {
            format!("|\"{}\"|", label(std::slice::from_ref(&e.shape)))
        };
        let _ = writeln!(out, "{pad}{prefix}{} -->{shape} {prefix}{}", e.from, e.to);
    }
}

fn node(item: &Item) -> String {
    let text = label(&item.lines());
    match item.kind {
        Kind::Data => format!("([\"{text}\"]):::data"),
        Kind::From | Kind::To => format!("([\"{text}\"])"),
        Kind::Layer | Kind::Operation if item.weights() > 0 => format!("[\"{text}\"]:::weights"),
        Kind::Layer | Kind::Operation => format!("[\"{text}\"]"),
    }
}

/// Text in quotes: what Mermaid would read as markup is written by number.
fn label(lines: &[String]) -> String {
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push_str("<br/>");
        }
        for c in line.chars() {
            match c {
                '"' | '<' | '>' | '&' | '#' | ';' | '`' | '*' | '_' | '\\' | '|' => {
                    let _ = write!(out, "#{};", c as u32);
                }
                c => out.push(c),
            }
        }
    }
    out
}
