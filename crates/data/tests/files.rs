//! IDX files, generators, splits.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, faults, row, shared, write};
use nnc_data::{
    ColumnName, CsvSpec, DataSpec, GeneratorKind, GeneratorSpec, IdxSpec, Limits, PortId, Role, RoleSpec,
    SourceSpec, SplitSpec, TextSpec, encode, open, open_with,
};
use std::io::Write as _;

const IN: PortId = PortId::Input(0);
const OUT: PortId = PortId::Target(0);

fn idx(inputs: String, targets: Option<String>) -> DataSpec {
    DataSpec::new(SourceSpec::Idx(IdxSpec { inputs, targets, handle: Some(9), targets_handle: None }))
}

fn header(kind: u8, dims: &[u32]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, dims.len() as u8];
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

#[test]
fn mnist_is_read() {
    let Some(images) = shared("mnist10k/t10k-images-idx3-ubyte.gz") else { return };
    let Some(labels) = shared("mnist10k/t10k-labels-idx1-ubyte.gz") else { return };
    let spec = DataSpec {
        split: SplitSpec { valid: 0.1, ..SplitSpec::default() },
        ..idx(images.clone(), Some(labels))
    };
    let data = open(&spec).unwrap();
    assert_eq!(data.schema.inputs[0].shape, [28, 28, 1]);
    assert_eq!(data.schema.inputs[0].name, "input");
    assert_eq!(data.schema.targets[0].classes.as_ref().unwrap().len(), 10);
    assert!(data.schema.targets[0].shape.is_empty());
    assert_eq!((data.train.len(), data.valid.as_ref().unwrap().len()), (9000, 1000));
    let mut batch = vec![0.0f32; 3 * 784];
    data.train.gather_f32(IN, &[0, 1, 2], &mut batch).unwrap();
    assert!(batch.iter().all(|x| (0.0..=1.0).contains(x)) && batch.contains(&1.0));
    assert!((data.stats.columns[0].mean - 0.1325).abs() < 0.001);
    let alone = encode(&data.stats, &idx(images, None).train).unwrap();
    assert!(!alone.has_targets());
    let source = data.train.source_row(5).unwrap() as u32;
    assert_eq!(row(&alone, IN, source), row(&data.train, IN, 5));
}

#[test]
fn idx_of_every_type() {
    let folder = tempfile::tempdir().unwrap();
    let bodies: [(u8, Vec<u8>); 6] = [
        (0x08, vec![1, 2, 3, 4]),
        (0x09, vec![1, 2, 3, 4]),
        (0x0b, [1i16, 2, 3, 4].iter().flat_map(|x| x.to_be_bytes()).collect()),
        (0x0c, [1i32, 2, 3, 4].iter().flat_map(|x| x.to_be_bytes()).collect()),
        (0x0d, [1f32, 2., 3., 4.].iter().flat_map(|x| x.to_be_bytes()).collect()),
        (0x0e, [1f64, 2., 3., 4.].iter().flat_map(|x| x.to_be_bytes()).collect()),
    ];
    for (kind, body) in bodies {
        let bytes = [header(kind, &[2, 2]), body].concat();
        let data = open(&idx(write(&folder, "x.idx", gzip(&bytes)), None)).unwrap();
        let scale = if kind == 8 { 255.0 } else { 1.0 };
        assert_eq!(all(&data.train, IN), [1., 2., 3., 4.].map(|x| x / scale));
        assert!(data.schema.targets.is_empty());
    }
}

#[test]
fn lying_idx_files_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let code = |bytes: &[u8]| faults(open(&idx(write(&folder, "x.idx", bytes), None)));
    let huge = u32::MAX;
    assert_eq!(
        code(&header(8, &[huge, huge, huge])),
        [
            "[N0508] x.idx: `x.idx` promises 4294967295x4294967295x4294967295 values, 16.0 EiB, and can hold at most 16 bytes; fix: the file is cut short or its header is wrong"
        ]
    );
    let short = [header(8, &[10, 28, 28]), vec![0; 100]].concat();
    assert!(code(&short)[0].starts_with("[N0508]"));
    // Packed, 10 GiB are possible for the size of the file, and not allowed.
    let bomb = gzip(&[header(8, &[10, 1 << 30]), vec![0; 30 << 20]].concat());
    assert!(code(&bomb)[0].starts_with("[N0508]"));
    let longer = [header(8, &[2, 2]), vec![0; 5]].concat();
    assert_eq!(code(&longer), ["[N0508] x.idx: `x.idx` promises 4 bytes of values and has more than 4"]);
    let within = gzip(&[header(8, &[200]), vec![7; 100]].concat());
    assert!(code(&within)[0].contains("has only 100"));
    let limits = Limits { memory: 1 << 20 };
    let spec =
        idx(write(&folder, "y.idx", gzip(&[header(8, &[20, 1 << 17]), vec![0; 20 << 17]].concat())), None);
    assert_eq!(open_with(&spec, &limits).unwrap_err()[0].code.name(), "N0508"); // packed too well
    assert!(code(b"PK\x03\x04")[0].contains("no IDX file"));
    assert!(code(b"")[0].starts_with("[N0508]"));
    assert!(code(&header(8, &[0, 28, 28]))[0].starts_with("[N0506]"));
    assert!(code(&header(8, &[]))[0].starts_with("[N0508]"));
    let cut = gzip(&vec![7; 5000]);
    assert!(code(&cut[..cut.len() / 2])[0].starts_with("[N0508]"));
    let x = write(&folder, "i.idx", [header(8, &[3, 2]), vec![0; 6]].concat());
    let y = write(&folder, "l.idx", [header(8, &[2]), vec![0; 2]].concat());
    assert_eq!(open(&idx(x.clone(), Some(y))).unwrap_err()[0].code.name(), "N0513");
    let nan = write(&folder, "n.idx", [header(0x0d, &[1]), f32::NAN.to_be_bytes().to_vec()].concat());
    assert_eq!(open(&idx(nan, None)).unwrap_err()[0].code.name(), "N0503");
}

