//! The sample programs of the language train, as a user would train them, on data made up for the purpose: a few
//! steps, files where the programs look for them, and the result used.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, specs, zip};
use std::io::Write;
use std::path::Path;

/// A folder with the sample programs.
fn place(names: &[&str]) -> Place {
    let place = Place::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../syntax/tests/programs");
    for name in names {
        let name = format!("{name}.nn");
        std::fs::copy(folder.join(&name), place.path(&name)).unwrap();
    }
    place
}

/// Trains a few steps; every figure is a number, and the network can be used and looked at afterwards.
fn trains(place: &Place, args: &[&str]) -> f64 {
    let run = place.path("run").display().to_string();
    let args = [&["train", "--json", "-q", "--overwrite", "--out", &run], args].concat();
    let report = place.nnc(&args).json();
    let loss = report["loss"].as_f64().unwrap_or_else(|| panic!("{args:?}: {report}"));
    assert!(loss.is_finite() && report["weights"].as_u64().unwrap() > 0, "{args:?}: {report}");
    for (name, figure) in report["metrics"].as_object().unwrap() {
        assert!(figure.as_f64().is_some_and(f64::is_finite), "{args:?}: {name} {report}");
    }
    let said = place.nnc(&["predict", &run]).fine();
    assert!(said.lines().count() > 1 && !said.contains("NaN"), "{args:?}: {said}");
    let again = place.nnc(&["eval", &run, "--json"]).json();
    assert!(again["loss"].as_f64().is_some_and(f64::is_finite), "{args:?}: {again}");
    loss
}

