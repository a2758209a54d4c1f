//! The table of other libraries' words.

use nnc_syntax::habits::{all, find};
use nnc_syntax::{SourceId, parse};

#[test]
fn a_name_stands_once() {
    let mut names: Vec<&str> = all().flat_map(|h| h.names).copied().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn the_lines_are_programs_and_commands() {
    for habit in all() {
        assert!(!habit.lines.is_empty() && habit.about.ends_with('.'), "{habit:?}");
        for line in habit.written(&[]).iter().filter(|l| !l.starts_with("nnc ")) {
            let parsed = parse(line, SourceId::default());
            assert!(parsed.diagnostics.is_empty() && parsed.program.stmts.len() == 1, "{line}: {parsed:?}");
        }
    }
}

#[test]
fn arguments_go_where_they_belong() {
    for (word, arguments, line) in [
        ("validation_split", &[(None, "0.2")][..], "split valid=20%"),
        ("validation_split", &[(None, "0.125")], "split valid=12.5%"),
        ("validation_split", &[(None, "2")], "split valid=20%"),
        ("early_stopping", &[(Some("patience"), "7")], "stop when val_loss stalls for 7"),
        ("EarlyStopping", &[], "stop when val_loss stalls for 5"),
        ("lr", &[(None, "0.01")], "optimizer adam lr=0.01"),
        ("activation", &[(None, "'tanh'")], "dense 16 tanh"),
        ("batch_size", &[(None, "many")], "batch 32"),
        ("hidden_layer_sizes", &[(None, "(64, 8)")], "dense 64 relu|dense 8 relu"),
        ("torch.cuda.is_available()", &[], "nnc train net.nn --threads 4"),
        (".to(device)", &[], "nnc train net.nn --threads 4"),
        ("fine-tuning", &[], "base = conv 8 3x3 relu|freeze base|nnc train net.nn --init base.safetensors"),
        ("keras.layers.Bidirectional", &[], "lstm 64 both"),
    ] {
        let written = find(word).map(|h| h.written(arguments).join("|")).unwrap_or_default();
        assert!(written.starts_with(line), "{word}: {written}");
    }
}
