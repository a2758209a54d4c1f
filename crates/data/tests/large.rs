//! Data larger than the memory it may take gives the same bits.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write as _;

use common::write;
use nnc_data::{
    CsvSpec, DataSpec, Dataset, IdxSpec, Kind, Limits, Missing, NpySpec, PortId, Role, RoleSpec, Scaling,
    SourceSpec, SplitSpec, Style, Table, TextSpec, describe, encode_with, open, open_with,
};

const SMALL: Limits = Limits { memory: 200_000 };

/// Every number of a table, as a network would get it.
fn numbers(table: &Table, data: &Dataset) -> Vec<f32> {
    let rows: Vec<u32> = (0..table.len() as u32).collect();
    let inputs = (0..data.schema.inputs.len()).map(PortId::Input);
    let targets = (0..data.schema.targets.len()).map(PortId::Target);
    let mut all = Vec::new();
    for id in inputs.chain(targets) {
        let mut out = vec![0.0; rows.len() * table.width(id).unwrap()];
        table.gather_f32(id, &rows, &mut out).unwrap();
        all.extend(out);
    }
    all
}

/// Opens in memory and on disk and compares everything.
fn same(spec: &DataSpec) -> Dataset {
    let (large, small) = (open(spec).unwrap(), open_with(spec, &SMALL).unwrap());
    assert!(!large.train.is_on_disk() && small.train.is_on_disk());
    assert_eq!(large.stats, small.stats);
    assert_eq!(large.schema, small.schema);
    let parts = |d: &Dataset| [Some(d.train.clone()), d.valid.clone(), d.test.clone()];
    for (a, b) in parts(&large).into_iter().zip(parts(&small)) {
        let (Some(a), Some(b)) = (a, b) else { continue };
        assert_eq!(a.len(), b.len());
        assert_eq!(a.source_row(a.len() - 1), b.source_row(b.len() - 1));
        assert!(numbers(&a, &large) == numbers(&b, &small), "the bits differ");
    }
    let again = encode_with(&small.stats, &spec.train, &SMALL).unwrap();
    let whole = encode_with(&small.stats, &spec.train, &Limits::default()).unwrap();
    assert!(numbers(&again, &small) == numbers(&whole, &large));
    let mut order = vec![0; small.train.len()];
    small.train.order(1, 2, &mut order);
    let first = order.clone();
    small.train.order(1, 2, &mut order);
    assert_eq!(first, order);
    order.sort_unstable();
    assert!(order.iter().enumerate().all(|(i, &r)| i as u32 == r));
    assert_eq!(
        describe(spec, &SMALL, 5).unwrap().text(Style::default()),
        describe(spec, &Limits::default(), 5).unwrap().text(Style::default())
    );
    small
}

fn table(rows: usize) -> String {
    let mut text = String::from("id,x,shop,when,w,y\n");
    for i in 0..rows {
        let x = if i % 97 == 5 { String::new() } else { format!("{}.{}", i * 7919 % 1000, i % 10) };
        let shop = if i % 89 == 7 { "" } else { ["north", "south", "east"][i * i % 3] };
        let (month, day) = (i % 12 + 1, i % 28 + 1);
        let line = format!("{i},{x},{shop},20{:02}-{month:02}-{day:02},{},{}\n", i % 30, i % 3, i % 5);
        text.push_str(&line);
    }
    text
}

#[test]
fn tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", table(9_000));
    let filled = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Drop, ["id"]),
            RoleSpec::new(Role::Weight, ["w"]),
            RoleSpec { indicator: true, ..RoleSpec::new(Role::Input, ["x"]) }
                .missing(Missing::Median)
                .scaled(Scaling::Standardize),
            RoleSpec::new(Role::Input, ["shop"]).kind(Kind::OneHot).missing(Missing::Mode),
            RoleSpec::new(Role::Input, ["when"]).kind(Kind::Date).scaled(Scaling::MinMax),
            RoleSpec::new(Role::Target, ["y"]).kind(Kind::Category),
        ],
        split: SplitSpec { valid: 0.1, test: 0.1, stratify: true, ..SplitSpec::default() },
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let data = same(&filled);
    let mut weights = [0.0; 4];
    data.train.gather_weights(&[0, 1, 2, 3], &mut weights).unwrap();
    let rows: Vec<f32> = (0..4).map(|r| (data.train.source_row(r).unwrap() % 3) as f32).collect();
    assert_eq!(weights.to_vec(), rows);
    let dropped = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Drop, ["when", "w"]),
            RoleSpec::new(Role::Input, ["shop"]).kind(Kind::Category).missing(Missing::Drop),
            RoleSpec::rest(Role::Input).missing(Missing::Drop),
        ],
        split: SplitSpec { valid: 0.2, ordered: true, ..SplitSpec::default() },
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    same(&dropped);
    let csv = CsvSpec { window: Some(nnc_data::Extent::Rows(5)), ..CsvSpec::new(&path) };
    let windows = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Input, ["x", "y"]).missing(Missing::Mean),
            RoleSpec::new(Role::Target, ["y"]),
        ],
        split: SplitSpec { valid: 0.2, ordered: true, ..SplitSpec::default() },
        ..DataSpec::new(SourceSpec::Csv(csv))
    };
    same(&windows);
    // A text of many categories is one number for each row, however many inputs it becomes.
    let wide: String = (0..2000).map(|i| format!("t{},{}\n", i % 500, i)).collect();
    let wide = DataSpec::new(SourceSpec::csv(write(&folder, "wide.csv", format!("a,y\n{wide}"))));
    let data = open_with(&wide, &SMALL).unwrap();
    assert!(!data.train.is_on_disk());
    assert_eq!(data.train.width(PortId::Input(0)), Some(500));
    assert!(data.bytes() < 50_000, "{}", data.bytes());
    let row = numbers(&data.train, &data);
    assert_eq!(row[..1_000_000].iter().sum::<f32>(), 2000.0);
}

