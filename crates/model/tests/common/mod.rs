//! Ports for programs under test, without any data.

use nnc_model::{Model, Options, Overrides, Port, Ports, Spec};
use nnc_syntax::{Diagnostic, SourceMap};

/// A port of numbers.
#[allow(dead_code)]
pub fn numbers(name: &str, shape: &[usize]) -> Port {
    Port {
        name: name.into(),
        shape: shape.to_vec(),
        classes: None,
        about: "rows".into(),
        ragged: false,
        padded: false,
    }
}

/// A port of classes.
#[allow(dead_code)]
pub fn classes(name: &str, shape: &[usize], n: usize) -> Port {
    let names = (0..n).map(|i| format!("c{i}")).collect();
    Port {
        name: name.into(),
        shape: shape.to_vec(),
        classes: Some(names),
        about: "rows".into(),
        ragged: false,
        padded: false,
    }
}

/// Data with one input and one target.
#[allow(dead_code)]
pub fn ports(input: Port, target: Port) -> Ports {
    Ports {
        inputs: vec![input],
        targets: vec![target],
        weighted: false,
        has_valid: false,
        samples: 4,
        ..Ports::default()
    }
}

/// Reads and elaborates.
#[allow(dead_code)]
pub fn build(text: &str, ports: &Ports) -> Result<Model, (Vec<Diagnostic>, SourceMap)> {
    let spec = Spec::read("test.nn", text, &Overrides::default())?;
    spec.elaborate(ports, &Options::default()).map_err(|d| (d, spec.sources.clone()))
}

/// Diagnostics as plain text.
#[allow(dead_code)]
pub fn render(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let mut out = String::new();
    for d in diagnostics {
        out += &format!("{:?}[{}]: {}\n", d.severity, d.code, d.message);
        for l in &d.labels {
            out += &format!("  at {} `{}`: {}\n", sources.place(l.span), sources.slice(l.span), l.text);
        }
        for l in &d.related {
            out += &format!("  see {} `{}`: {}\n", sources.place(l.span), sources.slice(l.span), l.text);
        }
        for n in &d.notes {
            out += &format!("  = {n}\n");
        }
        for h in d.help.iter().flat_map(|h| h.lines()) {
            out += &format!("  help: {h}\n");
        }
    }
    out
}

pub mod definitions;
pub mod golden;
pub mod keras;
#[allow(dead_code)]
pub mod right;

/// Reads a program; its mistakes as a text.
#[allow(dead_code)]
pub fn spec_of(text: &str) -> Result<Spec, String> {
    Spec::read("test.nn", text, &Overrides::default()).map_err(|(d, s)| render(&d, &s))
}
