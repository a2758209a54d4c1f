//! `--engine xla`: the same trainings on the devices of JAX. Needs a Python with JAX, which NNC_PYTHON names.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Place, Ran, command, ran};
use std::fmt::Write;
use std::process::{Command, Stdio};

/// A Python with JAX, if there is one.
fn python() -> Option<String> {
    // Of whatever Python a machine has the versions are not known.
    let Ok(python) = std::env::var("NNC_PYTHON") else {
        eprintln!("skipped: NNC_PYTHON names no Python to compare with");
        return None;
    };
    let there = Command::new(&python).args(["-c", "import jax"]).output().is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("skipped: `{python}` has no JAX; NNC_PYTHON names one that has");
    }
    there.then_some(python)
}

/// A folder with columns of numbers, a text, and a program over them.
fn place(body: &str) -> Place {
    let place = Place::new();
    let mut state = 5u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 30) - 1.0
    };
    let mut table: String = (0..36).map(|i| format!("x{i},")).collect();
    table.push_str("y\n");
    for _ in 0..72 {
        let row: Vec<f64> = (0..36).map(|_| (next() * 1e4).round() / 1e4).collect();
        row.iter().for_each(|x| write!(table, "{x},").unwrap());
        writeln!(table, "{}", u8::from(row.iter().take(4).sum::<f64>() > 0.0)).unwrap();
    }
    place.write("rows.csv", &table);
    place.write("text.txt", &"the cat sat on the mat, the dog on the log. ".repeat(30));
    let data = if body.contains("embed") {
        "data text \"text.txt\" window=12 stride=18"
    } else {
        "data \"rows.csv\" { target y; input rest }"
    };
    place.write("net.nn", &format!("{data}\n{body}\n"));
    place
}

fn loss(ran: Ran) -> f64 {
    ran.json()["loss"].as_f64().unwrap()
}

const COMMON: [&str; 5] = ["--json", "-q", "--no-report", "--steps", "30"];

/// The loss after 30 steps, some of them of the rows that are left of a batch.
fn trained(place: &Place, more: &[&str]) -> f64 {
    let mut args = vec!["train", "net.nn"];
    args.extend(COMMON);
    args.extend(more);
    // Whatever devices the machine has, these are processors.
    let child = command(&place.path(""), &args).env("JAX_PLATFORMS", "cpu").spawn().unwrap();
    loss(ran(child.wait_with_output().unwrap()))
}

/// The same curve in both precisions, on one device and on four.
fn same(body: &str) {
    if python().is_none() {
        return;
    }
    let place = place(body);
    for (precision, near) in [("f32", 1e-5), ("f64", 1e-12)] {
        let here = trained(&place, &["--precision", precision]);
        for devices in [&[][..], &["--devices", "4"]] {
            let there = trained(&place, &[&["--precision", precision, "--engine", "xla"], devices].concat());
            assert!((here - there).abs() <= near, "{precision} {devices:?}: {here} {there}");
        }
    }
}

const END: &str = "loss binary_crossentropy; optimizer adam; batch 16";

#[test]
fn statistics_of_batches_and_masks_of_dropout() {
    same(&format!("dense 12; batchnorm; relu; dropout 20%; dense 1 sigmoid; {END}"));
}

#[test]
fn pools_and_convolutions() {
    same(&format!(
        "reshape 6x6x1; conv 4 3x3 relu same; maxpool 2x2 same stride=2; conv 3 2x2; flatten; dense 1 sigmoid; {END}"
    ));
}

#[test]
fn loops() {
    same(&format!("reshape 6x6; lstm 5 sequence; gru 4; dense 1 sigmoid; {END}"));
}

#[test]
fn a_small_gpt() {
    same(
        "embed 8; positions; transformer 2 causal; dense input.classes softmax\nloss crossentropy; optimizer adamw; clip 1.0; batch 16",
    );
}

