//! `nnc export c`: a trained network as C, compiled and asked about the same rows.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use common::{Place, numbers};
use serde_json::Value;
use std::fmt::Write;
use std::process::Command;

fn has_compiler() -> bool {
    let there = Command::new("gcc").arg("--version").output().is_ok();
    if !there {
        eprintln!("skipped: this machine has no gcc");
    }
    there
}

/// Whether a compiler makes programs that run here.
fn can(compiler: &str, flags: &[&str]) -> bool {
    let place = Place::new();
    place.write("probe.c", "#include <math.h>\nint main(void) { return 0; }\n");
    let built = Command::new(compiler)
        .args(flags)
        .args(["-o", "probe", "probe.c", "-lm"])
        .current_dir(place.path(""))
        .output();
    let can = built.is_ok_and(|o| o.status.success())
        && Command::new(place.path("probe")).status().is_ok_and(|s| s.success());
    if !can {
        eprintln!("skipped: this machine has no {compiler} {}", flags.join(" "));
    }
    can
}

/// Compiles a program around `model.c` and runs it.
fn compiled(place: &Place, main: &str, stdin: &str, flags: &[&str]) -> String {
    compiled_by(place, "gcc", main, stdin, flags)
}

fn compiled_by(place: &Place, compiler: &str, main: &str, stdin: &str, flags: &[&str]) -> String {
    place.write("main.c", main);
    let exe = place.path("main");
    let strict = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O2"];
    let built = Command::new(compiler)
        .args(strict)
        .args(flags)
        .args(["-o", "main", "main.c", "model.c", "-lm"])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{}", errors.chars().take(3000).collect::<String>());
    place.write("stdin.txt", stdin);
    let ran =
        Command::new(exe).stdin(std::fs::File::open(place.path("stdin.txt")).unwrap()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

/// Every number that `nnc predict` says, row by row.
fn said(place: &Place, args: &[&str]) -> Vec<Vec<f64>> {
    let json = place.nnc(args).json();
    let rows = json["rows"].as_array().unwrap();
    let flat = |v: &Value| -> Vec<f64> {
        match v {
            Value::Number(x) => vec![x.as_f64().unwrap()],
            Value::Array(all) => all
                .iter()
                .flat_map(|x| x.as_array().cloned().unwrap_or_else(|| vec![x.clone()]))
                .map(|x| x.as_f64().unwrap())
                .collect(),
            Value::Null | Value::Bool(_) | Value::String(_) | Value::Object(_) => Vec::new(),
        }
    };
    rows.iter()
        .map(|row| row.get("output.values").or(row.get("output")).map(flat).unwrap_or_default())
        .collect()
}

fn worst(ours: &str, theirs: &[Vec<f64>]) -> f64 {
    let lines: Vec<&str> = ours.lines().collect();
    assert_eq!(lines.len(), theirs.len());
    let mut worst = 0.0f64;
    for (line, wanted) in lines.iter().zip(theirs) {
        let got: Vec<f64> = line.split_whitespace().map(|x| x.parse().unwrap()).collect();
        assert_eq!(got.len(), wanted.len(), "{line} {wanted:?}");
        for (a, b) in got.iter().zip(wanted) {
            assert!(a.is_finite());
            worst = worst.max((a - b).abs() / b.abs().max(1.0));
        }
    }
    worst
}

/// A program that reads rows of so many numbers and prints so many of each answer.
fn reader(columns: usize, outputs: usize) -> String {
    format!(
        "#include <stdio.h>
#include <string.h>
#include \"model.h\"
int main(void)
{{
    static float work[MODEL_WORK];
    static double cells[{columns}];
    for (;;) {{
        model_row row;
        model_answer answer;
        double said[{outputs}];
        for (int i = 0; i < {columns}; i++)
            if (scanf(\"%lf\", &cells[i]) != 1) return 0;
        memcpy(&row, cells, sizeof row);
        if (model_predict(&row, &answer, work)) return 1;
        memcpy(said, &answer.output, sizeof said);
        for (int i = 0; i < {outputs}; i++) printf(\"%.9g \", said[i]);
        printf(\"\\n\");
    }}
}}
"
    )
}

/// Trains a program over columns of numbers, exports it, and compares 1,000 answers.
fn same(body: &str, columns: usize, outputs: usize, options: &[&str]) {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    let table = numbers(1000, columns);
    place.write("rows.csv", &table);
    place.write("net.nn", &format!("data \"rows.csv\" {{ target y; input rest }}\n{body}\n"));
    place.nnc(&["train", "net.nn", "-q", "--epochs", "1", "--no-report"]).fine();
    let mut args = vec!["export", "c", "net.nn", "-o", "model.c"];
    args.extend(options);
    place.nnc(&args).fine();
    let cells: String =
        table.lines().skip(1).map(|line| line.rsplit_once(',').unwrap().0.replace(',', " ") + "\n").collect();
    let theirs = said(&place, &["predict", "net.nn", "--json"]);
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    for (compiler, flags) in [
        ("gcc", &[][..]),
        ("gcc", &sanitizers),
        ("gcc", &["-O3", "-march=native"]),
        ("gcc", &["-m32"]),
        ("clang", &[]),
    ] {
        if !can(compiler, flags) {
            continue;
        }
        let ours = compiled_by(&place, compiler, &reader(columns, outputs), &cells, flags);
        let worst = worst(&ours, &theirs);
        assert!(worst < 1e-5, "{compiler} {flags:?}: {worst:e}");
    }
}

const END: &str = "optimizer adam; batch 50";

#[test]
fn a_dense_net() {
    same(
        &format!("dense 32 relu; dense 16 tanh; dense 1 sigmoid; loss binary_crossentropy; {END}"),
        6,
        1,
        &[],
    );
}

#[test]
fn without_math_h() {
    same(
        &format!("dense 32 gelu; dense 16 silu; dense 1 sigmoid; loss binary_crossentropy; {END}"),
        6,
        1,
        &["--no-math"],
    );
}

#[test]
fn a_convolutional_net() {
    same(
        &format!(
            "reshape 12x12x1; conv 8 3x3 relu same; maxpool 2x2; conv 20 3x3 relu stride=2; flatten; dropout 30%; dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        144,
        1,
        &[],
    );
}

#[test]
fn convolutions_of_other_kinds() {
    same(
        &format!(
            "reshape 8x6x4; depthwise 3x3 same; conv 6 2x2 groups=2; conv_transposed 3 3x3 stride=2 same; global_avgpool; dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        192,
        1,
        &[],
    );
}

#[test]
fn an_lstm() {
    same(
        &format!("reshape 12x3; lstm 24 sequence; lstm 10; dense 1 sigmoid; loss binary_crossentropy; {END}"),
        36,
        1,
        &[],
    );
}

#[test]
fn a_gru_in_both_directions() {
    same(&format!("reshape 12x3; gru 9 both; dense 1 sigmoid; loss binary_crossentropy; {END}"), 36, 1, &[]);
}

#[test]
fn a_residual_block() {
    same(
        &format!(
            "reshape 6x6x2; conv 4 3x3 same\nstart = it\nbatchnorm; relu; conv 4 3x3 same; add start; relu\nglobal_avgpool; dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        72,
        1,
        &[],
    );
}

#[test]
fn batch_normalisation_is_folded() {
    same(&format!("dense 16; batchnorm; relu; dense 1 sigmoid; loss binary_crossentropy; {END}"), 6, 1, &[]);
}

#[test]
fn a_transformer() {
    same(
        &format!(
            "reshape 9x8; positions; transformer 2 causal; layernorm; mean(it, axis=0); dense 1 sigmoid; loss binary_crossentropy; {END}"
        ),
        72,
        1,
        &[],
    );
}

#[test]
fn a_table_with_words_gaps_and_units() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    let kinds = ["small \"box\"", "big\\box", "größer?", "other"];
    let mut table = String::from("kind,size in m,\"a,b\",int,price\n");
    let mut rows = Vec::new();
    for i in 0..1000usize {
        let kind = (i % 7 != 3).then_some(kinds[i * 13 % 4]);
        let size = (i % 11 != 5).then_some(((i * 37 % 101) as f64) / 10.0);
        let (b, int) = (1.0 + (i * 17 % 29) as f64, (i % 5) as f64);
        let price = 100.0 + 20.0 * size.unwrap_or(4.0) + 7.0 * b + int;
        let quoted = kind.map(|k| format!("\"{}\"", k.replace('"', "\"\""))).unwrap_or_default();
        writeln!(table, "{quoted},{},{b},{int},{price}", size.map(|s| s.to_string()).unwrap_or_default())
            .unwrap();
        rows.push((kind, size, b, int));
    }
    place.write("rows.csv", &table);
    place.write(
        "net.nn",
        "data \"rows.csv\" {\n  target price standardize\n  input kind one_hot missing=mode\n  input \"size in m\" standardize missing=median indicator\n  input \"a,b\" log standardize\n  input int\n}\ndense 8 relu; dense 1; loss mse; optimizer adam; batch 50\n",
    );
    place.nnc(&["train", "net.nn", "-q", "--epochs", "2", "--no-report"]).fine();
    place.nnc(&["export", "c", "net.nn", "-o", "model.c"]).fine();
    let header = std::fs::read_to_string(place.path("model.h")).unwrap();
    assert!(
        header.contains("double size_in_m;")
            && header.contains("double a_b;")
            && header.contains("double v_int;"),
        "{header}"
    );
    let text = |t: &str| -> String { t.bytes().map(|b| format!("\\{b:03o}")).collect() };
    let cells: String = rows
        .iter()
        .map(|(kind, size, b, int)| {
            let kind = kind.map_or("0".into(), |k| format!("\"{}\"", text(k)));
            let size = size.map_or("NAN".into(), |s| s.to_string());
            format!("    {{ .kind = {kind}, .size_in_m = {size}, .a_b = {b}, .v_int = {int} }},\n")
        })
        .collect();
    let main = |rows: &str| {
        format!(
            "#include <math.h>\n#include <stdio.h>\n#include \"model.h\"\nstatic const model_row rows[] = {{\n{rows}}};\nint main(void)\n{{\n    static float work[MODEL_WORK];\n    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {{\n        model_answer answer;\n        const int wrong = model_predict(&rows[i], &answer, work);\n        if (wrong) printf(\"-%d\\n\", wrong);\n        else printf(\"%.9g\\n\", answer.output[0]);\n    }}\n    return 0;\n}}\n"
        )
    };
    let ours = compiled(&place, &main(&cells), "", &[]);
    let theirs = said(&place, &["predict", "net.nn", "--json"]);
    let worst = worst(&ours, &theirs);
    assert!(worst < 1e-5, "{worst:e}");
    // What training never saw, and gaps without a rule, are no answers: the member's number is said.
    let strange = "{ .kind = \"never seen\", .size_in_m = 1, .a_b = 1, .v_int = 1 }, { .kind = \"other\", .size_in_m = 1, .a_b = NAN, .v_int = 1 },\n{ .kind = \"other\", .size_in_m = 1, .a_b = 0, .v_int = 1 },\n";
    assert_eq!(compiled(&place, &main(strange), "", &[]), "-1\n-3\n-3\n");
}

#[test]
fn a_text_model_takes_numbers_of_characters() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    let text: String = (0..3000).map(|i| ["the cat ", "sat on ", "a mat. "][i * i % 3]).collect();
    place.write("text.txt", &text);
    place.write(
        "net.nn",
        "data text \"text.txt\" window=12 stride=7\nembed 16\ntransformer 2 causal\nlstm 8 sequence\ndense input.classes softmax\nloss crossentropy\noptimizer adam; batch 50\n",
    );
    place.nnc(&["train", "net.nn", "-q", "--epochs", "1", "--no-report"]).fine();
    place.nnc(&["export", "c", "net.nn", "-o", "model.c"]).fine();
    let mut letters: Vec<char> = text.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    let all: Vec<u32> = text.chars().map(u32::from).collect();
    let theirs = said(&place, &["predict", "net.nn", "--json"]);
    let windows = theirs.len();
    let cells: String = (0..windows)
        .map(|w| all[w * 7..w * 7 + 12].iter().map(|c| format!("{c} ")).collect::<String>() + "\n")
        .collect();
    let main = format!(
        "#include <stdio.h>
#include \"model.h\"
int main(void)
{{
    static float work[MODEL_WORK], x[12], y[12 * {n}];
    for (;;) {{
        for (int i = 0; i < 12; i++) {{
            int letter;
            if (scanf(\"%d\", &letter) != 1) return 0;
            for (x[i] = 0; model_input_classes[(int)x[i]][0] != letter; x[i]++) continue;
        }}
        model_run(x, y, work);
        for (int i = 0; i < 12 * {n}; i++) printf(\"%.9g \", (double)y[i]);
        printf(\"\\n\");
    }}
}}
",
        n = letters.len()
    );
    let worst = worst(&compiled(&place, &main, &cells, &[]), &theirs);
    assert!(windows > 1000 && worst < 1e-5, "{windows} {worst:e}");
}

#[test]
fn weights_of_one_byte_and_what_they_cost() {
    if !has_compiler() {
        return;
    }
    let place = Place::new();
    let table = numbers(1000, 36);
    place.write("rows.csv", &table);
    place.write(
        "net.nn",
        "data \"rows.csv\" { target y; input rest }\nsplit test=20%\nreshape 6x6x1; conv 6 3x3 relu; flatten; dense 20 relu; dense 1 sigmoid\nloss binary_crossentropy; metrics binary_accuracy; optimizer adam; batch 50\n",
    );
    place.nnc(&["train", "net.nn", "-q", "--epochs", "3", "--no-report"]).fine();
    let ran = place.nnc(&["export", "c", "net.nn", "-o", "model.c", "--int8"]);
    assert!(
        ran.err.contains("on 200 rows (test): loss 0.") && ran.err.contains("binary_accuracy"),
        "{}",
        ran.err
    );
    ran.fine();
    let cells: String =
        table.lines().skip(1).map(|l| l.rsplit_once(',').unwrap().0.replace(',', " ") + "\n").collect();
    let ours = compiled(&place, &reader(36, 1), &cells, &[]);
    let worst = worst(&ours, &said(&place, &["predict", "net.nn", "--json"]));
    assert!(worst > 1e-6 && worst < 0.05, "{worst:e}");
    let source = std::fs::read_to_string(place.path("model.c")).unwrap();
    assert!(source.contains("static const int8_t p_conv1_k[54]"), "{}", &source[..400]);
}

/// A program that goes on with a training for some steps of all rows, prints the objective of each, and then what the
/// network says of the first row.
fn learner(columns: usize, rows: usize, steps: usize) -> String {
    format!(
        "#include <stdio.h>
#include \"model.h\"
int main(void)
{{
    static float x[{rows} * {columns}], y[{rows}], work[MODEL_STEP_WORK], said[1];
    static model_state state;
    for (int i = 0; i < {rows}; i++) {{
        for (int j = 0; j < {columns}; j++)
            if (scanf(\"%f\", &x[i * {columns} + j]) != 1) return 1;
        if (scanf(\"%f\", &y[i]) != 1) return 1;
    }}
    model_begin(&state);
    for (int i = 1; i <= {steps}; i++) printf(\"%.9g\\n\", (double)model_step(&state, x, y, (uint64_t)i, work));
    model_run_with(&state, x, said, work);
    printf(\"%.9g\\n\", (double)said[0]);
    return MODEL_BATCH != {rows};
}}
"
    )
}

#[test]
fn a_training_goes_on_in_c() {
    if !has_compiler() {
        return;
    }
    let nets = [
        "dense 12 relu; batchnorm; dense 1 sigmoid\nloss binary_crossentropy; optimizer adam lr=0.01",
        "reshape 6x6x1; conv 4 3x3 relu same; maxpool 2x2; flatten; dense 1 sigmoid\nloss binary_crossentropy; optimizer sgd lr=0.1 momentum=0.9",
        "reshape 6x6; gru 5; dense 1 sigmoid\nloss binary_crossentropy; optimizer rmsprop; clip 1.0",
        "dense 20 tanh; dropout 30%; dense 1 sigmoid\nloss binary_crossentropy; optimizer sgd",
    ];
    for net in nets {
        let place = Place::new();
        let table = numbers(64, 36);
        place.write("rows.csv", &table);
        place.write("net.nn", &format!("data \"rows.csv\" {{ target y; input rest }}\n{net}; batch 64\n"));
        // The same steps here: from a file of weights, so that the optimizer begins as in C.
        place.nnc(&["train", "net.nn", "-q", "--epochs", "3", "--no-report", "--out", "begun"]).fine();
        let more = ["train", "net.nn", "--json-lines", "--epochs", "20", "--no-report", "--no-shuffle"];
        let ran = place.nnc(&[&more[..], &["--init", "begun/model.safetensors", "--out", "more"]].concat());
        let losses: Vec<f64> = ran
            .fine()
            .lines()
            .filter_map(|l| {
                let line: Value = serde_json::from_str(l).unwrap();
                line.get("epoch").and(line.get("loss")).and_then(Value::as_f64)
            })
            .collect();
        place.nnc(&["export", "c", "begun", "-o", "model.c", "--train"]).fine();
        let cells: String = table.lines().skip(1).map(|l| l.replace(',', " ") + "\n").collect();
        let main = learner(36, 64, 20);
        for flags in [&[][..], &["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]] {
            if !can("gcc", flags) {
                continue;
            }
            let ours: Vec<f64> =
                compiled(&place, &main, &cells, flags).lines().map(|l| l.parse().unwrap()).collect();
            assert_eq!((ours.len(), losses.len()), (21, 20), "{net}");
            for (a, b) in ours.iter().zip(&losses) {
                assert!((a - b).abs() < 2e-5, "{net}: {ours:?} {losses:?}");
            }
            let theirs = said(&place, &["predict", "more", "--json"]);
            assert!((ours[20] - theirs[0][0]).abs() < 1e-4, "{net}: {} {:?}", ours[20], theirs[0]);
        }
    }
}

#[test]
fn what_is_asked_for_wrongly() {
    let place = Place::new();
    place.spec("xor.nn");
    place.nnc(&["train", "xor.nn", "-q", "--epochs", "1", "--no-report"]).fine();
    let cases: [(&[&str], &str); 5] = [
        (&["export", "c", "xor.nn", "-o", "model.h"], "`model.h` is where the header goes"),
        (&["export", "c"], "the format and the network are both needed"),
        (&["export", "pytorch", "xor.nn"], "there is no format `pytorch`"),
        (&["export", "c", "missing.nn"], "missing.nn"),
        (&["export", "--list", "c", "xor.nn"], "--list is about all formats"),
    ];
    for (args, wanted) in cases {
        let ran = place.nnc(args);
        assert_eq!(ran.code, 2, "{args:?}");
        assert!(ran.err.contains(wanted), "{args:?}: {}", ran.err);
    }
    let list = place.nnc(&["export", "--list", "xor.nn"]).fine();
    assert!(list.starts_with("c          one C99 file and a header"), "{list}");
}
