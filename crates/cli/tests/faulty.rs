//! Broken, lying and hostile files, and what people are told about them. Every file is made here; what is said is
//! kept as one snapshot for each kind of source.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, Ran, ran};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Memory of the whole process, so that a file that lies about its size cannot hide: 256 MiB.
const MEMORY_KIB: u32 = 256 << 10;
/// A machine with other work is slow; on a quiet one each takes well below two seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// A picture with nothing wrong.
const GOOD: &[u8] = include_bytes!("../../data/tests/fixtures/images/cold/a.png");

struct Case {
    name: &'static str,
    files: Vec<(&'static str, Vec<u8>)>,
    program: String,
}

fn case(name: &'static str, program: impl Into<String>, files: Vec<(&'static str, Vec<u8>)>) -> Case {
    Case { name, files, program: program.into() }
}

/// A table as text, and a program that reads it.
fn csv(name: &'static str, text: impl Into<Vec<u8>>) -> Case {
    case(name, "data \"f.csv\"", vec![("f.csv", text.into())])
}

/// The same with roles.
fn roles(name: &'static str, lines: &str, text: &str) -> Case {
    case(name, format!("data \"f.csv\" {{\n{lines}\n}}"), vec![("f.csv", text.into())])
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

/// An .npy file with any header.
fn npy(header: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16 + 1).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.push(b'\n');
    bytes.extend(values);
    bytes
}

fn floats(shape: &str, values: &[u8]) -> Vec<u8> {
    npy(&format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({shape}), }}"), values)
}

fn idx(kind: u8, dims: &[u32], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, kind, dims.len() as u8];
    dims.iter().for_each(|d| bytes.extend(d.to_be_bytes()));
    bytes.extend(values);
    bytes
}

/// A PNG of so many pixels each way, without any.
fn png(size: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(size.to_be_bytes());
    bytes.extend(size.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0]);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..]);
    bytes.extend(crc.sum().to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT");
    bytes
}

/// A zip archive of one array that is stored as it is.
fn npz(name: &str, array: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(array);
    let (sum, size) = (crc.sum().to_le_bytes(), (array.len() as u32).to_le_bytes());
    let length = (name.len() as u16).to_le_bytes();
    let common = [&[20, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &sum, &size, &size, &length, &[0, 0]].concat();
    let local = [b"PK\x03\x04", &common[..], name.as_bytes(), array].concat();
    let central = [b"PK\x01\x02\x14\0", &common[..], &[0; 14], name.as_bytes()].concat();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &(central.len() as u32).to_le_bytes(),
        &(local.len() as u32).to_le_bytes(),
        &[0, 0],
    ]
    .concat();
    [local, central, end].concat()
}

/// Looks at the data with little memory.
fn look(place: &Place) -> Ran {
    let nnc = env!("CARGO_BIN_EXE_nnc");
    let mut command = if cfg!(target_os = "linux") {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -v {MEMORY_KIB}; exec \"$0\" data p.nn --memory 128M"), nnc]);
        shell
    } else {
        let mut plain = Command::new(nnc);
        plain.args(["data", "p.nn", "--memory", "128M"]);
        plain
    };
    command.current_dir(place.path(".")).stdin(Stdio::null()).env("COLUMNS", "100").env_remove("NO_COLOR");
    ran(command.output().unwrap())
}

