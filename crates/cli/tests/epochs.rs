//! What is told while a network trains: on a terminal, as JSON lines, to TensorBoard.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::Place;
use serde_json::Value;
use std::process::Command;

const NET: &str = "data moons 200 seed=1\nsplit valid=20%\ndense 8 tanh\ndense 1 sigmoid\nloss binary_crossentropy\n\
    metrics binary_accuracy\noptimizer adam lr=0.05\nepochs 12\nbatch 16\n";

fn place() -> Place {
    let place = Place::new();
    place.write("net.nn", NET);
    place
}

#[test]
fn json_lines_are_one_object_each_and_nothing_else() {
    let place = place();
    let ran = place.nnc(&["train", "net.nn", "--json-lines"]);
    let lines: Vec<Value> = ran.fine().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let events: Vec<&str> = lines.iter().map(|l| l["event"].as_str().unwrap()).collect();
    assert_eq!((events[0], events[1], events[12], events[13]), ("start", "epoch", "epoch", "end"));
    assert_eq!(events.len(), 14);
    assert_eq!((&lines[0]["rows"], &lines[0]["steps_per_epoch"]), (&160.into(), &10.into()));
    // They are the figures of the history.
    let history = std::fs::read_to_string(place.path("runs/net/1/history.csv")).unwrap();
    let mut rows = history.lines();
    let names: Vec<&str> = rows.next().unwrap().split(',').collect();
    for (line, row) in lines[1..13].iter().zip(rows) {
        for (name, cell) in names.iter().zip(row.split(',')) {
            let told = line[*name].as_f64().unwrap();
            assert!((told - cell.parse::<f64>().unwrap()).abs() <= 1e-7 * told.abs(), "{name} {cell} {line}");
        }
    }
    assert_eq!(lines[13]["epochs"], 12);
}

#[test]
fn every_epoch_is_said_where_asked_for() {
    let place = place();
    let said = |args: &[&str]| {
        let ran = place.nnc(&[&["train", "net.nn"], args].concat());
        ran.err.lines().filter(|l| l.starts_with("epoch ")).count()
    };
    assert_eq!((said(&[]), said(&["-v"]), said(&["-q"])), (5, 12, 0));
}

#[test]
fn the_line_of_a_quiet_run_names_everything() {
    let place = Place::new();
    place.write(
        "net.nn",
        &NET.replace("dense 8", "param hidden = 8\nexperiment small hidden=2\ndense hidden"),
    );
    let line = place.nnc(&["train", "net.nn", "-q", "--as", "small"]).fine();
    for word in ["small  loss ", "  val_loss ", "  val_binary_accuracy ", "  epochs 12  ", "  run runs/net/1"]
    {
        assert!(line.contains(word), "{line}");
    }
    assert_eq!(line.lines().count(), 1);
}

