//! Commands that do not train, streams, and exit codes.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, command, run, specs};
use std::io::Read;

fn in_specs(args: &[&str]) -> common::Ran {
    run(&specs(), args, "")
}

#[test]
fn stages_parse_back() {
    for stage in ["forward", "backward", "step", "plan"] {
        for mode in ["train", "eval"] {
            if mode == "eval" && !["forward", "plan"].contains(&stage) {
                continue;
            }
            let text = in_specs(&["graph", "xor.nn", "--stage", stage, "--mode", mode]).fine();
            let graph = nnc_graph::text::parse(&text).unwrap_or_else(|e| panic!("{stage}: {e}\n{text}"));
            let json = in_specs(&["graph", "xor.nn", "--stage", stage, "--mode", mode, "--format", "json"]);
            let json = json.json();
            let data = if stage == "plan" { &json["graph"] } else { &json };
            assert_eq!(serde_json::to_value(nnc_graph::text::json::data(&graph)).unwrap(), *data, "{stage}");
        }
    }
}

#[test]
fn the_tree_parses_back() {
    let text = in_specs(&["graph", "xor.nn", "--stage", "ast"]).fine();
    let back = nnc_syntax::parse_ast_text(&text).unwrap();
    let source = std::fs::read_to_string(specs().join("xor.nn")).unwrap();
    let mut sources = nnc_syntax::SourceMap::default();
    let id = sources.add("xor.nn", source.as_str());
    assert!(nnc_syntax::same_meaning(&back, &nnc_syntax::parse(&source, id).program));
}

#[test]
fn layers_are_a_program() {
    let text = in_specs(&["graph", "xor.nn", "--stage", "layers"]).fine();
    let mut sources = nnc_syntax::SourceMap::default();
    let id = sources.add("layers", text.as_str());
    let parsed = nnc_syntax::parse(&text, id);
    assert!(parsed.diagnostics.is_empty());
    assert_eq!(parsed.program.stmts.len(), 2, "{text}");
    assert!(text.contains("dense 16 relu") && text.contains("weights=48") && text.contains("xor.nn:"));
}

#[test]
fn every_stage_has_a_picture() {
    for stage in ["ast", "layers", "forward", "backward", "step", "plan"] {
        let dot = in_specs(&["graph", "xor.nn", "--stage", stage, "--format", "dot"]).fine();
        assert!(dot.starts_with("digraph "), "{dot}");
        // Braces and quotes inside labels are escaped or paired.
        let mut quoted = false;
        let mut depth = 0i64;
        let mut before = ' ';
        for c in dot.chars() {
            match c {
                '"' if before != '\\' => quoted = !quoted,
                '{' if !quoted => depth += 1,
                '}' if !quoted => depth -= 1,
                _ => {}
            }
            assert!(depth >= 0, "{dot}");
            before = if before == '\\' { ' ' } else { c };
        }
        assert!(depth == 0 && !quoted, "{dot}");
        assert!(dot.contains("->"), "{dot}");
    }
}

#[test]
fn pictures_are_of_a_part_or_open() {
    let mermaid = in_specs(&["graph", "xor.nn", "--stage", "layers", "--format", "mermaid"]).fine();
    assert!(
        mermaid.starts_with("flowchart ")
            && mermaid.contains("n2[\"dense1<br/>dense 16 relu<br/>48 weights\"]"),
        "{mermaid}"
    );
    assert!(mermaid.contains("n2 -->|\"B×16\"| n3"), "{mermaid}");
    let part =
        in_specs(&["graph", "xor.nn", "--stage", "layers", "--format", "dot", "--around", "dense1"]).fine();
    assert!(part.contains("dense2") && !part.contains("mse"), "{part}");
    let open = in_specs(&["graph", "xor.nn", "--format", "dot", "--depth", "2"]).fine();
    assert!(open.contains("maximum · 0") && open.contains("subgraph"), "{open}");
    let place = Place::new();
    let (xor, picture) = (specs().join("xor.nn"), place.path("x.svg"));
    let ran = place.nnc(&["graph", xor.to_str().unwrap(), "--stage", "step", "--out", "x.svg"]);
    assert_eq!(ran.fine(), "");
    let picture = std::fs::read_to_string(picture).unwrap();
    assert!(
        picture.starts_with("<svg ") && picture.ends_with("</svg>\n") && picture.contains("optimizer adam")
    );
    assert_eq!(place.nnc(&["graph", xor.to_str().unwrap(), "--out", "other.nn"]).code, 2);
    let wrong = in_specs(&["graph", "xor.nn", "--format", "dot", "--around", "dens1"]);
    assert!(wrong.code == 2 && wrong.err.contains("did you mean `dense1`?"), "{}", wrong.err);
    let wrong = in_specs(&["graph", "xor.nn", "--depth", "2"]);
    assert!(wrong.code == 2 && wrong.err.contains("--depth is about pictures"), "{}", wrong.err);
}

#[test]
fn every_program_of_the_repository_is_free_of_mistakes() {
    for entry in std::fs::read_dir(specs()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // Its pictures, or its text, must be fetched first.
        if !name.ends_with(".nn") || name.starts_with("mnist") {
            continue;
        }
        // Real tables lie elsewhere, or nowhere.
        let text = std::fs::read_to_string(specs().join(&name)).unwrap();
        if text.contains("shakespeare.txt") {
            continue;
        }
        let table = text.split("data \"").nth(1).map(|t| t.split('"').next().unwrap().to_string());
        let table = table.map(|t| {
            std::env::var_os("NNC_DATA").map_or(specs().join("../../shared/data"), Into::into).join(t)
        });
        let more: Vec<String> = match &table {
            Some(path) if !path.exists() => continue,
            Some(path) => vec!["--data".into(), path.display().to_string()],
            None => Vec::new(),
        };
        let with = |command: &str| {
            let mut args = vec![command, &name];
            args.extend(more.iter().map(String::as_str));
            in_specs(&args).fine()
        };
        let out = with("check");
        assert!(out.contains("no mistakes, 0 warnings"), "{name}: {out}");
        let out = with("summary");
        assert!(out.contains("weights"), "{name}: {out}");
    }
}