#[test]
fn weights_may_lie_on_several_devices() {
    if python().is_none() {
        return;
    }
    let place = place(&format!("dense 16 relu; dense 8 tanh; dense 1 sigmoid; {END}"));
    let here = trained(&place, &["--precision", "f64"]);
    for parallel in ["dp", "fsdp", "dp=2,tp=2", "fsdp=2,tp=2"] {
        let options = ["--precision", "f64", "--engine", "xla", "--devices", "4", "--parallel", parallel];
        let there = trained(&place, &options);
        assert!((here - there).abs() <= 1e-12, "{parallel}: {here} {there}");
    }
}

#[test]
fn two_processes_are_one_run() {
    let Some(python) = python() else { return };
    let place = place(&format!("dense 16 relu; dense 1 sigmoid; {END}"));
    let here = trained(&place, &["--precision", "f64"]);
    // A port that nobody had a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let start = |id: &str| {
        let mut args = vec!["train", "net.nn", "--precision", "f64", "--engine", "xla", "--devices", "2"];
        args.extend(COMMON);
        args.extend(["--python", &python, "--coordinator", &address, "--hosts", "2", "--host-id", id]);
        command(&place.path(""), &args).env("JAX_PLATFORMS", "cpu").stdin(Stdio::null()).spawn().unwrap()
    };
    let both = [start("1"), start("0")].map(|child| ran(child.wait_with_output().unwrap()));
    for there in both.map(loss) {
        assert!((here - there).abs() <= 1e-12, "{here} {there}");
    }
    let runs = std::fs::read_dir(place.path("runs/net")).unwrap().count();
    assert_eq!(runs, 2, "the run here, and one of both processes");
}

#[test]
fn a_run_goes_on_elsewhere() {
    if python().is_none() {
        return;
    }
    let place = place(&format!("dense 16 relu; dropout 10%; dense 1 sigmoid; {END}"));
    let whole = trained(&place, &["--precision", "f64"]);
    for (first, then) in [("cpu", "xla"), ("xla", "cpu")] {
        let quiet = ["--json", "-q", "--no-report"];
        let run = |args: &[&str]| {
            let all = [args, &quiet].concat();
            let child = command(&place.path(""), &all).env("JAX_PLATFORMS", "cpu").spawn().unwrap();
            loss(ran(child.wait_with_output().unwrap()))
        };
        run(&["train", "net.nn", "--precision", "f64", "--engine", first, "--steps", "15", "--out", first]);
        let resumed = run(&["resume", first, "--engine", then, "--steps", "30"]);
        assert!((whole - resumed).abs() <= 1e-12, "{first} {then}: {whole} {resumed}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let place = place(&format!("dense 1 sigmoid; {END}"));
    let cases: [(&[&str], &str); 4] = [
        (&["--engine", "xla", "--python", "no-such-python"], "`no-such-python` cannot be started"),
        (&["--devices", "2"], "--devices is a matter of the engine xla"),
        (&["--engine", "xla", "--parallel", "pp"], "dp, fsdp, or numbers of devices"),
        (
            &["--engine", "xla", "--coordinator", "a:1", "--hosts", "2", "--host-id", "2"],
            "--host-id 2 of 2 machines",
        ),
    ];
    for (args, wanted) in cases {
        let ran = place.nnc(&[&["train", "net.nn"], args].concat());
        assert_eq!(ran.code, 2, "{args:?} {}", ran.err);
        assert!(ran.err.contains(wanted), "{args:?} {}", ran.err);
    }
    if python().is_some() {
        let options = ["train", "net.nn", "--engine", "xla", "--devices", "3", "--parallel", "dp=2,tp=2"];
        let child = command(&place.path(""), &options).env("JAX_PLATFORMS", "cpu").spawn().unwrap();
        let ran = ran(child.wait_with_output().unwrap());
        assert!(ran.err.contains("dp=2 times tp=2 is not the number of devices, 3"), "{}", ran.err);
    }
}
