//! Arrays of whole numbers that a program takes for classes, of any rank.
#![allow(clippy::unwrap_used)]

use nnc_graph::DType;
use nnc_model::{Overrides, Spec};
use nnc_train::{LoadOptions, load};
use std::path::Path;

/// An npy file, in the format's version 1.
fn npy(path: &Path, kind: &str, shape: &[usize], bytes: &[u8]) {
    let dims: String = shape.iter().map(|n| format!("{n}, ")).collect();
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({dims}), }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut out = b"\x93NUMPY\x01\x00".to_vec();
    out.extend((header.len() as u16).to_le_bytes());
    out.extend(header.as_bytes());
    out.extend(bytes);
    std::fs::write(path, out).unwrap();
}

fn whole(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A shape, and of how many classes it is.
type Shape = (Vec<usize>, Option<usize>);

/// The inputs and targets, or what was said.
fn ports(folder: &Path, text: &str) -> Result<Vec<Shape>, String> {
    let spec = Spec::read("net.nn", text, &Overrides::default()).map_err(|(d, _)| format!("{d:?}"))?;
    let options = LoadOptions { base: folder.to_path_buf(), ..LoadOptions::default() };
    let loaded = load(spec, &options).map_err(|p| format!("{p:?}"))?;
    loaded.model(DType::F32).map_err(|p| format!("{p:?}"))?;
    let all = loaded.ports.inputs.iter().chain(&loaded.ports.targets);
    Ok(all.map(|p| (p.shape.clone(), p.classes.as_ref().map(Vec::len))).collect())
}

#[test]
fn whole_numbers_are_classes_where_the_program_takes_them_for_such() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    npy(&at("x.npy"), "<i8", &[4, 3], &whole(&[0, 1, 4, 2, 2, 0, 3, 1, 1, 0, 0, 2]));
    npy(&at("t.npy"), "<i8", &[4, 3], &whole(&[0, 1, 2, 2, 2, 0, 0, 1, 1, 0, 0, 2]));
    npy(&at("mask.npy"), "|u1", &[4, 2, 2], &[0, 1, 1, 0, 2, 2, 0, 0, 1, 1, 1, 1, 0, 0, 0, 2]);
    npy(&at("picture.npy"), "<f4", &[4, 2, 2, 1], &floats(&[0.5; 16]));
    npy(&at("half.npy"), "<f4", &[4, 3], &floats(&[0.5; 12]));
    npy(&at("minus.npy"), "<i8", &[4, 3], &whole(&[-1, 1, 2, 2, 2, 0, 0, 1, 1, 0, 0, 2]));
    npy(&at("one_hot.npy"), "<i8", &[4, 3], &whole(&[0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0]));
    let net = "lstm 4 sequence\ndense 3 softmax\nloss crossentropy\noptimizer adam\n";
    let run = |text: &str| ports(folder.path(), text);
    // Tagging: both are classes.
    let tags = run(&format!("data npy \"x.npy\" -> \"t.npy\"\nembed 4\n{net}")).unwrap();
    assert_eq!(tags, [(vec![3], Some(5)), (vec![3], Some(3))]);
    // A mask for each place of a picture.
    let mask = "conv 4 1x1 relu\nconv 3 1x1 softmax\nloss crossentropy\nmetrics accuracy\noptimizer adam\n";
    let masks = run(&format!("data npy \"picture.npy\" -> \"mask.npy\"\n{mask}")).unwrap();
    assert_eq!(masks, [(vec![2, 2, 1], None), (vec![2, 2], Some(3))]);
    // Who takes numbers has numbers.
    let numbers = run("data npy \"x.npy\" -> \"t.npy\"\ndense 3\nloss mse\noptimizer adam\n").unwrap();
    assert_eq!(numbers, [(vec![3], None), (vec![3], None)]);
    let shares =
        run("data npy \"x.npy\" -> \"one_hot.npy\"\ndense 3 softmax\nloss crossentropy\noptimizer adam\n")
            .unwrap();
    assert_eq!(shares, [(vec![3], None), (vec![3], None)]);
    // Behind steps that leave numbers what they are: padding by `masking`, other shapes, parts.
    for step in ["masking 0", "reshape 3", "reverse", "masking 0\nreverse"] {
        let told = run(&format!("data npy \"x.npy\" -> \"t.npy\"\n{step}\nembed 4\n{net}")).unwrap();
        assert_eq!(told, tags, "{step}");
    }
    let halves = "a, b = split(input, 3)\nb -> embed 4 -> flatten\ndense 3 softmax\nloss = mean(output)\n";
    assert!(
        run(&format!("data npy \"x.npy\" -> \"t.npy\"\n{}", halves.replace("a, b", "a, b, c"))).unwrap()[0].1
            == Some(5)
    );
    let sums = run(&format!("data npy \"x.npy\" -> \"t.npy\"\n2 * it\nembed 4\n{net}")).unwrap_err();
    assert!(sums.contains("`embed` needs classes"), "{sums}");
    // One-hot inputs, and as many outputs as the target has classes.
    let hot = "one_hot\nlstm 4 sequence\ndense target.classes softmax\nloss crossentropy\noptimizer adam\n";
    assert_eq!(run(&format!("data npy \"x.npy\" -> \"t.npy\"\n{hot}")).unwrap(), tags);
    for file in ["half.npy", "minus.npy"] {
        let said = run(&format!("data npy \"{file}\" -> \"t.npy\"\n{hot}")).unwrap_err();
        assert!(said.contains("`one_hot` takes classes") && !said.contains("category"), "{said}");
    }
    let said =
        run("data npy \"x.npy\" -> \"half.npy\"\nembed 2\ndense target.classes\nloss mse\n").unwrap_err();
    assert!(said.contains("these are numbers, not classes") && !said.contains("category"), "{said}");
    // What cannot be classes is told of, for the layer that asks.
    for file in ["half.npy", "minus.npy"] {
        let said = run(&format!("data npy \"{file}\" -> \"t.npy\"\nembed 4\n{net}")).unwrap_err();
        assert!(
            said.contains("`embed` needs classes") && said.contains("are no classes: `dense 16`"),
            "{said}"
        );
        assert!(!said.contains("mse or mae"), "{said}");
    }
}

#[test]
fn a_declared_category_is_obeyed_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    npy(&at("x.npy"), "<i4", &[4, 3], &[0, 1, 2, 3, 1, 0, 2, 2, 1, 1, 0, 3].map(i32::to_le_bytes).concat());
    npy(&at("y.npy"), "<f4", &[4, 3], &floats(&[0.5; 12]));
    npy(&at("t.npy"), "<f4", &[4, 1], &floats(&[0.5; 4]));
    let text = |x: &str, role: &str| {
        format!(
            "data npy \"{x}\" -> \"t.npy\" {{ input input {role}; target target }}\nembed 4\nflatten\ndense 1\nloss mse\noptimizer adam\n"
        )
    };
    assert_eq!(ports(folder.path(), &text("x.npy", "category")).unwrap()[0], (vec![3], Some(4)));
    let said = ports(folder.path(), &text("y.npy", "category")).unwrap_err();
    assert!(said.contains("is a category, and has the number 0.5"), "{said}");
    let said = ports(folder.path(), &text("x.npy", "one_hot")).unwrap_err();
    assert!(said.contains("array of numbers"), "{said}");
    let said = ports(folder.path(), &text("x.npy", "category standardize")).unwrap_err();
    assert!(said.contains("categories are not scaled"), "{said}");
}
