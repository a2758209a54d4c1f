//! What is answered about programs. `|` marks the place.

#![allow(clippy::unwrap_used, clippy::mutable_key_type)]

use lsp_types::{DiagnosticSeverity, HoverContents, InlayHintLabel, Position, Range};
use nnc_lsp::{
    Document, Library, Place, actions, completion, definition, diagnostics, fix_all, format, hints, hover,
    references, rename, semantic_tokens, symbols,
};
use nnc_train::DataCache;
use std::fs;

/// A program with its place, which is looked at.
fn program(text: &str) -> (Document, Position) {
    let at = text.find('|').unwrap_or(0);
    let text = text.replacen('|', "", 1);
    let mut document = Document::new("x.nn", text, &Library::new());
    document.look(&mut DataCache::default());
    let at = document.text.position(at);
    (document, at)
}

fn hovered(text: &str) -> String {
    let (document, at) = program(text);
    let Some(hover) = hover(&document, at) else { return String::new() };
    let HoverContents::Markup(markup) = hover.contents else { panic!("{hover:?}") };
    markup.value
}

fn offered(text: &str) -> Vec<String> {
    let (document, at) = program(text);
    let mut items = completion(&document, at);
    items.sort_by(|a, b| a.sort_text.cmp(&b.sort_text));
    items.into_iter().map(|i| i.label).collect()
}

#[track_caller]
fn offers(text: &str, some: &[&str], none: &[&str]) {
    let found = offered(text);
    for name in some {
        assert!(found.iter().any(|f| f == name), "{text:?} does not offer {name}: {found:?}");
    }
    for name in none {
        assert!(!found.iter().any(|f| f == name), "{text:?} offers {name}");
    }
}

#[test]
fn places_of_diagnostics_count_in_utf_16() {
    let (document, _) = program("# größe 𝒳\ndata xor; dens 8 # 𝒳\n\"𝒳\" -> dens 1\n");
    let found = diagnostics(&document, &|_| None);
    let first = found.iter().find(|d| d.severity == Some(DiagnosticSeverity::ERROR)).unwrap();
    assert_eq!(first.range, Range::new(Position::new(1, 10), Position::new(1, 14)));
    let (document, _) = program("data xor; w = \"𝒳\"; dens 8");
    let found = diagnostics(&document, &|_| None);
    let unknown = found.iter().find(|d| d.message.contains("`dens`")).unwrap();
    assert_eq!(unknown.range, Range::new(Position::new(0, 20), Position::new(0, 24)));
}

#[test]
fn a_line_says_what_it_is_and_what_it_comes_to() {
    let said = hovered("data xor\nd|ense 8 tanh\ndense 1 sigmoid\n");
    assert!(said.contains("**dense**: layer (layers)"), "{said}");
    assert!(said.contains("activation(x @ w + b)"), "{said}");
    assert!(said.contains("`units`: a whole number; must be given"), "{said}");
    assert!(said.contains("`dense1`: 2 → **8** for one sample; 24 weights, "), "{said}");
    let said = hovered("data xor\ndense 8 t|anh\ndense 1\n");
    assert!(said.contains("tanh") && !said.contains("→"), "{said}");
    let said = hovered("data xor\ndense 8 -|> relu\ndense 1\n");
    assert!(said.is_empty() || said.contains("→"), "{said}");
}

#[test]
fn arguments_say_what_they_are() {
    let said = hovered("data xor\ndense un|its=8\ndense 1\n");
    assert!(said.starts_with("`units` of `dense`: a whole number; must be given"), "{said}");
    assert!(said.contains("Every input feeds every one of the `units` neurons"), "{said}");
    let said = hovered("data xor\ndense |8 bias=no\ndense 1\n");
    assert!(said.starts_with("`units` of `dense`"), "{said}");
    let said = hovered("data xor\ndense 1\noptimizer adam l|r=0.1\n");
    assert!(said.starts_with("`lr` of `adam`: a number; unless given: `0.001`"), "{said}");
    let said = hovered("dense 9\nreshape 3x3x1\nconv 8 3x3 padding=sa|me\n");
    assert!(said.starts_with("`padding` of `conv`: one of valid, same, causal"), "{said}");
}

