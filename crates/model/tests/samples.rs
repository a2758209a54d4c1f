//! The sample programs of the language become graphs that verify, with as many weights as promised.
#![allow(clippy::unwrap_used)]

mod common;

use common::{classes, numbers, render, spec_of};
use nnc_graph::{Role, text, verify};
use nnc_model::{Options, Port, Ports};
use std::path::Path;

fn data(inputs: Vec<Port>, targets: Vec<Port>) -> Ports {
    Ports { inputs, targets, weighted: false, has_valid: true, samples: 1000, ..Ports::default() }
}

/// Each program, its data, and how many numbers it learns, where that is promised.
fn samples() -> Vec<(&'static str, Ports, Option<usize>)> {
    let one = |input: Port, target: Port| data(vec![input], vec![target]);
    vec![
        ("xor", one(numbers("input", &[2]), numbers("target", &[1])), Some(65)),
        ("one", one(numbers("input", &[2]), numbers("target", &[1])), Some(65)),
        ("xor-experiments", one(numbers("input", &[2]), numbers("target", &[1])), Some(65)),
        ("iris", one(numbers("input", &[4]), classes("species", &[], 3)), Some(131)),
        ("regression", one(numbers("input", &[9]), numbers("price", &[1])), Some(10)),
        ("fashion", one(numbers("input", &[28, 28, 1]), classes("target", &[], 10)), Some(225_034)),
        ("resnet", one(numbers("input", &[32, 32, 3]), classes("target", &[], 10)), None),
        ("charlstm", one(classes("input", &[100], 65), classes("target", &[100], 65)), Some(242_945)),
        ("gpt", one(classes("input", &[64], 65), classes("target", &[64], 65)), Some(208_320)),
        ("custom", one(numbers("input", &[3]), numbers("target", &[1])), None),
        (
            "siamese",
            data(
                vec![numbers("left", &[28, 28, 1]), numbers("right", &[28, 28, 1])],
                vec![numbers("same", &[1])],
            ),
            None,
        ),
        ("autoencoder", one(numbers("image", &[28, 28, 1]), classes("label", &[], 10)), None),
        ("oscillator", data(vec![numbers("t", &[1])], Vec::new()), None),
    ]
}

#[test]
fn samples_become_graphs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../syntax/tests/programs");
    for (name, ports, weights) in samples() {
        let program = std::fs::read_to_string(folder.join(format!("{name}.nn"))).unwrap();
        let spec = spec_of(&program).unwrap_or_else(|e| panic!("{name}: {e}"));
        let model = spec
            .elaborate(&ports, &Options::default())
            .unwrap_or_else(|d| panic!("{name}: {}", render(&d, &spec.sources)));
        for graph in [&model.forward, &model.backward, &model.step, &model.eval, &model.init] {
            assert_eq!(verify(graph), Ok(()), "{name} {}", graph.name);
        }
        println!("{name}: {} nodes in a step, {} in evaluation", model.step.len(), model.eval.len());
        assert_eq!(&text::parse(&text::print(&model.step)).unwrap(), &model.step, "{name}");
        let learned = model.parameters.iter().filter(|p| p.role == Role::Weight);
        let learned: usize = learned.map(|p| p.shape.iter().product::<usize>()).sum();
        if let Some(weights) = weights {
            assert_eq!(learned, weights, "{name}");
        }
    }
}
