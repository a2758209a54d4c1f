//! `.npy` and `.npz`, as NumPy writes them and as nobody should.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write as _;

use common::{all, faults, write};
use nnc_data::{
    DataSpec, Limits, NpySpec, NpzSpec, PortId, Role, RoleSpec, SourceSpec, encode, open, open_with,
};

const IN: PortId = PortId::Input(0);
const OUT: PortId = PortId::Target(0);

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn npz(path: String, inputs: &[&str], target: &str) -> DataSpec {
    DataSpec {
        roles: vec![
            RoleSpec::new(Role::Input, inputs.iter().copied()),
            RoleSpec::new(Role::Target, [target]),
        ],
        ..DataSpec::new(SourceSpec::Npz(NpzSpec { path, handle: Some(3) }))
    }
}

fn npy(inputs: String, targets: Option<String>) -> DataSpec {
    DataSpec::new(SourceSpec::Npy(NpySpec { inputs, targets, handle: Some(3), targets_handle: None }))
}

#[test]
fn every_type_and_order() {
    let types = ["b1", "u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"];
    for kind in types {
        for prefix in ["", "f_", "big_", "f_big_"] {
            let name = format!("{prefix}{kind}");
            let data = open(&npz(fixture("types.npz"), &[&name], "target")).unwrap();
            let (shape, of): (&[usize], fn(f64) -> f64) = match kind {
                "u1" => (&[3, 2, 1], |x| x / 255.0),
                "b1" => (&[3, 2], |x| x % 2.0),
                _ => (&[3, 2], |x| x),
            };
            assert_eq!(data.schema.inputs[0].shape, shape, "{name}");
            let expected: Vec<f64> = (0..24).map(|x| of(f64::from(x))).collect();
            assert_eq!(all(&data.train, IN), expected, "{name}");
            assert_eq!(all(&data.train, OUT), [2., 0., 1., 1.]);
            assert_eq!(data.schema.targets[0].classes.as_ref().unwrap(), &["0", "1", "2"]);
        }
    }
    let two = open(&npz(fixture("types.npz"), &["f4", "i2"], "names")).unwrap();
    assert_eq!((two.schema.inputs[0].name.as_str(), two.schema.inputs[1].name.as_str()), ("i2", "f4"));
    assert_eq!(two.schema.targets[0].classes.as_ref().unwrap(), &["a", "b", "cé"]);
    assert_eq!(all(&two.train, OUT), [1., 0., 1., 2.]);
}

#[test]
fn files_with_one_array() {
    let data = open(&npy(fixture("c.npy"), Some(fixture("labels.npy")))).unwrap();
    assert_eq!(all(&data.train, IN), [1., 2., 3., 4., 5., 6.]);
    assert_eq!(all(&data.train, OUT), [1., 0., 1.]);
    let alone = encode(&data.stats, &npy(fixture("c.npy"), None).train).unwrap();
    assert!(!alone.has_targets() && alone.len() == 3);
    let roles = vec![RoleSpec::new(Role::Target, ["label"]).kind(nnc_data::Kind::Number)];
    let spec = DataSpec { roles, ..npy(fixture("c.npy"), Some(fixture("labels.npy"))) };
    assert_eq!(open(&spec).unwrap().schema.targets[0].shape, [1]);
}

#[test]
fn a_list_may_have_missing_values() {
    let spec = npz(fixture("stored.npz"), &["x"], "y");
    assert_eq!(open(&spec).unwrap_err()[0].code.name(), "N0503");
    let roles = vec![RoleSpec::new(Role::Target, ["y"]).missing(nnc_data::Missing::Drop)];
    let data = open(&DataSpec { roles, ..spec }).unwrap();
    assert_eq!((all(&data.train, IN), all(&data.train, OUT)), (vec![1., 2.], vec![0.5]));
}

fn header(descr: &str, shape: &str) -> Vec<u8> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((text.len() as u16).to_le_bytes());
    bytes.extend(text.as_bytes());
    bytes
}