/// Some number from 0 to 255 that looks like noise.
fn byte(i: usize) -> u8 {
    ((i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8
}

/// An IDX file of bytes, packed.
fn idx(place: &Place, name: &str, dims: &[u32], bytes: impl Iterator<Item = u8>) {
    let file = std::fs::File::create(place.path(name)).unwrap();
    let mut file = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    file.write_all(&[0, 0, 8, dims.len() as u8]).unwrap();
    dims.iter().for_each(|d| file.write_all(&d.to_be_bytes()).unwrap());
    file.write_all(&bytes.collect::<Vec<u8>>()).unwrap();
    file.finish().unwrap();
}

/// Pictures of noise with a bright column where their label says, in the files of Fashion-MNIST.
fn digits(place: &Place) {
    for (part, n) in [("train", 40), ("t10k", 10)] {
        let pixel = move |i: usize| {
            let (picture, x) = (i / 784, i % 28);
            if x / 2 == picture % 10 { 255 } else { byte(i) / 8 }
        };
        idx(place, &format!("{part}-images-idx3-ubyte.gz"), &[n, 28, 28], (0..n as usize * 784).map(pixel));
        idx(place, &format!("{part}-labels-idx1-ubyte.gz"), &[n], (0..n).map(|i| (i % 10) as u8));
    }
}

/// Characters in windows.
fn text(place: &Place) {
    place.write("shakespeare.txt", &"To be, or not to be: that is the question.\n".repeat(30));
}

#[test]
fn one_line_with_a_table() {
    let place = place(&["one"]);
    place.write("xor.csv", "a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n");
    let early = trains(&place, &["one.nn", "--data", "xor.csv", "--epochs", "1"]);
    let late = trains(&place, &["one.nn", "--data", "xor.csv", "--epochs", "1000"]);
    assert!(late < early / 2.0, "{early} {late}");
}

#[test]
fn xor_and_its_experiments() {
    let place = place(&["xor", "xor-experiments"]);
    assert!(trains(&place, &["xor.nn"]) < 0.2);
    for experiment in ["wide", "deep", "wider", "straight"] {
        trains(&place, &["xor-experiments.nn", "--as", experiment, "--epochs", "300"]);
    }
}

#[test]
fn iris() {
    let place = place(&["iris"]);
    let row = |i: usize| {
        let kind = i % 3;
        format!("{i},{}.{},{kind}.5,{}.2,0.{kind},kind{kind}\n", 4 + kind, i % 10, 3 - kind)
    };
    let rows: String = (0..60).map(row).collect();
    place.write("iris.csv", &format!("id,sepal_length,sepal_width,petal_length,petal_width,species\n{rows}"));
    assert!(trains(&place, &["iris.nn"]) < 0.2);
}

#[test]
fn regression_with_missing_values() {
    let place = place(&["regression"]);
    let row = |i: usize| {
        let age = if i.is_multiple_of(7) { String::new() } else { (i * 3 % 40).to_string() };
        format!("{},{},{age},{},{}\n", 50 + i, i % 5, ["north", "south", "east"][i % 3], (50 + i) * 3000)
    };
    let rows: String = (0..40).map(row).collect();
    place.write("houses.csv", &format!("area,rooms,age,district,price\n{rows}"));
    let early = trains(&place, &["regression.nn", "--epochs", "1"]);
    let late = trains(&place, &["regression.nn"]);
    assert!(late < early / 10.0, "{early} {late}");
}

#[test]
fn custom_layers_and_losses() {
    let place = place(&["custom"]);
    let row = |i: usize| {
        let x = i as f64 / 10.0;
        format!("{x},{},{},{:.4}\n", (x * 0.5).cos(), i % 3, x.sin())
    };
    let rows: String = (0..80).map(row).collect();
    place.write("waves.csv", &format!("a,b,c,y\n{rows}"));
    let early = trains(&place, &["custom.nn", "--epochs", "1"]);
    let late = trains(&place, &["custom.nn", "--epochs", "150"]);
    assert!(late < 0.6 * early, "{early} {late}");
    trains(&place, &["custom.nn", "--set", "head=mixture", "--epochs", "3"]);
}

#[test]
fn fashion() {
    let place = place(&["fashion"]);
    digits(&place);
    let early = trains(&place, &["fashion.nn", "--batch", "8", "--epochs", "1"]);
    let late = trains(&place, &["fashion.nn", "--batch", "8", "--epochs", "8"]);
    assert!(late < early / 2.0, "{early} {late}");
}

#[test]
fn autoencoder() {
    let place = place(&["autoencoder"]);
    digits(&place);
    trains(&place, &["autoencoder.nn", "--batch", "8", "--epochs", "2"]);
    let said = place.nnc(&["predict", "run", "--json"]).fine();
    assert!(said.contains("picture") && said.contains("digit"), "{}", &said[..said.len().min(300)]);
}

#[test]
fn resnet() {
    let place = place(&["resnet"]);
    for (part, n) in [("train", 2), ("test", 1)] {
        for class in 0..10 {
            let folder = place.path(&format!("cifar10/{part}/class{class}"));
            std::fs::create_dir_all(&folder).unwrap();
            for i in 0..n {
                let file = std::fs::File::create(folder.join(format!("{i}.png"))).unwrap();
                let mut png = png::Encoder::new(file, 32, 32);
                png.set_color(png::ColorType::Rgb);
                let pixels: Vec<u8> = (0..3072).map(|p| byte(p + 3072 * (10 * i + class))).collect();
                png.write_header().unwrap().write_image_data(&pixels).unwrap();
            }
        }
    }
    trains(&place, &["resnet.nn", "--batch", "4", "--steps", "3", "--set", "depth=1"]);
    // Whole, and the pictures are others in every epoch: the same seed gives the same result all the same.
    let args = ["train", "resnet.nn", "--batch", "10", "--steps", "2", "--json", "-q", "--threads"];
    let loss = |threads: &str| place.nnc(&[&args[..], &[threads]].concat()).json()["loss"].clone();
    assert_eq!(loss("1"), loss("2"));
}

/// Mixed pictures: the same bits for any number of threads, another training than without, and nothing ignored.
#[test]
fn pictures_are_mixed() {
    let place = Place::new();
    digits(&place);
    let program = |options: &str| {
        let data = "data idx \"train-images-idx3-ubyte.gz\" -> \"train-labels-idx1-ubyte.gz\"";
        let rest = "flatten\ndense 10 softmax\nloss crossentropy\noptimizer adam\nbatch 8\nepochs 4\n";
        format!("{data} {options}\n{rest}")
    };
    let loss = |options: &str, threads: &str| {
        place.write("mixed.nn", &program(options));
        place.nnc(&["train", "mixed.nn", "--json", "-q", "--threads", threads]).json()["loss"]
            .as_f64()
            .unwrap()
    };
    let plain = loss("", "1");
    for options in ["mixup=0.2", "mixup=1", "augment=[flip, shift] mixup=0.2"] {
        assert_eq!(loss(options, "1").to_bits(), loss(options, "2").to_bits(), "{options}");
        assert!(loss(options, "1") > plain, "{options}");
    }
    for (options, told) in [
        ("mixup=0", "`mixup` is a number above 0 and at most 4"),
        ("mixup=yes", "`mixup` is a number"),
        ("augment=[flip, mixup]", "`augment` knows flip and shift, not `mixup`"),
        ("cutmix=7", "`cutmix` is a number above 0 and at most 4"),
    ] {
        place.write("wrong.nn", &program(options));
        let ran = place.nnc(&["check", "wrong.nn"]);
        assert!(ran.code == 2 && ran.err.contains(told), "{options}: {}{}", ran.out, ran.err);
    }
    for options in ["cutmix=1", "cutmix=0.5 mixup=0.2"] {
        assert_eq!(loss(options, "1").to_bits(), loss(options, "2").to_bits(), "{options}");
        assert!(loss(options, "1") > plain, "{options}");
    }
    place.write("rows.csv", "a,b,y\n1,2,0\n3,4,1\n");
    place.write(
        "wrong.nn",
        "data csv \"rows.csv\" mixup=1 { input a; weight b; target y }\ndense 1\nloss mse\n",
    );
    let ran = place.nnc(&["check", "wrong.nn"]);
    assert!(
        ran.err.contains("`mixup` and a weight for every row do not go together"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn siamese() {
    let place = place(&["siamese"]);
    let array = |descr: &str, shape: &str, data: Vec<u8>| {
        let head = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
        let head = format!("{head:<117}\n");
        let mut out = b"\x93NUMPY\x01\x00".to_vec();
        out.extend((head.len() as u16).to_le_bytes());
        out.extend(head.bytes());
        out.extend(data);
        out
    };
    let pictures = |offset: usize| {
        let pixels = (0..12 * 784).flat_map(|i| (f32::from(byte(i + offset)) / 255.0).to_le_bytes());
        array("<f4", "12, 28, 28, 1", pixels.collect())
    };
    let same = array("<f4", "12,", (0..12).flat_map(|i| f32::from(i % 2 == 0).to_le_bytes()).collect());
    let arrays = [("left.npy", pictures(0)), ("right.npy", pictures(99)), ("same.npy", same)];
    std::fs::write(place.path("pairs.npz"), zip(&arrays)).unwrap();
    trains(&place, &["siamese.nn", "--batch", "4", "--epochs", "2"]);
    // One encoder for both pictures: its weights exist once.
    let weights = place.nnc(&["summary", "run", "--json"]).json()["weights"].as_u64().unwrap();
    assert_eq!(weights, (9 * 16 + 16) + (13 * 13 * 16 * 32 + 32) + (32 + 1));
}

#[test]
fn charlstm() {
    let place = place(&["charlstm"]);
    text(&place);
    trains(
        &place,
        &["charlstm.nn", "--set", "units=16", "--set", "window=20", "--batch", "8", "--steps", "4"],
    );
}

#[test]
fn gpt() {
    let place = place(&["gpt"]);
    text(&place);
    trains(&place, &["gpt.nn", "--set", "window=16", "--batch", "4", "--steps", "4"]);
}

#[test]
fn the_oscillator_is_a_sine() {
    let place = place(&["oscillator"]);
    trains(&place, &["oscillator.nn", "--epochs", "2"]);
    // The program of the repository, trained to its end: within 1e-2 of the truth, everywhere.
    std::fs::copy(specs().join("oscillator.nn"), place.path("spring.nn")).unwrap();
    place.nnc(&["train", "spring.nn", "-q", "--out", "spring"]).fine();
    let times: Vec<f64> = (0..=1000).map(|i| f64::from(i) * 2.0 * std::f64::consts::PI / 1000.0).collect();
    let rows: String = times.iter().map(|t| format!("{t}\n")).collect();
    place.write("t.csv", &format!("t\n{rows}"));
    let said = place.nnc(&["predict", "spring", "--data", "t.csv"]).fine();
    let said: Vec<f64> = said.lines().skip(1).map(|l| l.parse().unwrap()).collect();
    assert_eq!(said.len(), times.len());
    let far = times.iter().zip(&said).map(|(t, y)| (y - t.sin()).abs()).fold(0.0, f64::max);
    assert!(far < 1e-2, "{far}");
}