#[test]
fn roles_rename_what_has_no_name() {
    let mut uniform = GeneratorSpec::new(GeneratorKind::Uniform, 100);
    (uniform.low, uniform.high) = (Some(-1.0), Some(2.0));
    let spec = DataSpec {
        roles: vec![RoleSpec::new(Role::Input, ["t", "u"]).own_port()],
        ..DataSpec::new(SourceSpec::Generator(uniform))
    };
    let data = open(&spec).unwrap();
    let names: Vec<&str> = data.schema.inputs.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["t", "u"]);
    assert!(data.schema.targets.is_empty());
    assert!(all(&data.train, IN).iter().all(|x| (-1.0..2.0).contains(x)));
    assert_ne!(all(&data.train, IN), all(&data.train, PortId::Input(1)));
    let spec = DataSpec {
        roles: vec![RoleSpec::new(Role::Target, ["side"])],
        split: SplitSpec { valid: 0.2, stratify: true, ..SplitSpec::default() },
        ..DataSpec::new(SourceSpec::Generator(GeneratorSpec::new(GeneratorKind::Moons, 50)))
    };
    let data = open(&spec).unwrap();
    assert_eq!(data.schema.inputs[0].shape, [2]);
    assert_eq!(data.schema.targets[0].classes.as_ref().unwrap().len(), 2);
    let valid = all(data.valid.as_ref().unwrap(), OUT);
    assert_eq!(valid.iter().sum::<f64>(), 5.0);
    let wrong = DataSpec { roles: vec![RoleSpec::new(Role::Input, ["a", "b", "c"])], ..spec };
    assert_eq!(faults(open(&wrong)), ["[N0505] `moons` has no column `c`; fix: it has a b class"]);
}

#[test]
fn sources_of_their_own_are_encoded_alike() {
    let folder = tempfile::tempdir().unwrap();
    let train = write(&folder, "train.csv", "x,y\n1,a\n3,b\n");
    let test = write(&folder, "test.csv", "y,x\nb,2\n");
    let spec = DataSpec {
        test: Some(SourceSpec::csv(&test)),
        roles: vec![RoleSpec::new(Role::Input, ["x"]).scaled(nnc_data::Scaling::Standardize)],
        ..DataSpec::new(SourceSpec::csv(&train))
    };
    let data = open(&spec).unwrap();
    let table = data.test.unwrap();
    assert_eq!((all(&table, IN), all(&table, OUT)), (vec![0.0], vec![1.0]));
    let twice = DataSpec { split: SplitSpec { test: 0.5, ..SplitSpec::default() }, ..spec.clone() };
    assert_eq!(open(&twice).unwrap_err()[0].code.name(), "N0512");
    let bare = write(&folder, "bare.csv", "x\n2\n3\n");
    let spec = DataSpec { test: Some(SourceSpec::csv(bare)), ..spec };
    assert_eq!(open(&spec).unwrap_err()[0].code.name(), "N0513");
}

#[test]
fn groups_may_be_columns_that_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..40).map(|i| format!("p{},{i},{}\n", i / 4, i % 2)).collect();
    let path = write(&folder, "t.csv", format!("patient,x,y\n{text}"));
    let spec = DataSpec {
        roles: vec![RoleSpec::new(Role::Drop, ["patient"])],
        split: SplitSpec {
            valid: 0.25,
            group: Some(ColumnName::new("patient", None)),
            ..SplitSpec::default()
        },
        ..DataSpec::new(SourceSpec::csv(path))
    };
    let data = open(&spec).unwrap();
    assert_eq!(data.schema.inputs[0].shape, [1]);
    let valid = data.valid.unwrap();
    let groups: std::collections::BTreeSet<usize> =
        (0..valid.len()).map(|r| valid.source_row(r).unwrap() / 4).collect();
    assert_eq!((valid.len(), groups.len()), (12, 3));
}