#[test]
fn faults_of_large_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "t.csv", table(9_000));
    let spec = DataSpec {
        roles: vec![RoleSpec::new(Role::Drop, ["shop"]), RoleSpec::new(Role::Input, ["x"])],
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let found = open_with(&spec, &SMALL).unwrap_err();
    assert_eq!((found[0].code.name(), found[0].place.as_ref().unwrap().line), ("N0503", Some(7)));
    let mut text = table(9_000);
    text.push_str("1,2O,north,2020-01-01,1,1\n");
    let found =
        open_with(&DataSpec { train: SourceSpec::csv(write(&folder, "u.csv", text)), ..spec }, &SMALL);
    assert_eq!(found.unwrap_err()[0].place.as_ref().unwrap().line, Some(9_002));
    let names: String = (0..30_000).map(|i| format!("name number {i},1\n")).collect();
    let found = open_with(&DataSpec::new(SourceSpec::csv(write(&folder, "n.csv", names))), &SMALL);
    assert_eq!(found.unwrap_err()[0].code.name(), "N0509");
}

#[test]
fn arrays() {
    let folder = tempfile::tempdir().unwrap();
    let bytes: Vec<u8> = (0..600_000usize).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let idx = [&[0u8, 0, 8, 3, 0, 0, 0x0b, 0xb8, 0, 0, 0, 20, 0, 0, 0, 10][..], &bytes].concat();
    let labels: Vec<u8> = (0..3000usize).map(|i| (i % 7) as u8).collect();
    let labels = [&[0u8, 0, 8, 1, 0, 0, 0x0b, 0xb8][..], &labels].concat();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(&idx).unwrap();
    let spec = IdxSpec {
        inputs: write(&folder, "i.gz", packer.finish().unwrap()),
        targets: Some(write(&folder, "l.idx", labels)),
        handle: None,
        targets_handle: None,
    };
    let split = SplitSpec { valid: 0.25, ..SplitSpec::default() };
    let roles = vec![RoleSpec::new(Role::Input, ["picture"]).scaled(Scaling::Standardize)];
    same(&DataSpec { split: split.clone(), roles: roles.clone(), ..DataSpec::new(SourceSpec::Idx(spec)) });
    for (kind, size) in [("<f4", 4), (">f8", 8), ("<i2", 2), ("|b1", 1), ("<f2", 2)] {
        let n = 60_000 / size * 4;
        let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}, 8), }}\n", n / 8);
        let mut file = b"\x93NUMPY\x01\x00".to_vec();
        file.extend((text.len() as u16).to_le_bytes());
        file.extend(text.as_bytes());
        for i in 0..n {
            let x = (i * 37 % 211) as f64 / 8.0;
            match kind {
                "<f4" => file.extend((x as f32).to_le_bytes()),
                ">f8" => file.extend(x.to_be_bytes()),
                "<i2" => file.extend((x as i16).to_le_bytes()),
                "<f2" => file.extend((0x3c00u16 + i as u16 % 512).to_le_bytes()),
                _ => file.push((i % 2) as u8),
            }
        }
        let npy = NpySpec {
            inputs: write(&folder, "a.npy", &file),
            targets: None,
            handle: None,
            targets_handle: None,
        };
        let spec =
            DataSpec { split: split.clone(), roles: roles.clone(), ..DataSpec::new(SourceSpec::Npy(npy)) };
        same(&spec);
        same(&DataSpec { roles: Vec::new(), ..spec });
    }
}

#[test]
fn texts() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..120_000).map(|i: usize| ['b', 'é', 'a', '\n', '漢', 'z'][i * i % 6]).collect();
    let path = write(&folder, "t.txt", "\u{feff}".to_string() + &text);
    for bytes in [false, true] {
        let spec = TextSpec { path: path.clone(), window: 50, stride: Some(20), bytes, handle: None };
        let split = SplitSpec { valid: 0.1, ..SplitSpec::default() };
        same(&DataSpec { split, ..DataSpec::new(SourceSpec::Text(spec)) });
    }
}

/// What packs better than any data does, and is larger than memory, is not
/// unpacked.
#[test]
fn bombs() {
    let folder = tempfile::tempdir().unwrap();
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(b"a,b\n").unwrap();
    for _ in 0..1000 {
        packer.write_all(&b"1,2\n".repeat(4096)).unwrap();
    }
    let path = write(&folder, "t.csv.gz", packer.finish().unwrap());
    let limits = Limits { memory: 1 << 20 };
    let found = open_with(&DataSpec::new(SourceSpec::csv(path)), &limits).unwrap_err();
    assert_eq!(found[0].code.name(), "N0508", "{found:?}");
}