#[test]
fn hostile_npy_files() {
    let folder = tempfile::tempdir().unwrap();
    let code = |bytes: &[u8]| faults(open(&npy(write(&folder, "x.npy", bytes), None)));
    assert_eq!(
        code(&header("'<f4'", "(8589934592,)")),
        [
            "[N0508] x.npy: `x.npy` promises 8589934592 values, 32.0 GiB, and can hold at most 0 bytes; fix: the file is cut short or its header is wrong"
        ]
    );
    let most = "18446744073709551615";
    assert!(code(&header("'<f8'", &format!("({most}, {most}, {most})")))[0].contains("can hold at most"));
    assert!(code(&header("'<f8'", "(99999999999999999999999,)"))[0].contains("cannot be understood"));
    assert!(code(&header("'|O'", "(3,)"))[0].contains("cannot be read"));
    assert!(
        code(&header("[('a', '<f4'), ('b', '<i2')]", "(3,)"))[0].contains("[('a', '<f4'), ('b', '<i2')]")
    );
    assert!(code(&header("'<f4'", "()"))[0].contains("can hold at most"));
    assert!(code(&[header("'<f4'", "()"), vec![0; 4]].concat())[0].contains("one value"));
    assert!(code(&header("'<f4'", "(0, 3)"))[0].starts_with("[N0506]"));
    assert!(code(&[header("'<f4'", "(1,)"), vec![0; 5]].concat())[0].contains("more than"));
    let nan = [header("'<f4'", "(1, 2)"), [1f32, f32::NAN].map(f32::to_le_bytes).concat()].concat();
    assert_eq!(
        code(&nan),
        [
            "[N0502] x.npy: `NaN` is not a finite number; fix: correct it where the file is made; arrays have no rule for missing values"
        ]
    );
    assert!(code(b"\x93NUMPY\x01\x00\xff\xff")[0].starts_with("[N0508]"));
    assert!(code(b"\x93NUMPY\x02\x00\xff\xff\xff\xff")[0].contains("4294967295 bytes"));
    assert!(code(b"not a numpy file")[0].contains("no npy file"));
    assert!(code(b"")[0].starts_with("[N0508]"));
    let texts = [header("'<U2'", "(1, 2)"), [0x41, 0, 0, 0, 0, 0, 0, 0].repeat(2)].concat();
    assert!(code(&texts)[0].contains("array of text"));
    let fine = [header("'<f4'", "(2, 1)"), vec![0; 8]].concat();
    let spec = npy(write(&folder, "y.npy", fine), None);
    assert!(open(&spec).is_ok());
    assert!(open_with(&spec, &Limits { memory: 4 }).unwrap().train.is_on_disk());
    let list = npy(write(&folder, "z.npy", [header("'<f4'", "(2,)"), vec![0; 8]].concat()), None);
    assert_eq!(open_with(&list, &Limits { memory: 4 }).unwrap_err()[0].code.name(), "N0509");
}

#[test]
fn hostile_npz_files() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read(fixture("types.npz")).unwrap();
    let open_bytes = |bytes: &[u8]| open(&npz(write(&folder, "x.npz", bytes), &["f4"], "target"));
    assert!(open_bytes(&good).is_ok());
    assert!(faults(open_bytes(b""))[0].contains("no npz file"));
    assert!(faults(open_bytes(&good[..good.len() / 2]))[0].contains("no npz file"));
    // Every byte of the archive wrong in turn: a fault or the same data.
    let expected = all(&open_bytes(&good).unwrap().train, IN);
    for i in (0..good.len()).step_by(7) {
        let mut bad = good.clone();
        bad[i] ^= 0x55;
        match open_bytes(&bad) {
            Ok(data) => assert_eq!(all(&data.train, IN), expected, "byte {i}"),
            Err(list) => assert!(!list.is_empty()),
        }
    }
    let missing = npz(fixture("types.npz"), &["f44"], "target");
    assert!(faults(open(&missing))[0].contains("did you mean `f4`?"));
    let odd = faults(open(&npz(fixture("stored.npz"), &["x"], "z")));
    assert!(odd[0].contains("it has x y"), "{odd:?}");
}

/// A member that unpacks to far more than its header promises.
#[test]
fn a_zip_bomb_is_not_unpacked() {
    let folder = tempfile::tempdir().unwrap();
    let array = [header("'|u1'", "(1, 4)"), vec![7; 200 << 20]].concat();
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&array).unwrap();
    let packed = packer.finish().unwrap();
    let mut local = b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    local.extend((packed.len() as u32).to_le_bytes());
    local.extend((array.len() as u32).to_le_bytes());
    local.extend([5, 0, 0, 0]);
    local.extend(b"x.npy");
    let mut file = [local, packed.clone()].concat();
    let at = file.len() as u32;
    let mut central = b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0".to_vec();
    central.extend((packed.len() as u32).to_le_bytes());
    central.extend((array.len() as u32).to_le_bytes());
    central.extend([5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    central.extend(b"x.npy");
    file.extend(&central);
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend((central.len() as u32).to_le_bytes());
    file.extend(at.to_le_bytes());
    file.extend([0, 0]);
    let spec = NpzSpec { path: write(&folder, "bomb.npz", file), handle: None };
    let started = std::time::Instant::now();
    let found = faults(open(&DataSpec::new(SourceSpec::Npz(spec))));
    assert!(found[0].contains("promises 4 bytes of values and has more than 4"), "{found:?}");
    assert!(started.elapsed().as_secs() < 2);
}