#[test]
fn text_is_cut_into_windows() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.txt", "abcabcé\nab");
    let text = |window, stride, bytes| {
        let path = path.clone();
        DataSpec::new(SourceSpec::Text(TextSpec { path, window, stride, bytes, handle: Some(1) }))
    };
    let data = open(&text(3, None, false)).unwrap();
    assert_eq!((data.train.len(), &data.schema.inputs[0].shape), (3, &vec![3]));
    let classes = data.schema.inputs[0].classes.as_ref().unwrap();
    assert_eq!(classes, &["\n", "a", "b", "c", "é"]);
    assert_eq!(all(&data.train, IN), [1., 2., 3., 1., 2., 3., 4., 0., 1.]);
    assert_eq!(all(&data.train, OUT), [2., 3., 1., 2., 3., 4., 0., 1., 2.]);
    assert_eq!(data.stats.encode_text(IN, "caé").unwrap(), [3, 1, 4]);
    assert_eq!(data.stats.decode_text(IN, &[3, 1, 4]).unwrap(), "caé");
    assert!(data.stats.encode_text(IN, "x").unwrap_err().message.contains("`x`"));
    assert_eq!(open(&text(3, Some(1), false)).unwrap().train.len(), 7);
    let data = open(&text(4, None, true)).unwrap();
    assert_eq!(data.schema.targets[0].classes.as_ref().unwrap().len(), 256);
    assert_eq!(data.stats.decode_text(OUT, &data.stats.encode_text(OUT, "é").unwrap()).unwrap(), "é");
    assert_eq!(open(&text(10, None, false)).unwrap_err()[0].code.name(), "N0506");
    assert_eq!(open(&text(0, None, false)).unwrap_err()[0].code.name(), "N0514");
    let other = write(&folder, "u.txt", "bcabca");
    let table = encode(
        &open(&text(3, None, false)).unwrap().stats,
        &SourceSpec::Text(TextSpec { path: other, window: 3, stride: None, bytes: false, handle: None }),
    );
    assert_eq!(all(&table.unwrap(), IN), [2., 3., 1.]);
    std::fs::write(&path, b"ab\n\xff\n").unwrap();
    assert_eq!(
        faults(open(&text(2, None, false))),
        [
            "[N0508] t.txt:2: this is not UTF-8 text (byte ff); fix: save the file as UTF-8, or read it as `bytes`"
        ]
    );
}

#[test]
fn shakespeare_is_read() {
    let Some(path) = shared("text/tinyshakespeare.txt") else { return };
    let spec = TextSpec { path, window: 100, stride: None, bytes: false, handle: None };
    let spec = DataSpec {
        split: SplitSpec { valid: 0.05, ..SplitSpec::default() },
        ..DataSpec::new(SourceSpec::Text(spec))
    };
    let data = open(&spec).unwrap();
    assert_eq!(data.schema.inputs[0].classes.as_ref().unwrap().len(), 65);
    assert_eq!(data.train.len() + data.valid.unwrap().len(), 11153);
}

#[test]
fn several_files_are_one_table() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "part-1.csv", "x,y\n1,a\n2,b\n");
    write(&folder, "part-2.csv.gz", gzip(b"x,y\n3,a\n\n4,c\n"));
    let third = write(&folder, "third.csv", "x,y\n5,a\n");
    let glob = folder.path().join("part-*").to_string_lossy().into_owned();
    let spec = CsvSpec { more: vec![third.clone()], ..CsvSpec::new(&glob) };
    let data = open(&DataSpec::new(SourceSpec::Csv(spec.clone()))).unwrap();
    assert_eq!(all(&data.train, IN), [1., 2., 3., 4., 5.]);
    assert_eq!(all(&data.train, OUT), [0., 1., 0., 2., 0.]);
    write(&folder, "part-2.csv.gz", gzip(b"x,y\n3,a\n\n4O,c\n"));
    let found = faults(open(&DataSpec::new(SourceSpec::Csv(spec.clone()))));
    assert!(found[0].starts_with("[N0502] part-2.csv.gz:4: `4O` is not a number"), "{found:?}");
    write(&folder, "part-2.csv.gz", gzip(b"x,z\n3,a\n"));
    let found = faults(open(&DataSpec::new(SourceSpec::Csv(spec))));
    assert!(found[0].starts_with("[N0513]") && found[0].contains("has other columns than"), "{found:?}");
    let none = folder.path().join("q*.csv").to_string_lossy().into_owned();
    assert!(faults(open(&DataSpec::new(SourceSpec::csv(none))))[0].contains("no file matches"));
}
