//! Whole files: rows, answers, names that end texts elsewhere, and bytes.

use super::proto::{Attr, Data, Elem, Graph, Model, Node, Port, Size, Tensor};
use super::tests::python;
use super::{File, Options, export};
use crate::package::{Answer, Column, Encoding, Input, Package, Step, Weights};
use nnc_graph::{Builder, DType, Dim, DotDims, OutputKind, Role, Type};
use std::collections::BTreeMap;
use std::process::Command;

const HOSTILE: [&str; 9] = [
    "a\"b",
    "new\nline",
    "../../etc/passwd",
    "größe 価格 🦀",
    "",
    "\u{0}\u{7}",
    "valid",
    "x'); --",
    "output",
];

/// Rows of numbers and words, of which the network says each number again: `inputs` in, as many out.
fn package(float: DType) -> Package {
    let names = HOSTILE;
    let classes: Vec<String> = ["a\"b", "new\nline", "größe", "other"].map(String::from).to_vec();
    let columns = vec![
        (
            names[0],
            Encoding::Number {
                steps: vec![Step::Log, Step::Shift { minus: 0.5, over: 2.0 }],
                fill: Some(3.0),
                indicator: true,
            },
        ),
        (names[1], Encoding::Number { steps: vec![], fill: None, indicator: false }),
        (names[2], Encoding::Number { steps: vec![], fill: Some(7.0), indicator: false }),
        (
            names[3],
            Encoding::OneHot { classes: classes.clone(), other: Some(3), fill: Some(0), indicator: true },
        ),
        (names[4], Encoding::Class { classes: classes.clone(), other: None, fill: None }),
    ];
    let mut offset = 0;
    let columns: Vec<Column> = columns
        .into_iter()
        .map(|(name, encoding)| {
            let column = Column { name: name.into(), part: None, offset, encoding };
            offset += column.encoding.width(1);
            column
        })
        .collect();
    let width = offset;
    let mut b = Builder::new("g", float);
    let x = b.parameter(Role::Input, names[5], Type::new(float, [Dim::Batch, width.into()]));
    let w = b.parameter(Role::Weight, names[5], Type::new(float, [width.into(), width.into()]));
    let dims = DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() };
    let y = b.dot(x, w, dims);
    b.output(OutputKind::Prediction, names[6], y);
    let last = b.slice(y, vec![0, width - 1], vec![Dim::Batch, 1.into()]);
    b.output(OutputKind::Prediction, names[7], last);
    let mut one = vec![0.0; width * width];
    (0..width).for_each(|i| one[i * width + i] = 1.0);
    let mut scaling = vec![Vec::new(); width];
    scaling[0] = vec![Step::Log, Step::Shift { minus: 0.5, over: 2.0 }];
    scaling[1] = vec![Step::Shift { minus: 10.0, over: 2.0 }];
    scaling[2] = vec![Step::Shift { minus: 0.0, over: 3.0 }];
    Package {
        name: "../\n".into(),
        graph: b.finish(),
        weights: BTreeMap::from([(names[5].into(), Weights { dims: vec![width, width], values: one })]),
        inputs: vec![Input {
            name: names[5].into(),
            shape: vec![width],
            dtype: float,
            columns,
            rows: None,
            what: names[1].into(),
            classes: None,
        }],
        answers: vec![
            Answer { name: names[6].into(), shape: vec![width], classes: None, steps: None, scaling },
            Answer {
                name: names[7].into(),
                shape: vec![1],
                classes: Some(vec![names[1].into(), names[3].into()]),
                steps: None,
                scaling: vec![],
            },
        ],
        about: HOSTILE.iter().map(|n| (n.to_string(), n.to_string())).collect(),
    }
}

const ASK: &str = r#"
import sys
import numpy as np
import onnx
import onnxruntime

