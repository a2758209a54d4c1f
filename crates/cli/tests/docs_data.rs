//! The programs of docs/data.md train.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

#[test]
fn the_programs_of_the_page_train() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/data.md");
    let page = std::fs::read_to_string(page).unwrap();
    let blocks: Vec<&str> = page.split("\n```").skip(1).step_by(2).collect();
    let place = Place::new();
    for (head, body) in blocks.iter().filter_map(|b| b.split_once('\n')) {
        if let Some(name) = head.strip_prefix("csv ") {
            place.write(name, body);
        }
    }
    let programs: Vec<&str> = blocks.iter().filter_map(|b| b.strip_prefix("nn\n")).collect();
    assert_eq!(programs.len(), 5);
    for text in programs {
        place.write("p.nn", text);
        place.nnc(&["data", "p.nn"]).fine();
        place.nnc(&["train", "p.nn", "-q", "--out", "run"]).fine();
        place.nnc(&["eval", "run", "--json"]).json();
    }
}
