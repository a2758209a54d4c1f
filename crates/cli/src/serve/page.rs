//! The page of a server: the columns, and how it is asked.

use nnc_train::{Headings, Questions};
use serde_json::{Map, Value, json};

/// Categories that are shown of a column.
const SHOWN: usize = 12;

/// A page that needs nothing else.
pub fn page(name: &str, questions: &Questions, headings: &Headings) -> String {
    let mut columns = String::new();
    let mut example = Map::new();
    for (column, kind, categories) in questions.columns() {
        let mut about = kind.to_string();
        if !categories.is_empty() {
            let some: Vec<&str> = categories.iter().take(SHOWN).map(String::as_str).collect();
            let more = if categories.len() > SHOWN { ", …" } else { "" };
            about = format!("one of {}{more}", some.join(", "));
        }
        let value = match (categories.first(), kind) {
            (Some(first), _) => json!(first),
            (None, "date") => json!("2024-01-31"),
            (None, "text") => json!("some words"),
            (None, _) => Value::from(1),
        };
        example.insert(column.to_string(), value);
        columns.push_str(&format!("<tr><td><code>{}</code><td>{}\n", escaped(column), escaped(&about)));
    }
    let outputs: Vec<String> =
        headings.outputs.iter().map(|h| format!("<code>{}</code>", escaped(&h.name))).collect();
    let body = json!({ "rows": [example] }).to_string().replace('\'', "'\\''");
    let curl = format!("curl -s http://HOST/predict -H 'Content-Type: application/json' -d '{body}'");
    let name = escaped(name);
    let outputs = outputs.join(", ");
    let curl = escaped(&curl);
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">\n\
         <title>{name}</title>\n\
         <style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:46rem;\
         margin:2rem auto;padding:0 1rem}}td{{padding:0 1rem 0 0;vertical-align:top}}\
         pre{{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid;padding:.5rem}}</style>\n\
         <h1>{name}</h1>\n<p>Columns that it reads:\n<table>{columns}</table>\n<p>It says {outputs}.\n\
         <pre>{curl}</pre>\n<p>Tables are asked about with <code>Content-Type: text/csv</code>.\n\
         <p><a href=/health>/health</a> <a href=/metrics>/metrics</a>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