#[test]
fn gradients_are_checked() {
    let out = in_specs(&["check", "xor.nn", "--gradients"]).fine();
    assert!(out.contains("the gradients agree"), "{out}");
    for name in ["dense1.w", "dense1.b", "dense2.w", "dense2.b"] {
        assert!(out.contains(name), "{out}");
    }
}

#[test]
fn the_summary_adds_up() {
    let json = in_specs(&["summary", "xor.nn", "--json"]).json();
    assert_eq!(json["weights"], 65);
    assert_eq!(json["layers"][0]["weights"], 48);
    assert_eq!(json["layers"][1]["shape"], serde_json::json!([1]));
    let text = in_specs(&["summary", "xor.nn"]).fine();
    assert!(text.contains("dense 16 relu") && text.contains("65 weights"), "{text}");
}

#[test]
fn a_bench_is_measured() {
    let json = in_specs(&["bench", "xor.nn", "--seconds", "0.05", "--json"]).json();
    for key in ["steps_per_second", "seconds_per_epoch", "gflops", "peak_bytes"] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key}: {json}");
    }
}

#[test]
fn a_first_program_is_written_once() {
    let place = Place::new();
    assert_eq!(place.nnc(&["new", "first"]).fine(), "first.nn\n");
    let again = place.nnc(&["new", "first.nn"]);
    assert_eq!((again.code, again.out.as_str()), (2, ""));
    assert!(again.err.contains("already there"), "{}", again.err);
    place.nnc(&["train", "first.nn", "-q"]).fine();
    assert_eq!(place.nnc(&["new", "no/where"]).code, 2);
    assert_eq!(place.nnc(&["new", ".."]).code, 2);
}

#[test]
fn usage_mistakes_exit_2() {
    let place = Place::new();
    place.spec("xor.nn");
    for args in [
        &[][..],
        &["trian"],
        &["train"],
        &["train", "xor.nn", "-e", "dense 1"],
        &["train", "xor.nn", "--set", "hidden"],
        &["train", "xor.nn", "--epochs", "0"],
        &["train", "xor.nn", "--memory", "much"],
        &["train", "-", "--data", "-"],
        &["train", "."],
        &["train", "xor.nn", "--data", "none.csv"],
        &["train", "xor.nn", "--init", "none.safetensors"],
        &["eval", "none"],
        &["eval", "xor.nn"],
        &["predict", "xor.csv"],
        &["graph", "xor.nn", "--stage", "step", "--mode", "eval"],
        &["graph", "xor.nn", "--stage", "nothing"],
        &["train", "xor.nn", "--memory", "1k"],
    ] {
        let ran = place.nnc(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.err);
        assert!(!ran.err.is_empty() && !ran.err.contains("panicked"), "{args:?}: {}", ran.err);
    }
    for args in [&["--help"][..], &["--version"], &["train", "--help"]] {
        assert_eq!(place.nnc(args).code, 0);
    }
}

#[test]
fn what_is_no_program_is_a_mistake() {
    let place = Place::new();
    for bytes in
        [&b"\xff\xfe\x00"[..], b"\x89PNG\r\n\x1a\n", b"", b"\0\0\0", b"\r\r\r", b"{{{{", b"\x1b[31mdense 1"]
    {
        std::fs::write(place.path("odd.nn"), bytes).unwrap();
        let ran = place.nnc(&["train", "odd.nn"]);
        assert_eq!(ran.code, 2, "{bytes:?}: {}", ran.err);
        assert!(!ran.err.contains("panicked") && !ran.err.contains('\u{1b}'), "{bytes:?}: {}", ran.err);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_mistake() {
    let place = Place::new();
    let mut rows = String::from("a,b,y\n");
    (0..50_000).for_each(|i| rows.push_str(&format!("{},{},{}\n", i % 2, i % 3, i % 5)));
    place.write("long.csv", &rows);
    let program = "data \"long.csv\"; dense 1; loss mse; optimizer adam; steps 1";
    place.nnc(&["train", "-e", program, "-q", "--out", "run"]).fine();
    let mut child = command(&place.path(""), &["predict", "run"]).spawn().unwrap();
    drop(child.stdin.take());
    let mut first = [0; 6];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"output");
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn a_result_that_cannot_be_written_is_a_mistake() {
    let Ok(full) = std::fs::OpenOptions::new().write(true).open("/dev/full") else { return };
    let mut command = command(&specs(), &["summary", "xor.nn"]);
    let ended = command.stdout(full).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("N0703"));
}

#[test]
fn a_run_explains_itself_without_its_program() {
    let place = Place::new();
    place.spec("xor.nn");
    place.nnc(&["train", "xor.nn", "-q", "--epochs", "1", "--out", "run"]).fine();
    std::fs::remove_file(place.path("xor.nn")).unwrap();
    for stage in ["ast", "layers", "forward", "step", "plan"] {
        let text = place.nnc(&["graph", "run", "--stage", stage]).fine();
        assert!(text.contains("dense"), "{stage}: {text}");
    }
    assert!(place.nnc(&["summary", "run/model.safetensors"]).fine().contains("65 weights"));
    assert_eq!(place.nnc(&["summary", "run", "--seed", "3"]).code, 2);
}
