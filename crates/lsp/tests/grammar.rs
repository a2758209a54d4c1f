//! The grammar for editors that colour by regular expressions knows the words that the parser knows.

#![allow(clippy::unwrap_used)]

use nnc_lsp::WORDS;
use nnc_syntax::Head;
use serde_json::Value;
use std::collections::BTreeSet;

fn grammar() -> Value {
    serde_json::from_str(include_str!("../editors/vscode/syntaxes/nn.tmLanguage.json")).unwrap()
}

/// The words between the first brackets that hold nothing but words.
fn words(rule: &Value) -> BTreeSet<String> {
    let pattern = rule["match"].as_str().unwrap();
    let lists = pattern.split('(').filter_map(|part| part.split(')').next());
    let list =
        lists.into_iter().find(|l| l.contains('|') && l.chars().all(|c| c.is_ascii_lowercase() || c == '|'));
    list.unwrap().split('|').map(String::from).collect()
}

#[test]
fn statements_are_those_of_the_parser() {
    let heads: BTreeSet<String> =
        Head::ALL.iter().filter(|h| h.is_for_programs()).map(|h| h.word().to_string()).collect();
    let repository = &grammar()["repository"];
    assert_eq!(words(&repository["statement"]), heads);
    let define = words(&repository["definition"]);
    assert!(define.is_subset(&heads), "{define:?}");
}

#[test]
fn other_words_are_those_of_the_server() {
    let repository = &grammar()["repository"];
    let all: BTreeSet<String> =
        words(&repository["word"]).union(&words(&repository["constant"])).cloned().collect();
    let wanted: BTreeSet<String> = WORDS.iter().map(|w| (*w).to_string()).collect();
    assert_eq!(all, wanted);
}

#[test]
fn every_rule_is_used_and_is_there() {
    let grammar = grammar();
    let included: BTreeSet<String> = grammar["patterns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["include"].as_str().unwrap().trim_start_matches('#').to_string())
        .collect();
    let there: BTreeSet<String> = grammar["repository"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(included, there);
    let package: Value = serde_json::from_str(include_str!("../editors/vscode/package.json")).unwrap();
    assert_eq!(package["contributes"]["grammars"][0]["scopeName"], grammar["scopeName"]);
    let _: Value =
        serde_json::from_str(include_str!("../editors/vscode/language-configuration.json")).unwrap();
}