/// What a terminal of so many columns shows: the lines that stay, and the last of those that were written over.
#[cfg(target_os = "linux")]
fn on_a_terminal(place: &Place, columns: u32, args: &str) -> Option<(Vec<String>, Vec<String>)> {
    let nnc = env!("CARGO_BIN_EXE_nnc");
    let command = format!("stty cols {columns} rows 24; {nnc} {args}");
    let output = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(place.path(""))
        .env("TERM", "xterm-256color")
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: there is no `script` here, which makes a terminal");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).replace("\r\n", "\n");
    let clean = |line: &str| line.split("\x1b[K").next().unwrap_or_default().to_string();
    let mut moving = Vec::new();
    let staying = text.lines().map(|line| {
        let parts: Vec<&str> = line.split('\r').collect();
        moving.extend(parts[..parts.len() - 1].iter().map(|p| clean(p)));
        // A line that was cleared before the next is written holds that alone.
        parts
            .last()
            .map_or(String::new(), |last| last.rsplit("\x1b[K").next().unwrap_or_default().to_string())
    });
    let staying = staying.collect();
    Some((staying, moving.into_iter().filter(|m| !m.is_empty()).collect()))
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_keeps_epochs_and_nothing_wraps() {
    let place = place();
    place.write("long.nn", &NET.replace("epochs 12", "epochs 3000"));
    for columns in [40, 80] {
        let Some((staying, _)) = on_a_terminal(&place, columns, "train net.nn --out run --overwrite") else {
            return;
        };
        let epochs: Vec<&String> =
            staying.iter().filter(|l| l.contains("epoch ") && l.contains('/')).collect();
        assert_eq!(epochs.len(), 12, "all of a short run stay: {staying:?}");
        assert!(epochs.iter().all(|l| l.chars().count() < columns as usize), "{epochs:?}");
        let Some((staying, moving)) = on_a_terminal(&place, columns, "train long.nn --out run --overwrite")
        else {
            return;
        };
        let epochs: Vec<&String> =
            staying.iter().filter(|l| l.contains("epoch ") && l.contains('/')).collect();
        assert!(
            (10..60).contains(&epochs.len()) && epochs.iter().any(|l| l.contains("3,000/3,000")),
            "{epochs:?}"
        );
        assert!(moving.iter().any(|l| l.contains("loss")), "{moving:?}");
        for line in &moving {
            assert!(line.chars().count() < columns as usize, "{line}");
        }
    }
}

#[test]
fn the_epoch_where_all_was_right_is_named() {
    let place = Place::new();
    place.spec("xor.nn");
    let ran = place.nnc(&["train", "xor.nn", "--seed", "1"]);
    let history = std::fs::read_to_string(place.path("runs/xor/1/history.csv")).unwrap();
    let first =
        history.lines().skip(1).find(|l| l.ends_with(",1")).unwrap().split(',').next().unwrap().to_string();
    assert!(ran.err.contains(&format!("binary_accuracy was first 1 in epoch {first}\n")), "{}", ran.err);
}

/// TensorBoard's own reader, where there is one.
const READER: &str = "
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1])
events.Reload()
for tag in sorted(events.Tags()['scalars']):
    for e in events.Scalars(tag):
        print(tag, e.step, e.value)
";

#[test]
fn tensorboard_reads_the_figures_back() {
    let place = place();
    place.nnc(&["train", "net.nn", "-q", "--tensorboard", "--epochs", "5"]).fine();
    place.nnc(&["resume", "net.nn", "-q", "--tensorboard", "--epochs", "9"]).fine();
    let files = std::fs::read_dir(place.path("runs/net/1")).unwrap();
    let events =
        files.filter(|f| f.as_ref().unwrap().file_name().to_string_lossy().contains("tfevents")).count();
    assert_eq!(events, 2);
    let python = std::env::var("NNC_PYTHON").unwrap_or("python3".into());
    if !Command::new(&python).args(["-c", "import tensorboard"]).output().is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: {python} has no tensorboard; NNC_PYTHON names one that has");
        return;
    }
    let output = Command::new(&python).args(["-c", READER]).arg(place.path("runs/net/1")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let history = std::fs::read_to_string(place.path("runs/net/1/history.csv")).unwrap();
    let mut want = Vec::new();
    let tags = ["loss/train", "binary_accuracy/train", "loss/validation", "binary_accuracy/validation"];
    for row in history.lines().skip(1) {
        let cells: Vec<f64> = row.split(',').map(|c| c.parse().unwrap()).collect();
        want.extend(
            tags.iter().zip(&cells[1..]).map(|(tag, x)| (tag.to_string(), cells[0] as u64, *x as f32)),
        );
    }
    want.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let read: Vec<(String, u64, f32)> = text
        .lines()
        .map(|l| l.split(' ').collect::<Vec<_>>())
        .map(|w| (w[0].to_string(), w[1].parse().unwrap(), w[2].parse().unwrap()))
        .collect();
    assert_eq!(read, want);
}
