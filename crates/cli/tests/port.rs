//! Programs of Keras and PyTorch, `tests/port/*.py`, and what they are here, beside them. `NNC_UPDATE=1` accepts what is
//! there now.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use std::fs;
use std::path::{Path, PathBuf};

/// A program, the shape of each input and what stands in it, the same of its targets, and how many weights Keras 3.15 or
/// PyTorch 2 count: those that learn.
type Case = (&'static str, &'static [Array], &'static [Array], usize);

/// A name, a shape for one sample, and how many classes its whole numbers are; 0 for numbers.
type Array = (&'static str, &'static [usize], usize);

const CASES: &[Case] = &[
    ("xor", &[], &[], 65),
    ("mlp", &[("x", &[28, 28, 1], 0)], &[("y", &[], 10)], 407_050),
    ("cnn", &[("x", &[28, 28, 1], 0)], &[("y", &[], 10)], 24_650),
    ("lstm", &[("x", &[80], 2000)], &[("y", &[1], 0)], 71_593),
    ("masked", &[("x", &[10], 50)], &[("y", &[1], 0)], 613),
    ("autoencoder", &[("x", &[28, 28, 1], 0)], &[], 7_569),
    ("two_inputs", &[("wide", &[8], 0), ("deep", &[5], 0)], &[("target", &[1], 0)], 1_149),
    ("residual", &[("x", &[32, 32, 3], 0)], &[("y", &[], 10)], 9_898),
    ("siamese", &[("left", &[6], 0), ("right", &[6], 0)], &[("target", &[1], 0)], 121),
    ("two_outputs", &[("x", &[7], 0)], &[("price_target", &[1], 0), ("sold_target", &[1], 0)], 162),
    ("pima", &[("x", &[8], 0)], &[("y", &[1], 0)], 221),
    ("subclass", &[("x", &[11], 0)], &[("y", &[1], 0)], 703),
    ("torch_mlp", &[], &[], 33),
    ("torch_cnn", &[("x", &[28, 28, 1], 0)], &[("y", &[], 10)], 365_418),
    ("torch_resnet", &[("x", &[32, 32, 3], 0)], &[("y", &[], 5)], 11_797),
    ("torch_lstm", &[("x", &[9], 50)], &[("y", &[], 4)], 3_436),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/port")
}

/// So many samples stand in for the data.
const ROWS: usize = 20;

/// An .npy file of some array: classes in turn, the last one too, or small numbers of 0 and 1.
fn npy(shape: &[usize], classes: usize) -> Vec<u8> {
    let sizes: Vec<String> = [ROWS].iter().chain(shape).map(|n| format!("{n},")).collect();
    let kind = if classes > 0 { "<i8" } else { "<f4" };
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}\n", sizes.concat());
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for i in 0..ROWS * shape.iter().product::<usize>() {
        match classes {
            0 => bytes.extend(f32::from(u8::from(i % 3 == 0)).to_le_bytes()),
            n => bytes.extend((if i == 0 { n as i64 - 1 } else { (i % n) as i64 }).to_le_bytes()),
        }
    }
    bytes
}

/// A zip archive of arrays that are stored as they are.
fn npz(arrays: &[(String, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, array) in arrays {
        let mut crc = flate2::Crc::new();
        crc.update(array);
        let (sum, size) = (crc.sum().to_le_bytes(), (array.len() as u32).to_le_bytes());
        let length = (name.len() as u16).to_le_bytes();
        let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sum, &size, &size, &length, &[0, 0]].concat();
        let at = (out.len() as u32).to_le_bytes();
        central.extend([b"PK\x01\x02\x14\0", &common[..], &[0; 10], &at, name.as_bytes()].concat());
        out.extend([b"PK\x03\x04", &common[..], name.as_bytes(), array].concat());
    }
    let count = (arrays.len() as u16).to_le_bytes();
    let (size, at) = ((central.len() as u32).to_le_bytes(), (out.len() as u32).to_le_bytes());
    out.extend(central);
    out.extend([&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &size, &at, &[0, 0]].concat());
    out
}