/// Runs the cases and puts together what is said.
fn told(cases: Vec<Case>) -> String {
    let mut all = String::new();
    for case in cases {
        let place = Place::new();
        for (name, bytes) in &case.files {
            let path = place.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        place.write("p.nn", &format!("{}\n", case.program));
        let begin = Instant::now();
        let ran = look(&place);
        assert!(begin.elapsed() < PATIENCE, "{}: {:?}", case.name, begin.elapsed());
        assert_eq!((ran.code, &*ran.out), (2, ""), "{}: {}", case.name, ran.err);
        assert!(ran.err.contains("error[N0"), "{}: {}", case.name, ran.err);
        all.push_str(&format!("#### {}\n\n{}\n", case.name, ran.err.trim_end()));
        all.push('\n');
    }
    all
}

fn snapshot(name: &str, cases: Vec<Case>) {
    let all = told(cases);
    insta::assert_snapshot!(name, all);
}

#[test]
fn tables() {
    let ragged: String = (0..40).map(|i| if i % 2 == 0 { "1,2\n" } else { "1,2,3,4\n" }).collect();
    let wide = vec!["x"; 100_001].join(",");
    let long = format!("a,b\n{},1\n", "x".repeat(17 << 20));
    let open = format!("a,b\n1,\"{}", "2,3\n".repeat(6 << 20));
    let mut latin = b"name,y\ncaf".to_vec();
    latin.extend(b"\xe9,1\ntea,2\n");
    let wide16: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut half16 = vec![0xff, 0xfe];
    half16.extend(&wide16[..wide16.len() - 1]);
    let rows: String = (0..900u32).map(|i| format!("{},{}\n", i * 7919 % 1009, i * i % 997)).collect();
    let cut = gz(format!("a,b\n{rows}").as_bytes());
    let member = gz(&b"0,0\n".repeat(1 << 20));
    snapshot(
        "tables",
        vec![
            csv("an empty file", ""),
            csv("a header without rows", "a,b,y\n"),
            csv("a row too short", "a,b,y\n1,2,3\n4,5\n6,7,8\n"),
            csv("a row too long", "a,b,y\n1,2,3\n4,5,6,7\n"),
            csv("many ragged rows: ten and a count", format!("a,b,y\n1,2,3\n{ragged}")),
            csv("a quote never closed", "a,b\n1,2\n3,\"four\n5,6\n"),
            csv("a quote never closed in 24 MiB", open),
            csv("a row of 17 MiB", long),
            csv("a letter for a digit", "a,b,y\n1,2,3\n1,O,2\n1,l5,2\n2,2,2\n"),
            csv("units, percentages, commas", "a;b;y\n1;2;3\n$4;5%;6\n1,5;2;3\n4;5;6\n7;8;9\n"),
            csv("a number out of range", "a,y\n1,2\n1e999,3\n2,4\n"),
            csv("UTF-16 without its mark", wide16),
            csv("UTF-16 that is cut short", half16),
            csv("a spreadsheet", &b"PK\x03\x04\x14\0\x06\0\x08\0"[..]),
            csv("bytes", &b"\x7fELF\x02\x01\x01\0\0\0\0"[..]),
            csv("Latin-1", latin),
            csv("too many columns", format!("{wide}\n{wide}\n")),
            case(
                "a packed file that is cut short",
                "data \"f.csv.gz\"",
                vec![("f.csv.gz", cut[..2000].to_vec())],
            ),
            case(
                "a packed file with wrong bytes",
                "data \"f.csv.gz\"",
                vec![(
                    "f.csv.gz",
                    cut.iter().enumerate().map(|(i, b)| if i == 1500 { b ^ 0x55 } else { *b }).collect(),
                )],
            ),
            case(
                "a packed file of 4 GiB of zeros",
                "data \"f.csv.gz\"",
                vec![("f.csv.gz", member.repeat(1024))],
            ),
            case("a file that is not there", "data \"flie.csv\"", vec![("file.csv", "a,y\n1,2\n".into())]),
            case("a folder for a file", "data \"d\"", vec![("d/f.csv", "a,y\n1,2\n".into())]),
            case("a pattern that nothing fits", "data \"part-*.csv\"", vec![("f.csv", "a,y\n1,2\n".into())]),
            case(
                "files of different columns",
                "data \"a.csv\" \"b.csv\"",
                vec![("a.csv", "a,y\n1,2\n".into()), ("b.csv", "a,z\n1,2\n".into())],
            ),
        ],
    );
}

#[test]
fn columns() {
    let gaps = "a,kind,y\n1,x,2\n,x,3\n4,,5\n6,z,7\n";
    let few = "a,kind,y\n1,x,2\n2,x,3\n4,z,5\n6,z,7\n";
    let many: String =
        std::iter::once("a,y\n".to_string()).chain((0..40).map(|i| format!("{i},{i}.5\n"))).collect();
    let own = |name, line: &str, other: &str| {
        case(
            name,
            format!("data \"f.csv\" {{ input a; target kind }}\n{line}"),
            vec![("f.csv", few.into()), ("g.csv", other.into())],
        )
    };
    snapshot(
        "columns",
        vec![
            roles("a column that is not there", "input a\ninput knd\ntarget y", few),
            roles("a column in two roles", "input a y\ntarget y", few),
            roles("a column named twice", "input a a\ntarget y", few),
            roles("rest given twice", "input rest\ndrop rest", few),
            roles("nothing left to be an input", "drop a kind\ntarget y", few),
            roles("two weights", "weight a\nweight y\ntarget kind", few),
            roles("a weight below zero", "weight w\ntarget y", "a,w,y\n1,1,2\n2,-1,3\n3,1,3\n"),
            roles("words to standardize", "input kind standardize\ntarget y", few),
            roles("a category to scale", "input kind one_hot standardize\ntarget y", few),
            roles("the logarithm of nothing", "input a log\ntarget y", "a,y\n1,2\n0,3\n-4,5\n"),
            roles("a scale of zero", "input a scale=0\ntarget y", few),
            roles(
                "a date that is none",
                "input d date\ntarget y",
                "d,y\n2024-01-31,1\n2024-02-30,2\nsoon,3\n",
            ),
            roles("the mean of words", "input kind missing=mean\ntarget y", gaps),
            roles("the mean of nothing", "input a missing=mean\ntarget y", "a,y\n,1\n,2\n"),
            roles(
                "dropping every row",
                "input a missing=drop\ninput kind missing=drop\ntarget y",
                "a,kind,y\n1,,2\n,x,3\n",
            ),
            roles("an option that is none", "input a standardise\ntarget y", few),
            case(
                "stratify without classes",
                "data \"f.csv\" { target y }\nsplit valid=50% stratify",
                vec![("f.csv", many.into())],
            ),
            case(
                "too few rows to split",
                "data \"f.csv\"\nsplit valid=50% test=40%",
                vec![("f.csv", "a,y\n1,2\n".into())],
            ),
            case(
                "a group that is no column",
                "data \"f.csv\"\nsplit valid=50% group=shop",
                vec![("f.csv", few.into())],
            ),
            case(
                "a window longer than the series",
                "data \"f.csv\" window=9",
                vec![("f.csv", "a,y\n1,2\n3,4\n".into())],
            ),
            case("a window of nothing", "data \"f.csv\" window=0", vec![("f.csv", "a,y\n1,2\n3,4\n".into())]),
            own("a test without targets", "test \"g.csv\"", "a\n1\n2\n"),
            own("a test with a class that training never saw", "test \"g.csv\"", "a,kind\n1,x\n2,q\n"),
            own("a test without an input", "test \"g.csv\"", "kind\nx\nz\n"),
        ],
    );
}

#[test]
fn arrays() {
    let array = |name, bytes: Vec<u8>| case(name, "data \"f.npy\"", vec![("f.npy", bytes)]);
    let pair = |name, a: Vec<u8>, b: Vec<u8>| {
        case(name, "data npy \"a.npy\" -> \"b.npy\"", vec![("a.npy", a), ("b.npy", b)])
    };
    let nan = [1f32, f32::NAN, 3.0, 4.0].map(f32::to_le_bytes).concat();
    snapshot(
        "arrays",
        vec![
            array("a header that promises 32 GiB", floats("8589934592,", &[0; 64])),
            array("sizes whose product wraps", floats("4294967296, 4294967296, 4294967296", &[0; 64])),
            array("values cut short", floats("10, 2", &[0; 40])),
            array("more values than promised", floats("2, 2", &[0; 400])),
            array("no npy file", b"hello, I am a text\n".to_vec()),
            array("a header longer than the file", b"\x93NUMPY\x01\0\xff\xff{'descr'".to_vec()),
            array("a header that is no dictionary", npy("[1, 2, 3]", &[0; 8])),
            array("a version of the future", b"\x93NUMPY\x09\0\x10\0\0\0{}              \n".to_vec()),
            array(
                "Python objects",
                npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", &[0; 16]),
            ),
            array(
                "records",
                npy(
                    "{'descr': [('a', '<f4'), ('b', '<i4')], 'fortran_order': False, 'shape': (2,), }",
                    &[0; 16],
                ),
            ),
            array(
                "complex numbers",
                npy("{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }", &[0; 16]),
            ),
            array("one number and no list", floats("", &[0; 4])),
            array("no samples", floats("0, 3", &[])),
            pair("a value that is no number", floats("2, 2", &nan), floats("2,", &[0; 8])),
            pair("inputs and targets of different length", floats("2, 2", &[0; 16]), floats("3,", &[0; 12])),
            case("an archive that is none", "data npz \"f.npz\"", vec![("f.npz", b"not a zip".to_vec())]),
            case(
                "an archive that is cut",
                "data npz \"f.npz\"",
                vec![("f.npz", npz("x.npy", &floats("2,", &[0; 8]))[..60].to_vec())],
            ),
            case(
                "an archive without arrays",
                "data npz \"f.npz\"",
                vec![("f.npz", npz("readme.txt", b"hello"))],
            ),
            case(
                "an array that is not in the archive",
                "data npz \"f.npz\" { input y; target x }",
                vec![("f.npz", npz("x.npy", &floats("2,", &[0; 8])))],
            ),
            case(
                "an array in an archive that lies",
                "data npz \"f.npz\" { input x }",
                vec![("f.npz", npz("x.npy", &floats("99999999999,", &[0; 8])))],
            ),
        ],
    );
}

#[test]
fn idx_files() {
    let images = |name, bytes: Vec<u8>| case(name, "data idx \"f.idx\"", vec![("f.idx", bytes)]);
    let pair = |name, a: Vec<u8>, b: Vec<u8>| {
        case(name, "data idx \"a.idx\" -> \"b.idx\"", vec![("a.idx", a), ("b.idx", b)])
    };
    let most = u32::MAX;
    snapshot(
        "idx_files",
        vec![
            images("dimensions of 2^32", idx(8, &[most, most, most], &[0; 64])),
            images("255 axes", idx(8, &[2; 255], &[])),
            images("no IDX file", b"\x89PNG\r\n\x1a\n".to_vec()),
            images("a type that is none", idx(7, &[2], &[1, 2])),
            images("values cut short", idx(8, &[10, 28, 28], &[0; 100])),
            images("more values than promised", idx(8, &[2, 2], &[0; 100])),
            images("a header cut short", vec![0, 0, 8, 3, 0, 0]),
            images("no samples", idx(8, &[0, 28, 28], &[])),
            images("a packed file that lies", gz(&idx(8, &[60_000, 28, 28], &[0; 100]))),
            pair(
                "pictures and labels of different sets",
                idx(8, &[3, 2, 2], &[0; 12]),
                idx(8, &[2], &[0, 1]),
            ),
            pair(
                "labels without their header",
                idx(8, &[3, 2, 2], &[0; 12]),
                idx(8, &[3], &[0, 1]).split_off(8),
            ),
        ],
    );
}

#[test]
fn pictures_and_texts() {
    let picture = |name, bytes: Vec<u8>| {
        case(name, "data images \"d\" 8x8x1", vec![("d/a/1.png", bytes), ("d/b/2.png", GOOD.to_vec())])
    };
    snapshot(
        "pictures_and_texts",
        vec![
            picture("a picture of 60,000 by 60,000", png(60_000)),
            picture("a picture that is a text", b"hello, I am a text and no picture\n".to_vec()),
            picture("a picture cut short", png(4)[..20].to_vec()),
            picture("a picture of no pixels", png(0)),
            picture("half a JPEG", b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01".to_vec()),
            case("a folder without classes", "data images \"d\" 8x8", vec![("d/1.png", png(4))]),
            case(
                "a folder that is not there",
                "data images \"pictures\" 8x8",
                vec![("picture/a/1.png", png(4))],
            ),
            case("no size for pictures", "data images \"d\"", vec![("d/a/1.png", png(4))]),
            case(
                "pictures too large for any memory",
                "data images \"d\" 99999999x99999999",
                vec![("d/a/1.png", png(4))],
            ),
            case(
                "a table that names a picture that is not there",
                "data images \"f.csv\" 8x8",
                vec![("f.csv", "file,kind\nnone.png,a\nneither.png,b\n".into())],
            ),
            case("an empty text", "data text \"f.txt\" window=4", vec![("f.txt", Vec::new())]),
            case(
                "a text shorter than its window",
                "data text \"f.txt\" window=100",
                vec![("f.txt", b"short".to_vec())],
            ),
            case(
                "a text that is none",
                "data text \"f.txt\" window=4",
                vec![("f.txt", b"hello \xff\xfe\x00 world".to_vec())],
            ),
            case(
                "a window that is no number",
                "data text \"f.txt\" window=many",
                vec![("f.txt", b"hello".to_vec())],
            ),
        ],
    );
}