folder = sys.argv[1]
for precision in ["single", "double"]:
    path = f"{folder}/{precision}.onnx"
    onnx.checker.check_model(onnx.load(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    nan = float("nan")
    rows = [
        [2.0, 1.0, 4.0, "größe", "new\nline"],
        [nan, 1.0, nan, "", "größe"],
        [2.0, 1.0, 4.0, "never seen", "a\"b"],
        [2.0, nan, 4.0, "größe", "a\"b"],
        [2.0, 1.0, 4.0, "größe", "never seen"],
        [2.0, 1.0, 4.0, "größe", ""],
        [0.0, 1.0, 4.0, "größe", "a\"b"],
    ]
    inputs = session.get_inputs()
    feed = {}
    for k, i in enumerate(inputs):
        column = [row[k] for row in rows]
        feed[i.name] = np.array(column, object if i.type == "tensor(string)" else np.float64)
    for o, x in zip(session.get_outputs(), session.run(None, feed)):
        print([o.name, x.tolist()])
"#;

#[test]
fn names_that_end_texts_elsewhere() {
    let mut texts = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    for (file, float) in [("single", DType::F32), ("double", DType::F64)] {
        let File { bytes, text, .. } = export(&package(float), &Options::default()).unwrap();
        std::fs::write(folder.path().join(format!("{file}.onnx")), bytes).unwrap();
        texts.push(text);
    }
    let inputs: Vec<&str> =
        texts[0].lines().filter_map(|l| l.strip_prefix("  input ")?.split(" : ").next()).collect();
    assert_eq!(
        inputs,
        ["\"a\\\"b\"", "\"new line\"", "\"../../etc/passwd\"", "\"größe 価格 🦀\"", "\"unnamed\""]
    );
    let outputs: Vec<&str> =
        texts[0].lines().filter_map(|l| l.strip_prefix("  output ")?.split(" : ").next()).collect();
    assert_eq!(outputs, ["\"valid\"", "\"x'); --\"", "\"x'); --_name\"", "\"valid_2\""]);
    let Some(python) = python() else { return };
    std::fs::write(folder.path().join("ask.py"), ASK).unwrap();
    let ran = Command::new(python).arg(folder.path().join("ask.py")).arg(folder.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let said = String::from_utf8(ran.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    let gap = format!("[{}]", ["nan"; 10].join(", "));
    for (i, each) in lines.chunks(4).enumerate() {
        let numbers = each[0].strip_prefix("['valid', [").unwrap();
        let rows: Vec<&str> = numbers.trim_end_matches("]]").split("], ").collect();
        // The scaling is undone: the number itself; and (4 · 3) of a column without one.
        let first: Vec<f64> =
            rows[0].trim_matches(['[', ']']).split(", ").map(|x| x.parse().unwrap()).collect();
        let wanted = [2.0, 10.0, 3.0, 4.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0];
        let near = if i == 0 { 1e-6 } else { 1e-12 };
        assert!(first.iter().zip(wanted).all(|(a, b)| (a - b).abs() < near), "{first:?}");
        let second: Vec<f64> =
            rows[1].trim_matches(['[', ']']).split(", ").map(|x| x.parse().unwrap()).collect();
        let wanted = [3.0, 12.0, 3.0, 7.0, 1.0, 0.0, 0.0, 0.0, 1.0, 2.0];
        assert!(second.iter().zip(wanted).all(|(a, b)| (a - b).abs() < near), "{second:?}");
        assert_eq!(rows[3].trim_start_matches('[').trim_end_matches(']'), gap.trim_matches(['[', ']']));
        assert_eq!(
            each[2],
            "[\"x'); --_name\", ['größe 価格 🦀', 'größe 価格 🦀', 'new\\nline', '', '', '', '']]"
        );
        assert_eq!(each[3], "['valid_2', [True, True, True, False, False, False, False]]");
    }
    assert_eq!(lines.len(), 8, "{said}");
}

/// Field by field, so that this holds where no Python is.
#[test]
fn the_bytes_are_those_of_the_format() {
    let port = Port {
        name: "x".into(),
        elem: Elem::Float,
        shape: vec![Size::Batch, Size::Of(300)],
        doc: String::new(),
    };
    let node = Node {
        name: "n".into(),
        op: "Cast",
        inputs: vec!["x".into()],
        outputs: vec!["y".into()],
        attrs: vec![("to", Attr::Int(-1)), ("l", Attr::Ints(vec![1, 2])), ("t", Attr::Text("s".into()))],
        doc: String::new(),
    };
    let tensor = |elem, data| Tensor { name: "w".into(), elem, dims: vec![1], data, weight: true };
    let model = Model {
        ir: 9,
        opset: 19,
        producer: "nnc".into(),
        version: String::new(),
        doc: String::new(),
        graph: Graph {
            name: "g".into(),
            nodes: vec![node],
            constants: vec![
                tensor(Elem::Float, Data::Numbers(vec![1.0])),
                tensor(Elem::Text, Data::Texts(vec!["é".into()])),
            ],
            inputs: vec![port],
            ..Graph::default()
        },
        about: vec![("k".into(), "v".into())],
    };
    let minus_one = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let to = [&[0x0a, 2, b't', b'o', 0x18][..], &minus_one, &[0xa0, 1, 2]].concat();
    let list = [0x0a, 1, b'l', 0x40, 1, 0x40, 2, 0xa0, 1, 7];
    let text = [0x0a, 1, b't', 0x22, 1, b's', 0xa0, 1, 3];
    let mut node = vec![0x0a, 1, b'x', 0x12, 1, b'y', 0x1a, 1, b'n', 0x22, 4, b'C', b'a', b's', b't'];
    for attr in [&to[..], &list, &text] {
        node.extend([&[0x2a, attr.len() as u8][..], attr].concat());
    }
    let float = [8, 1, 0x10, 1, 0x42, 1, b'w', 0x4a, 4, 0, 0, 0x80, 0x3f];
    let words = [8, 1, 0x10, 8, 0x42, 1, b'w', 0x32, 2, 0xc3, 0xa9];
    let shape = [&[0x0a, 7, 0x12, 5][..], b"batch", &[0x0a, 3, 8, 0xac, 2]].concat();
    let ty = [&[8, 1, 0x12, shape.len() as u8][..], &shape].concat();
    let port = [&[0x0a, 1, b'x', 0x12, ty.len() as u8 + 2, 0x0a, ty.len() as u8][..], &ty].concat();
    let mut graph = Vec::new();
    for (key, part) in [(0x0a, &node[..]), (0x12, b"g"), (0x2a, &float), (0x2a, &words), (0x5a, &port)] {
        graph.extend([&[key, part.len() as u8][..], part].concat());
    }
    let wanted = [
        &[8, 9, 0x12, 3][..],
        b"nnc",
        &[0x3a, graph.len() as u8],
        &graph,
        &[0x42, 4, 0x0a, 0, 0x10, 19, 0x72, 6, 0x0a, 1, b'k', 0x12, 1, b'v'],
    ]
    .concat();
    assert_eq!(model.bytes(), wanted);
}

#[test]
fn a_weight_that_is_missing_is_said() {
    let mut package = package(DType::F32);
    package.weights.clear();
    let why = export(&package, &Options::default()).unwrap_err();
    assert!(why.contains("has no weight"), "{why}");
}
