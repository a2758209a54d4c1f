//! The commands of docs/experiments.md work as they stand there.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use std::path::Path;
use std::process::Command;

const PAGE: &str = include_str!("../../../docs/experiments.md");

/// The blocks of a language.
fn blocks(language: &str) -> Vec<&'static str> {
    let all = PAGE.split("\n```").skip(1).step_by(2);
    all.filter_map(|b| b.split_once('\n'))
        .filter(|(head, _)| *head == language)
        .map(|(_, body)| body)
        .collect()
}

/// A folder with the page's program.
fn place() -> Place {
    let place = Place::new();
    place.write("net.nn", blocks("nn")[0]);
    place
}

/// A command that finds `nnc` as a user's shell does.
fn with_nnc(place: &Place, program: &str) -> Command {
    let nnc = Path::new(env!("CARGO_BIN_EXE_nnc")).parent().unwrap().to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(nnc).chain(std::env::split_paths(&path));
    let mut command = Command::new(program);
    command.current_dir(place.path("")).env("PATH", std::env::join_paths(all).unwrap());
    command
}

fn fine(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    out.into_owned()
}

#[cfg(unix)]
#[test]
fn the_commands_of_the_page_work() {
    let place = place();
    let all = blocks("sh");
    assert_eq!(all.len(), 3);
    for line in all.iter().flat_map(|b| b.lines()).filter(|l| !l.is_empty()) {
        let out = fine(with_nnc(&place, "sh").args(["-c", line]));
        assert!(!out.is_empty() || line.contains("--remove"), "{line}");
    }
}

#[cfg(unix)]
#[test]
fn a_slurm_array_trains_each_seed_once() {
    let place = place();
    place.write("array.sh", blocks("slurm")[0]);
    let task = |seed: &str| fine(with_nnc(&place, "sh").arg("array.sh").env("SLURM_ARRAY_TASK_ID", seed));
    let lines: Vec<String> = ["3", "4"].map(task).to_vec();
    assert!(lines[0].contains("array/3") && lines[1].contains("array/4"), "{lines:?}");
    assert!(task("3").is_empty(), "what is done is not done again");
    // A task that was killed has a checkpoint and no run.json: it goes on to the same end.
    let whole = std::fs::read(place.path("array/4/model.safetensors")).unwrap();
    let args = ["train", "net.nn", "--seed", "4", "--steps", "5", "-q", "--out", "array/4", "--overwrite"];
    place.nnc(&args).fine();
    assert_ne!(whole, std::fs::read(place.path("array/4/model.safetensors")).unwrap());
    std::fs::remove_file(place.path("array/4/run.json")).unwrap();
    // It was to have 5 steps, which are done: `resume` says so, and does nothing.
    let again = with_nnc(&place, "sh").arg("array.sh").env("SLURM_ARRAY_TASK_ID", "4").output().unwrap();
    let err = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(err.contains("has done its 5 steps"), "{err}");
}

#[cfg(unix)]
#[test]
fn gnu_parallel_trains_over_seeds() {
    if !Command::new("parallel").arg("--version").output().is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: GNU parallel is not installed");
        return;
    }
    let place = place();
    fine(with_nnc(&place, "sh").args(["-c", blocks("parallel")[0]]));
    let all = std::fs::read_to_string(place.path("all.jsonl")).unwrap();
    let seeds: Vec<serde_json::Value> = all.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(seeds.len(), 6);
    assert!(place.path("out/8-3/model.safetensors").exists());
}

#[cfg(unix)]
#[test]
fn optuna_tunes_a_program() {
    let python = std::env::var("NNC_PYTHON").unwrap_or("python3".into());
    if !Command::new(&python).args(["-c", "import optuna"]).output().is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: {python} has no optuna; NNC_PYTHON names one that has");
        return;
    }
    let place = place();
    place.write("tune.py", blocks("python")[0]);
    let out = fine(with_nnc(&place, &python).arg("tune.py"));
    assert!(out.contains("hidden") && place.path("optuna/11/run.json").exists(), "{out}");
}
