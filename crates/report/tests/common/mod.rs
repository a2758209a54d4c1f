//! Networks to draw.
#![allow(dead_code, clippy::unwrap_used)]

use nnc_model::{Model, Options, Overrides, Port, Ports, Spec};
use nnc_report::{Program, Site};
use std::path::Path;

/// A port of numbers.
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

/// A program with its graphs.
pub struct Net {
    pub name: String,
    pub model: Model,
    pub program: Program,
}

/// A network of a program and its data.
pub fn net(name: &str, text: &str, inputs: Vec<Port>, targets: Vec<Port>) -> Net {
    let ports =
        Ports { inputs, targets, weighted: false, has_valid: true, samples: 1000, ..Ports::default() };
    let file = format!("{name}.nn");
    let spec =
        Spec::read(&file, text, &Overrides::default()).unwrap_or_else(|(d, _)| panic!("{name}: {d:?}"));
    let model = spec.elaborate(&ports, &Options::default()).unwrap_or_else(|d| panic!("{name}: {d:?}"));
    let site = |row: &nnc_model::LayerRow| {
        let source = spec.sources.get(row.span.source);
        let at = |offset| {
            let (line, column) = source.line_column(offset);
            (line as u32, column as u32)
        };
        Site {
            name: row.name.clone(),
            file: source.name.clone(),
            start: at(row.span.start),
            end: at(row.span.end),
            text: row.text.clone(),
        }
    };
    let sites = model.layers.iter().map(site).collect();
    Net { name: name.into(), model, program: Program { sites, files: vec![(file, text.to_string())] } }
}

/// The programs of the repository, and a few that are hard to draw.
pub fn nets() -> Vec<Net> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../syntax/tests/programs");
    let read = |name: &str| std::fs::read_to_string(folder.join(format!("{name}.nn"))).unwrap();
    let mut out = Vec::new();
    let mut sample = |name: &str, input: Port, target: Port| {
        out.push(net(name, &read(name), vec![input], vec![target]));
    };
    sample("xor", numbers("input", &[2]), numbers("target", &[1]));
    sample("fashion", numbers("input", &[28, 28, 1]), classes("target", &[], 10));
    sample("resnet", numbers("input", &[32, 32, 3]), classes("target", &[], 10));
    sample("charlstm", classes("input", &[20], 65), classes("target", &[20], 65));
    sample("gpt", classes("input", &[64], 65), classes("target", &[64], 65));
    sample("custom", numbers("input", &[3]), numbers("target", &[1]));
    sample("autoencoder", numbers("image", &[28, 28, 1]), classes("label", &[], 10));
    let (left, right) = (numbers("left", &[28, 28, 1]), numbers("right", &[28, 28, 1]));
    out.push(net("siamese", &read("siamese"), vec![left, right], vec![numbers("same", &[1])]));
    out.push(net("oscillator", &read("oscillator"), vec![numbers("t", &[1])], Vec::new()));
    let cnn = "conv 32 3x3 relu; maxpool 2x2\nconv 64 3x3 relu; maxpool 2x2\ndropout 0.5\nflatten\ndense 10 softmax\nloss crossentropy; metrics accuracy";
    out.push(net("cnn", cnn, vec![numbers("input", &[28, 28, 1])], vec![classes("target", &[], 10)]));
    let skips = "a = dense 8 relu\nb = a -> dense 8 relu\nc = a + b -> dense 8 tanh\na + b + c -> tanh\ntanh\ndense 1\nloss mse";
    out.push(net("skips", skips, vec![numbers("input", &[4])], vec![numbers("target", &[1])]));
    let states = "h, c = question -> reshape 4x3 -> lstm 5 states\nanswer -> reshape 4x3 -> lstm 5 sequence start=[h, c]\nflatten\ndense 1\nloss mse";
    let inputs = vec![numbers("question", &[12]), numbers("answer", &[12])];
    out.push(net("states", states, inputs, vec![numbers("target", &[1])]));
    let norm = "dense 8; batchnorm; relu; dense 1; loss mse; optimizer adam; clip 1.0";
    out.push(net("batchnorm", norm, vec![numbers("input", &[4])], vec![numbers("target", &[1])]));
    out
}