#[test]
fn columns_say_what_they_hold() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("f.csv"), "größe,kind,y\n1.5,a,0\n2.5,b,1\n3.5,a,0\n4.5,b,1\n").unwrap();
    let name = folder.path().join("x.nn").to_str().unwrap().to_string();
    let text = "data \"f.csv\" {\n  input größe\n  input kind one_hot\n  target y category order=[\n}\ndense 2 softmax\n";
    let text = text.replace(" order=[", "");
    let mut document = Document::new(name.as_str(), text.as_str(), &Library::new());
    let mut cache = DataCache::default();
    document.look(&mut cache);
    let at = |needle: &str| document.text.position(text.find(needle).unwrap() + 1);
    let said = |needle: &str| {
        let HoverContents::Markup(markup) = hover(&document, at(needle)).unwrap().contents else { panic!() };
        markup.value
    };
    let column = said("größe");
    assert!(
        column.contains("`größe`, a column, an input") && column.contains("from 1.5 to 4.5, mean 3"),
        "{column}"
    );
    assert!(said("kind").contains("* `a`: 2"), "{}", said("kind"));
    let offered = |needle: &str| -> Vec<String> {
        completion(&document, at(needle)).into_iter().map(|i| i.label).collect()
    };
    // Those of the line are there already.
    assert!(offered("kind").contains(&"y".to_string()), "{:?}", offered("kind"));
    assert!(offered("kind").contains(&"standardize".to_string()));
    assert_eq!(cache.reads(), 1);
    // Typing elsewhere reads nothing again, a data file that was written is read.
    for (version, more) in ["relu", "relu\nloss mse", "reluu"].into_iter().enumerate() {
        let text = format!("{text}{more}");
        document.set(version as i32 + 1, nnc_lsp::Text::new(text));
        document.look(&mut cache);
    }
    assert_eq!(cache.reads(), 1);
    fs::write(folder.path().join("f.csv"), "größe,kind,y\n1,a,0\n2,b,1\n3,a,0\n4,b,1\n5,b,1\n").unwrap();
    document.look(&mut cache);
    assert_eq!(cache.reads(), 2);
    fs::remove_file(folder.path().join("f.csv")).unwrap();
    document.look(&mut cache);
    let found = diagnostics(&document, &|_| None);
    assert!(found.iter().any(|d| d.message.contains("f.csv") && d.range.start.line == 0), "{found:?}");
}

#[test]
fn what_may_be_written() {
    offers("data xor\nden|", &["dense", "conv", "loss", "relu"], &["adam", "mse", "glorot"]);
    offers("data xor\n|", &["dense", "optimizer", "layer"], &["rewrite"]);
    offers("data xor\nh = |", &["dense", "relu"], &["loss", "adam"]);
    offers("data xor\ndense 8 -> |", &["dense", "relu"], &["loss"]);
    offers("data xor\ndense 8 |", &["bias=", "activation=", "relu", "tanh"], &["loss", "adam"]);
    offers("data xor\ndense 8 bias=no |", &["activation="], &["bias="]);
    offers("data xor\ndense 8 activation=|", &["relu"], &["bias=", "dense"]);
    offers("data xor\ndense 8 init=|", &["glorot", "zeros"], &["relu"]);
    offers("data xor\ndense 8 bias=|", &["yes", "no"], &["relu"]);
    offers("conv 8 padding=|", &["same", "valid"], &["relu"]);
    offers("data xor\ndense 1\nloss |", &["mse", "crossentropy"], &["relu", "adam"]);
    offers("data xor\ndense 1\nmetrics |", &["accuracy"], &["relu", "adam"]);
    offers("data xor\ndense 1\noptimizer |", &["adam", "sgd"], &["relu", "mse"]);
    offers("data xor\ndense 1\noptimizer adam |", &["lr=", "beta1="], &["units="]);
    offers("data xor\ndense 1\nschedule |", &["cosine"], &["relu"]);
    offers("data xor\ndense 1\nsplit |", &["valid", "stratify"], &[]);
    offers("data |", &["moons", "csv"], &["dense"]);
    offers("data moons 100 |", &["noise", "classes"], &["separator"]);
    offers("data \"f.csv\" {\n  |", &["input", "target", "drop"], &["dense"]);
    offers("data \"f.csv\" {\n  input a |", &["standardize", "one_hot", "missing"], &["dense"]);
    offers("dense 1 # a comment |", &[], &["dense"]);
    offers("data \"|", &[], &["dense"]);
    offers("param hidden = 8\nexperiment deep |", &["hidden"], &[]);
    offers("layer mine(depth: int) of x { dense depth }\ndata xor\nmine |", &["depth="], &[]);
    offers("layer mine(depth: int) of x { dense depth }\ndata xor\nmi|", &["mine"], &[]);
    offers("fn f(x) = x\ny = f(|", &[], &["loss"]);
}

