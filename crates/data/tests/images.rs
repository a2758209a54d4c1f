//! Folders and tables of pictures.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, faults, row, write};
use nnc_data::{DataSpec, ImagesSpec, Limits, NpySpec, PortId, SourceSpec, encode, open, open_with};

const IN: PortId = PortId::Input(0);
const OUT: PortId = PortId::Target(0);

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn images(path: impl Into<String>, shape: [usize; 3]) -> DataSpec {
    DataSpec::new(SourceSpec::Images(ImagesSpec { path: path.into(), shape, handle: Some(5) }))
}

#[test]
fn a_folder_per_class() {
    let data = open(&images(fixture("images"), [6, 8, 3])).unwrap();
    assert_eq!(data.schema.inputs[0].shape, [6, 8, 3]);
    assert_eq!(data.schema.targets[0].classes.as_ref().unwrap(), &["cold", "warm"]);
    assert_eq!(all(&data.train, OUT), [0., 0., 0., 0., 1., 1., 1., 1.]);
    let bytes =
        |r| row(&data.train, IN, r).into_iter().map(|x| (x * 255.0).round() as u8).collect::<Vec<_>>();
    let mut expected = Vec::new();
    for r in 0..6u8 {
        (0..8u8).for_each(|c| expected.extend([r * 40, c * 30, (r + c) * 15]));
    }
    assert_eq!(bytes(0), expected);
    assert_eq!(bytes(3), expected);
    let close = |a: &[u8], b: &[u8], by: u8| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) <= by);
    assert!(close(&bytes(1), &expected, 40)); // 40 colours
    assert!(bytes(2).chunks(3).all(|p| p[0] == p[1] && p[1] == p[2]));
    // The same picture, larger, as JPEG; the reference is Pillow's.
    let npy = NpySpec { inputs: fixture("resized.npy"), targets: None, handle: None, targets_handle: None };
    let reference = open(&DataSpec::new(SourceSpec::Npy(npy))).unwrap();
    let reference: Vec<u8> = all(&reference.train, IN).iter().map(|x| (x * 255.0).round() as u8).collect();
    assert!(close(&bytes(4), &reference, 6), "{:?}\n{reference:?}", bytes(4));
    assert!(close(&bytes(6), &reference, 6));
    assert!(close(&bytes(7), &reference, 12));
    let grey = open(&images(fixture("images"), [3, 3, 1])).unwrap();
    assert_eq!(grey.schema.inputs[0].shape, [3, 3, 1]);
}

#[test]
fn pictures_without_classes_and_by_table() {
    let data = open(&images(fixture("images"), [6, 8, 3])).unwrap();
    let flat = encode(&data.stats, &images(fixture("images/cold"), [6, 8, 3]).train).unwrap();
    assert!(!flat.has_targets() && flat.len() == 4);
    assert_eq!(row(&flat, IN, 0), row(&data.train, IN, 0));
    let other = encode(&data.stats, &images(fixture("images/cold"), [4, 4, 3]).train).unwrap_err();
    assert_eq!(common::lines(&other), ["[N0513] `input` was 6x8x3 in training, and is 4x4x3 here"]);
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.png", "c.png"] {
        std::fs::copy(fixture(&format!("images/cold/{name}")), folder.path().join(name)).unwrap();
    }
    let table = write(&folder, "t.csv", "file,age\na.png,3\nc.png,4.5\na.png,5\n");
    let data = open(&images(&table, [6, 8, 3])).unwrap();
    assert_eq!(all(&data.train, OUT), [3., 4.5, 5.]);
    assert_eq!(row(&data.train, IN, 0), row(&data.train, IN, 2));
    let table = write(&folder, "t.csv", "file,age\na.png,3\nb.png,4.5\n");
    let found = faults(open(&images(&table, [6, 8, 3])));
    assert!(found[0].starts_with("[N0504] t.csv:3: this picture cannot be read"), "{found:?}");
}

#[test]
fn hostile_pictures() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("x")).unwrap();
    let root = folder.path().to_string_lossy().into_owned();
    let code = |bytes: &[u8]| {
        std::fs::write(folder.path().join("x/p.png"), bytes).unwrap();
        faults(open(&images(&root, [8, 8, 3]))).remove(0)
    };
    let mut giant = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    giant.extend(60_000u32.to_be_bytes());
    giant.extend(60_000u32.to_be_bytes());
    giant.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(
        code(&giant),
        "[N0509] p.png: this picture has 60000 x 60000 pixels, more than are decoded; fix: make it smaller, 40 million pixels at most"
    );
    giant[16..20].copy_from_slice(&0u32.to_be_bytes());
    assert!(code(&giant).contains("no pixels"));
    assert!(code(b"GIF89a..........").starts_with("[N0509]"));
    assert!(code(b"").contains("too short"));
    for name in ["images/cold/a.png", "images/warm/a.jpg"] {
        let good = std::fs::read(fixture(name)).unwrap();
        assert!(code(&good[..40]).starts_with("[N0508]"));
        for i in 0..good.len().min(400) {
            let mut bad = good.clone();
            bad[i] ^= 0x21;
            std::fs::write(folder.path().join("x/p.png"), bad).unwrap();
            let _ = open(&images(&root, [8, 8, 3]));
        }
    }
    let empty = folder.path().join("none").to_string_lossy().into_owned();
    assert!(faults(open(&images(&empty, [8, 8, 3])))[0].contains("there is no folder"));
    std::fs::create_dir(&empty).unwrap();
    assert!(faults(open(&images(&empty, [8, 8, 3])))[0].starts_with("[N0506]"));
    assert!(faults(open(&images(&empty, [0, 8, 2])))[0].starts_with("[N0514]"));
    let little = Limits { memory: 100 };
    assert_eq!(
        open_with(&images(fixture("images"), [6, 8, 3]), &little).unwrap_err()[0].code.name(),
        "N0509"
    );
}