#[test]
fn programs_of_keras_and_pytorch_become_programs_here() {
    let update = std::env::var_os("NNC_UPDATE").is_some();
    for (name, ..) in CASES {
        let place = Place::new();
        let source = fs::read_to_string(folder().join(format!("{name}.py"))).unwrap();
        place.write("model.py", &source);
        let ran = place.nnc(&["import", "model.py"]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        let told: String = ran.err.lines().map(|l| format!("# {l}\n")).collect();
        let found = format!("{}\n{told}", ran.out);
        let expected = folder().join(format!("{name}.nn"));
        if update {
            fs::write(&expected, &found).unwrap();
        }
        assert_eq!(fs::read_to_string(&expected).unwrap(), found, "{name}");
        // The text is in the one usual form.
        place.write("model.nn", &ran.out);
        let formatted = place.nnc(&["fmt", "--check", "model.nn"]);
        assert_eq!(formatted.code, 0, "{name}: {}{}", formatted.out, formatted.err);
    }
    let mut there: Vec<String> =
        fs::read_dir(folder()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    there.retain(|n| n.ends_with(".py"));
    assert_eq!(there.len(), CASES.len(), "a program of tests/port is not in the table");
}

#[test]
fn translated_programs_have_as_many_weights_and_no_mistakes() {
    for (name, inputs, targets, weights) in CASES {
        let place = Place::new();
        let program = fs::read_to_string(folder().join(format!("{name}.nn"))).unwrap();
        let several = inputs.len() > 1 || targets.len() > 1 || *name == "autoencoder";
        let mut lines = Vec::new();
        for line in program.lines() {
            lines.push(match line.strip_prefix("# data ") {
                Some(rest) if several => format!("data {rest}"),
                Some(_) => "data npy \"x.npy\" -> \"y.npy\"".into(),
                None => line.to_string(),
            });
        }
        let all = inputs.iter().chain(*targets);
        let arrays = all.map(|(name, shape, classes)| (format!("{name}.npy"), npy(shape, *classes)));
        let arrays: Vec<(String, Vec<u8>)> = arrays.collect();
        fs::write(place.path("data.npz"), npz(&arrays)).unwrap();
        for (file, bytes) in &arrays {
            fs::write(place.path(file), bytes).unwrap();
        }
        place.write("model.nn", &lines.join("\n"));
        let ran = place.nnc(&["check", "model.nn"]);
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.out, ran.err);
        let ran = place.nnc(&["summary", "model.nn"]);
        let digits: String = weights.to_string();
        let shown = ran.out.replace(',', "");
        assert!(shown.contains(&format!("\n{digits} weights")), "{name}: {digits} are wanted\n{}", ran.out);
    }
}

#[test]
fn the_posts_script_becomes_its_program_and_trains() {
    let place = Place::new();
    let script = fs::read_to_string(folder().join("xor.py")).unwrap();
    place.write("post.py", &script);
    for command in ["train", "check", "summary"] {
        let ran = place.nnc(&[command, "post.py"]);
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert_eq!(ran.err.matches("error[").count(), 1, "{}", ran.err);
        assert!(ran.err.contains("`post.py` is a Keras program (Python)"), "{}", ran.err);
        assert!(
            ran.err.contains("dense 16 relu\n") && ran.err.contains("nnc import post.py -o post.nn"),
            "{}",
            ran.err
        );
    }
    // Pasted under our own ending, it is the same.
    place.write("pasted.nn", &script);
    let ran = place.nnc(&["check", "pasted.nn"]);
    assert!(ran.code == 2 && ran.err.matches("error[").count() == 1, "{}", ran.err);

    let ran = place.nnc(&["fix", "post.py"]);
    assert!(ran.code == 0 && ran.out.contains("post.nn is the same in nnc"), "{}{}", ran.out, ran.err);
    assert_eq!(fs::read_to_string(place.path("post.py")).unwrap(), script);
    let ran = place.nnc(&["check", "post.nn"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = place.nnc(&["train", "post.nn", "--seed", "1", "--epochs", "5"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn no_file_is_written_over() {
    let place = Place::new();
    let script = fs::read_to_string(folder().join("xor.py")).unwrap();
    place.write("post.py", &script);
    place.write("post.nn", "# mine\n");
    let ran = place.nnc(&["fix", "post.py"]);
    assert!(
        ran.out.contains("dense 16 relu") && ran.err.contains("post.nn is there already"),
        "{}{}",
        ran.out,
        ran.err
    );
    let ran = place.nnc(&["import", "post.py", "-o", "post.nn"]);
    assert!(ran.code == 2 && ran.err.contains("--overwrite"), "{}", ran.err);
    let ran = place.nnc(&["import", "post.py", "-o", "post.py", "--overwrite"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert_eq!(fs::read_to_string(place.path("post.nn")).unwrap(), "# mine\n");
    assert_eq!(fs::read_to_string(place.path("post.py")).unwrap(), script);
    let ran = place.nnc(&["import", "post.py", "-o", "post.nn", "--overwrite"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(fs::read_to_string(place.path("post.nn")).unwrap().contains("epochs 500"));
}

#[test]
fn every_line_that_is_left_is_named_with_its_reason() {
    let place = Place::new();
    let source = "import keras\nfrom keras import layers\nn = unknown()\nm = keras.Sequential([\n  layers.Dense(n, 'relu'),\n  \
                  layers.CenterCrop(2, 2),\n  layers.Dense(4, activation=my.snake),\n  layers.Dense(3)])\nif n:\n  m.add(layers.Dense(2))\n\
                  m.compile('ftrl', 'mse', metrics=[worst])\nm.fit(a, b, epochs=n, sample_weight=w)\nprint(m)\n";
    place.write("m.py", source);
    let ran = place.nnc(&["import", "m.py"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for (line, word) in [
        (5, "Dense"),
        (6, "CenterCrop"),
        (7, "activation"),
        (11, "optimizer"),
        (11, "worst"),
        (12, "sample_weight"),
        (13, "print"),
    ] {
        let named = ran.err.lines().any(|l| l.contains(&format!("m.py:{line}:")) && l.contains(word));
        assert!(named, "line {line}, {word}:\n{}", ran.err);
    }
}

#[test]
fn texts_that_are_no_network_say_so() {
    let place = Place::new();
    place.write("a.py", "import torch\nprint(torch.ones(3))\n");
    let ran = place.nnc(&["import", "a.py"]);
    assert!(ran.code == 2 && ran.err.contains("no network was found"), "{}", ran.err);
    place.write("b.py", "print('hello')\n");
    let ran = place.nnc(&["import", "b.py"]);
    assert!(ran.code == 2 && ran.err.contains("neither a program of Keras or PyTorch"), "{}", ran.err);
}
