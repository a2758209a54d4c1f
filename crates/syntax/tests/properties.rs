//! What holds for every text and every program.
#![allow(clippy::unwrap_used)]

mod common;

use common::generate::program;
use nnc_syntax::{Parsed, SourceId, ast_text, format, parse_ast_text, same_meaning};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// The same cases in every run, unless `PROPTEST_RNG_SEED` says otherwise.
fn config(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    if config.rng_seed == RngSeed::Random {
        config.rng_seed = RngSeed::Fixed(2026);
    }
    config
}

/// Reads a text and checks what holds whatever it is.
fn read_anything(text: &str) -> Parsed {
    let (parsed, sources) = common::read(text);
    for found in &parsed.diagnostics {
        let spans = found.labels.iter().map(|label| label.span).chain(found.fix.iter().map(|fix| fix.span));
        for span in spans {
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{found:?} in {text:?}");
        }
        assert!(!found.message.is_empty() && found.code.name().starts_with("N01"));
        assert!(found.labels.len() + found.help.iter().len() > 0, "{found:?}");
    }
    let tree = ast_text(&parsed.program, &sources);
    let again = parse_ast_text(&tree).unwrap_or_else(|e| panic!("{e}\n{tree}"));
    assert!(same_meaning(&parsed.program, &again), "{tree}");
    if let Ok(once) = format(text, SourceId::default(), &|_| false) {
        assert_eq!(format(&once, SourceId::default(), &|_| false).as_ref(), Ok(&once), "{text:?}");
        // A layer that the file defines is written as a step, which is another tree.
        let again = common::read(&once).0;
        assert!(text.contains("layer") || same_meaning(&parsed.program, &again.program), "{text:?}\n{once}");
    }
    let _ = format(text, SourceId::default(), &|_| true);
    parsed
}

/// Words, signs and blanks in any order: nearer to a program than random letters.
fn word_soup() -> impl Strategy<Value = String> {
    let words = [
        "dense", "16", "relu", "0.5", "20%", "3x3", "\"a\"", "\"", "'", "(", ")", "[", "]", "{", "}", ",",
        ";", ":", "=", ":=", "==", "->", "-", "+", "*", "/", "@", "^", "<", ">=", ".", "..", "...", "if",
        "then", "else", "not", "and", "in", "of", "with", "as", "param", "fn", "layer", "rule", "init",
        "shared", "rewrite", "use", "repeat", "require", "weight", "state", "data", "loss", "stop", "when",
        "stalls", "for", "expect", "within", "epochs", "seeds", "scan", "it", "yes", "training", "# c",
        "## d", "\n", "\n  ", " ", "**", "//", "&&", "True", "import", "return", "“", "é", "1.2.3", "2x",
        "x", "y",
    ];
    let blank = prop::sample::select(vec!["", " ", " ", " ", "\n"]);
    prop::collection::vec((prop::sample::select(words.to_vec()), blank), 0..60)
        .prop_map(|words| words.into_iter().map(|(word, blank)| format!("{word}{blank}")).collect())
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        read_anything(&text);
    }

    #[test]
    fn any_words_are_read(text in word_soup()) {
        read_anything(&text);
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn programs_have_no_mistakes(text in program()) {
        let parsed = read_anything(&text);
        prop_assert!(parsed.diagnostics.is_empty(), "{}", common::render(&text));
    }

    #[test]
    fn damaged_programs_are_read(text in program(), at in any::<prop::sample::Index>(), with in word_soup()) {
        let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        let place = places[at.index(places.len())];
        let with = with.chars().take(4).collect::<String>();
        read_anything(&format!("{}{with}{}", &text[..place], &text[place..]));
        read_anything(&format!("{}{}", &text[..place], text[place..].chars().skip(1).collect::<String>()));
    }

    #[test]
    fn formatting_keeps_the_meaning(text in program()) {
        let once = format(&text, SourceId::default(), &|_| false).unwrap();
        let (before, after) = (common::read(&text).0, common::read(&once).0);
        prop_assert!(same_meaning(&before.program, &after.program), "{text}\n---\n{once}");
        prop_assert_eq!(text.matches('#').count() - docs(&text), once.matches('#').count() - docs(&once));
    }

    #[test]
    fn formatting_twice_is_formatting_once(text in program(), layers in any::<bool>()) {
        let once = format(&text, SourceId::default(), &|_| layers).unwrap();
        let twice = format(&once, SourceId::default(), &|_| layers).unwrap();
        prop_assert_eq!(&once, &twice, "{}", text);
        prop_assert!(!once.lines().any(|line| line.ends_with(' ')) && !once.contains("\n\n\n"));
    }
}

/// How many comments have a second `#`, which the formatter may take away.
fn docs(text: &str) -> usize {
    text.matches("##").count()
}