#[test]
fn shapes_stand_behind_lines() {
    let shown = |text: &str| -> Vec<(u32, String)> {
        let (document, _) = program(text);
        let label = |label| match label {
            InlayHintLabel::String(text) => text,
            InlayHintLabel::LabelParts(_) => panic!(),
        };
        hints(&document, 0..100).into_iter().map(|h| (h.position.line, label(h.label))).collect()
    };
    let lines = |list: &[(u32, &str)]| list.iter().map(|(l, s)| (*l, s.to_string())).collect::<Vec<_>>();
    let network = "data xor\ndense 9 -> reshape 3x3x1\nconv 4 2 # x\nflatten\nh = dense 8 tanh\nh + 1\n";
    let wanted = [(1, "3x3x1"), (2, "2x2x4"), (3, "16"), (4, "8"), (5, "8"), (6, "1")];
    assert_eq!(shown(&format!("{network}dense 1\n")), lines(&wanted));
    // What stands before a mistake is known all the same.
    assert_eq!(shown(&format!("{network}dens 1\n")), lines(&wanted[..5]));
    assert_eq!(shown(&format!("{network}dense (\n")), lines(&wanted[..5]));
    assert_eq!(shown(&format!("{network}dense 1\noptimizer adm lr=\n")), lines(&wanted));
    assert_eq!(shown(&format!("{network}dense 1\nloss mse nothing=1\n")), lines(&wanted));
}

#[test]
fn names_are_found_and_changed() {
    let text = "## Doc.\nlayer mine(width: int, act = relu) of x[...s, n] -> [..., width] {\n  require n > 0 else \"{n} of {width}\"\n  weight w[n, width] = glorot\n  y = x @ w\n  y -> act\n}\n\ndata xor\nh = mine width=8\nmine(4, act=tanh) -> dense 1\nh + 1\ndense 1\n";
    let renamed = |needle: &str, new: &str| {
        let mut document = Document::new("x.nn", text, &Library::new());
        let at = document.text.position(text.find(needle).unwrap());
        let mut edits = rename(&document, at, new)?;
        edits.sort_by_key(|e| e.range.start);
        for edit in edits.iter().rev() {
            let change = lsp_types::TextDocumentContentChangeEvent {
                range: Some(edit.range),
                range_length: None,
                text: edit.new_text.clone(),
            };
            let text = document.text.changed(&change);
            document.set(1, text);
        }
        Ok::<String, String>(document.text.as_str().to_string())
    };
    let all = renamed("width", "units").unwrap();
    assert_eq!(all, text.replace("width", "units"));
    assert_eq!(renamed("mine width", "own").unwrap(), text.replace("mine", "own"));
    assert_eq!(
        renamed("y = x", "z").unwrap(),
        text.replace("y = x", "z = x").replace("y -> act", "z -> act")
    );
    assert_eq!(
        renamed("h = mine", "hidden").unwrap(),
        text.replace("h = mine", "hidden = mine").replace("h + 1", "hidden + 1")
    );
    assert_eq!(
        renamed("act =", "f").unwrap(),
        text.replace("act =", "f =").replace("-> act", "-> f").replace("act=tanh", "f=tanh")
    );
    assert!(renamed("h = mine", "dense").is_err());
    assert!(renamed("h = mine", "mine").is_err());
    assert!(renamed("h = mine", "loss").is_err());
    assert!(renamed("h = mine", "1x").is_err());
    assert!(renamed("dense 1", "x").is_err());

    let (document, at) = program(
        "fn gap(y, target) with better=lower = mean(abs(y - target))\ndata xor\ndense 1\nmetrics |gap\nstop when val_gap stalls for 3\n",
    );
    assert_eq!(references(&document, at, true).len(), 3);
    assert_eq!(references(&document, at, false).len(), 2);
    assert_eq!(
        definition(&document, at),
        Some(Place::Here(Range::new(Position::new(0, 3), Position::new(0, 6))))
    );
    let (document, at) = program("data xor\nden|se 1\n");
    let Some(Place::In(name, range)) = definition(&document, at) else { panic!() };
    assert_eq!(name, "prelude/layers.nn");
    let (_, prelude) = nnc_model::PRELUDE.iter().find(|(n, _)| *n == name).unwrap();
    assert!(prelude.lines().nth(range.start.line as usize).unwrap().starts_with("layer dense("));
    let (document, at) = program("data \"a|.csv\"\ndense 1\n");
    assert_eq!(definition(&document, at), Some(Place::File("a.csv".into())));
}

