//! Broken files by the thousand: each is data or faults, never a panic and
//! never slow. `NNC_FUZZ=1000000 cargo test --release -p nnc-data --test fuzz`
//! is the long run; `NNC_FUZZ_SEED` gives other inputs, so that it can be made
//! in pieces.

#![allow(clippy::unwrap_used)]

mod common;

use common::all;
use nnc_data::rng::{Purpose, Stream};
use nnc_data::{
    ColumnName, CsvSpec, DataSpec, Dataset, Extent, IdxSpec, ImagesSpec, Kind, Limits, Missing, NpySpec,
    NpzSpec, PortId, Role, RoleSpec, Scaling, Separator, Skip, SourceSpec, SplitSpec, Stats, Style, TextSpec,
    describe, encode, open_with,
};

/// Values that break arithmetic.
const ODD: [&[u8]; 14] = [
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\x80\0\0\0",
    b"\0\0\0\0",
    b"\xff",
    b"\"",
    b"\n",
    b"\r\n",
    b",",
    b"1e999",
    b"NaN",
    b"-",
    b"99999999999999999999",
    b"\xef\xbb\xbf",
];

/// Changes a seed in one to six places.
fn mutate(seed: &[u8], stream: &Stream, case: u64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let mut at = case * 64;
    let mut next = |n: usize| {
        at += 1;
        stream.below(at, n.max(1) as u64) as usize
    };
    for _ in 0..1 + next(6) {
        let i = next(bytes.len() + 1);
        match next(7) {
            0 if i < bytes.len() => bytes[i] ^= 1 << next(8),
            1 if i < bytes.len() => bytes[i] = next(256) as u8,
            2 => bytes.truncate(i),
            3 => {
                let odd = ODD[next(ODD.len())];
                bytes.splice(i..i, odd.iter().copied());
            }
            4 => {
                let odd = ODD[next(ODD.len())];
                let end = (i + odd.len()).min(bytes.len());
                bytes.splice(i..end, odd.iter().copied());
            }
            5 => {
                let end = (i + next(40)).min(bytes.len());
                let piece = bytes[i..end].to_vec();
                let to = next(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            _ => {
                let end = (i + next(20)).min(bytes.len());
                bytes.drain(i..end);
            }
        }
    }
    bytes
}

/// What must hold of data that was accepted.
fn check(data: &Dataset, spec: &DataSpec) {
    assert!(!data.train.is_empty());
    let sides = [(data.schema.inputs.len(), PortId::Input as fn(usize) -> PortId)];
    for (n, id) in
        sides.into_iter().chain([(data.schema.targets.len(), PortId::Target as fn(usize) -> PortId)])
    {
        for i in 0..n {
            let port = data.schema.port(id(i)).unwrap();
            let values = all(&data.train, id(i));
            assert_eq!(values.len(), data.train.len() * port.size());
            assert!(values.iter().all(|x| x.is_finite()));
            if let Some(classes) = &port.classes {
                assert!(values.iter().all(|x| *x < classes.len() as f64));
            }
        }
    }
    let stats = Stats::from_json(&data.stats.to_json()).unwrap();
    assert_eq!(stats, data.stats);
    let again = encode(&stats, &spec.train).unwrap();
    for r in 0..data.train.len().min(20) {
        let source = data.train.source_row(r).unwrap();
        let there = (0..again.len()).find(|&i| again.source_row(i) == Some(source)).unwrap() as u32;
        let id = PortId::Input(0);
        let (mut a, mut b) = (vec![0f32; again.width(id).unwrap()], vec![0f32; again.width(id).unwrap()]);
        again.gather_f32(id, &[there], &mut a).unwrap();
        data.train.gather_f32(id, &[r as u32], &mut b).unwrap();
        assert_eq!(a, b);
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(default)
}

fn fuzz(name: &str, extension: &str, seeds: &[Vec<u8>], spec: impl Fn(String, u64) -> DataSpec) {
    let count = number("NNC_FUZZ", 400);
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    std::fs::create_dir(folder.path().join("class")).unwrap();
    let path = folder.path().join(format!("class/f.{extension}"));
    let stream = Stream::new(number("NNC_FUZZ_SEED", 0), Purpose::Generator, name.len() as u64);
    let mut accepted = 0u64;
    for case in 0..count {
        let bytes = mutate(&seeds[(case % seeds.len() as u64) as usize], &stream, case);
        std::fs::write(&path, &bytes).unwrap();
        let spec = spec(path.to_string_lossy().into_owned(), case);
        // Now and then so little memory that everything goes to disk.
        let limits = Limits { memory: if case % 4 == 3 { 500 } else { 64 << 20 } };
        let started = std::time::Instant::now();
        match open_with(&spec, &limits) {
            Ok(data) => {
                accepted += 1;
                check(&data, &spec);
            }
            Err(faults) => {
                assert!(!faults.is_empty(), "case {case}");
                assert!(faults.iter().all(|f| !f.message.is_empty()));
            }
        }
        if case % 16 == 0 {
            let _ = describe(&spec, &limits, 3).map(|d| d.text(Style::default()));
        }
        // Unoptimized code may be slow; so may a machine with other work.
        let most = if cfg!(debug_assertions) { 30 } else { 4 };
        assert!(started.elapsed().as_secs() < most, "case {case} took {:?}", started.elapsed());
    }
    assert!(accepted > 0, "no mutation of {name} was ever accepted");
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn csv_files() {
    let seeds: Vec<Vec<u8>> = [
        "a,b,c\n1,2,x\n3,4,y\n5,,x\n7,8,z\n",
        "size;when;kind\r\n1,5;2024-01-31;\"a \"\"b\"\"\"\r\n2,5;2023-02-28;c\r\n,;2020-12-01;c\r\n",
        "1\t2\t3\n4\t5\t6\n7\t8\t9\n",
        "v\n1\n2\n3\n4\n5\n6\n7\n",
        "# us\rx  y\tz\r1  2 -- \r3 4  $5\r\"6 7\" 8 $9\r",
        "sep=;\n0;1;target\n0.5;1,234;u // no\n1.5;2,345;v\n2.5;3,456;u\nTotal;4\n",
        "x,y\nkm,s\nr1,\"1,200\",2%\nr2,2,4%\nr3,3,6%\n",
        "\"carat\",\"cut\"\n0.23,\"Ideal\"\n0.21,\"Premium\"\n1e-3,\"Ideal\"\n",
    ]
    .map(|t| t.as_bytes().to_vec())
    .to_vec();
    let rules = [Missing::Mean, Missing::Median, Missing::Mode, Missing::Drop, Missing::Number(0.0)];
    fuzz("csv", "csv", &seeds, |path, case| {
        let mut csv = CsvSpec::new(path);
        csv.dialect.decimal_comma = (case % 11 == 0).then_some(true);
        csv.dialect.separator = (case % 13 == 1).then_some(Separator::Blanks);
        csv.dialect.thousands = (case % 13 == 2).then_some([',', '.', '\''][(case % 3) as usize]);
        csv.dialect.na = (case % 13 == 3).then(|| vec!["-".into(), "4".into(), "x".into()]);
        csv.dialect.comment = (case % 13 == 4).then(|| ["#", "//"][(case % 2) as usize].into());
        csv.dialect.skip = match case % 13 {
            5 => Some(Skip::First(case % 3)),
            6 => Some(Skip::Lines(vec![2, 3, 3, 900])),
            _ => None,
        };
        csv.dialect.skip_last = (case % 13 == 7).then_some(case as usize % 3);
        csv.dialect.encoding =
            (case % 13 == 8).then(|| ["latin1", "utf-16le", "shift_jis"][(case % 3) as usize].into());
        csv.dialect.header = (case % 13 == 9).then_some(case % 2 == 0);
        csv.window = (case % 7 == 0).then_some(Extent::Rows(2));
        if case % 11 == 5 {
            (csv.window, csv.max_length) = (Some(Extent::Series), Some(1 + case as usize % 5));
            csv.by = vec![ColumnName::new("c1", None)];
        }
        let mut inputs = RoleSpec::rest(Role::Input).missing(rules[(case % 5) as usize].clone());
        inputs.indicator = case % 3 == 0;
        match case % 4 {
            0 => inputs = inputs.scaled(Scaling::Standardize),
            1 => inputs = inputs.scaled(Scaling::MinMax).scaled(Scaling::Standardize),
            2 => inputs = inputs.kind(Kind::OneHot),
            _ => {}
        }
        let mut roles = if case % 6 == 0 { Vec::new() } else { vec![inputs] };
        if case % 5 == 1 {
            roles.push(RoleSpec::new(Role::Input, ["when"]).kind(Kind::Date).missing(Missing::Drop));
        }
        let split = SplitSpec {
            valid: if case % 2 == 0 { 0.2 } else { 0.0 },
            stratify: case % 9 == 0,
            ordered: case % 9 == 1,
            ..SplitSpec::default()
        };
        DataSpec { roles, split, ..DataSpec::new(SourceSpec::Csv(csv)) }
    });
}

#[test]
fn npy_files() {
    let seeds = [fixture("c.npy"), fixture("labels.npy"), fixture("resized.npy")];
    fuzz("npy", "npy", &seeds, |inputs, _| {
        DataSpec::new(SourceSpec::Npy(NpySpec { inputs, targets: None, handle: None, targets_handle: None }))
    });
}

#[test]
fn npz_files() {
    let seeds = [fixture("stored.npz"), fixture("types.npz")];
    fuzz("npz", "npz", &seeds, |path, case| {
        let names = [["x", "y"], ["f_big_f4", "target"]][(case % 2) as usize];
        DataSpec {
            roles: vec![
                RoleSpec::new(Role::Input, [names[0]]),
                RoleSpec::new(Role::Target, [names[1]]).missing(Missing::Drop),
            ],
            ..DataSpec::new(SourceSpec::Npz(NpzSpec { path, handle: None }))
        }
    });
}

#[test]
fn idx_files() {
    let mut float = vec![0, 0, 0x0d, 2, 0, 0, 0, 2, 0, 0, 0, 3];
    (0..6u8).for_each(|x| float.extend(f32::from(x).to_be_bytes()));
    let seeds = [
        [vec![0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 2], (0..16).collect()].concat(),
        float,
        vec![0, 0, 9, 1, 0, 0, 0, 3, 1, 2, 3],
    ];
    fuzz("idx", "idx", &seeds, |inputs, _| {
        DataSpec::new(SourceSpec::Idx(IdxSpec { inputs, targets: None, handle: None, targets_handle: None }))
    });
}

#[test]
fn pictures() {
    let seeds = [
        "cold/a.png",
        "cold/b.PNG",
        "cold/c.png",
        "cold/d.png",
        "warm/a.jpg",
        "warm/b.jpeg",
        "warm/c.jpg",
        "warm/d.jpg",
    ]
    .map(|n| fixture(&format!("images/{n}")));
    fuzz("pictures", "png", &seeds, |path, case| {
        let root = path.strip_suffix("/class/f.png").unwrap().to_string();
        let shape = [[6, 8, 3], [5, 3, 1]][(case % 2) as usize];
        DataSpec::new(SourceSpec::Images(ImagesSpec { path: root, shape, handle: None }))
    });
}

#[test]
fn texts() {
    let seeds = ["hello wörld\nhello\n".as_bytes().to_vec(), b"abcabcabcabc".to_vec()];
    fuzz("text", "txt", &seeds, |path, case| {
        let stride = (case % 3 == 0).then_some(1);
        let text = TextSpec { path, window: 4, stride, bytes: case % 4 == 0, handle: None };
        DataSpec::new(SourceSpec::Text(text))
    });
}

#[test]
fn statistics_of_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let text = "a,b,when,c\n1,x,2024-01-01,p\n,y,2024-02-01,q\n3,x,2024-03-01,p\n4,y,2024-05-01,q\n";
    let path = common::write(&folder, "t.csv", text);
    let spec = DataSpec {
        roles: vec![
            RoleSpec::new(Role::Input, ["a"]).scaled(Scaling::Standardize).missing(Missing::Mean),
            RoleSpec::new(Role::Input, ["when"]).kind(Kind::Date),
            RoleSpec::rest(Role::Input),
        ],
        ..DataSpec::new(SourceSpec::csv(&path))
    };
    let json = open_with(&spec, &Limits::default()).unwrap().stats.to_json();
    let count = number("NNC_FUZZ", 400);
    let stream = Stream::new(1 + number("NNC_FUZZ_SEED", 0), Purpose::Generator, 9);
    for case in 0..count {
        let bytes = mutate(json.as_bytes(), &stream, case);
        let Ok(stats) = Stats::from_json(&String::from_utf8_lossy(&bytes)) else { continue };
        if let Ok(table) = encode(&stats, &spec.train) {
            for i in 0..stats.schema.inputs.len() {
                let _ = table.width(PortId::Input(i)).map(|_| all(&table, PortId::Input(i)));
            }
        }
    }
}