#[test]
fn remedies_are_offered() {
    let uri = "file:///x.nn".parse().unwrap();
    let (document, at) = program("data xor\nde|ns 8 tanh\ndense 1\nloss mse\n");
    let found = actions(&document, &uri, Range::new(at, at), &|_| None);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].title, "Write `dense` instead of `dens`");
    assert_eq!(found[0].is_preferred, Some(true));
    let other = Position::new(3, 0);
    assert!(actions(&document, &uri, Range::new(other, other), &|_| None).is_empty());
    let all = fix_all(&document, &uri, &mut DataCache::default()).unwrap();
    let edits = all.edit.unwrap().changes.unwrap();
    assert_eq!(edits[&uri][0].new_text, "dense 8 tanh\n");
    let (document, _) = program("data xor\ndense 1\nloss mse\n");
    assert!(fix_all(&document, &uri, &mut DataCache::default()).is_none());
}

#[test]
fn the_usual_form_the_outline_and_the_colours() {
    let (document, _) = program("data   xor\ndense(8,   tanh)\ndense 1\n");
    let edits = format(&document).unwrap();
    assert_eq!(edits.len(), 1);
    assert_eq!(edits[0].new_text, "data xor\ndense 8 tanh\n");
    assert_eq!(edits[0].range, Range::new(Position::new(0, 0), Position::new(2, 0)));
    let (document, _) = program("data xor\ndense (\n");
    assert!(format(&document).is_none());
    let (document, _) = program("param a = 1\nlayer m of x { dense a }\ndata xor\nh = m()\nloss mse\n");
    let names: Vec<String> = symbols(&document).into_iter().map(|s| s.name).collect();
    assert_eq!(names, ["a", "m", "data xor", "h", "loss mse"]);
    let (document, _) = program("# 𝒳\nh = dense 8 bias=no\n");
    let tokens: Vec<[u32; 4]> = semantic_tokens(&document)
        .iter()
        .map(|t| [t.delta_line, t.delta_start, t.length, t.token_type])
        .collect();
    let wanted = [
        [0, 0, 4, 7],
        [1, 0, 1, 4],
        [0, 2, 1, 8],
        [0, 2, 5, 1],
        [0, 6, 1, 5],
        [0, 2, 4, 3],
        [0, 4, 1, 8],
        [0, 1, 2, 0],
    ];
    assert_eq!(tokens, wanted);
}

#[test]
fn definitions_of_other_files_are_known() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("blocks.nn"),
        "## Twice.\nlayer twice(n: int) of x { dense n -> dense n }\n",
    )
    .unwrap();
    let name = folder.path().join("x.nn").to_str().unwrap().to_string();
    let text = "use \"blocks.nn\"\ndata xor\ntwice 8\ndense 1\n";
    let mut document = Document::new(name, text, &Library::new());
    document.look(&mut DataCache::default());
    let at = document.text.position(text.find("twice").unwrap());
    let Some(Place::In(file, range)) = definition(&document, at) else { panic!() };
    assert_eq!((file.as_str(), range.start), ("blocks.nn", Position::new(1, 6)));
    let HoverContents::Markup(markup) = hover(&document, at).unwrap().contents else { panic!() };
    assert!(markup.value.contains("Twice.") && markup.value.contains("2 → **8**"), "{}", markup.value);
    // A mistake of the other file is shown where it is used.
    fs::write(folder.path().join("blocks.nn"), "layer twice(n: int) of x { dense (n }\n").unwrap();
    document.look(&mut DataCache::default());
    let found = diagnostics(&document, &|_| Some("file:///blocks.nn".parse().unwrap()));
    let there = found.iter().find(|d| d.range.start.line == 0).unwrap();
    assert_eq!(there.related_information.as_ref().unwrap()[0].location.uri.as_str(), "file:///blocks.nn");
}
