//! Columns of texts as sequences of classes.

#![allow(clippy::unwrap_used)]

mod common;

use common::{all, faults, lines, row, write};
use nnc_data::{
    ColumnKind, CsvSpec, DataSpec, Fill, Kind, Limits, Missing, PortId, Role, RoleSpec, Scaling, SourceSpec,
    Stats, Tokens, Unit, describe, encode, encode_inputs, open, open_with,
};

const IN: PortId = PortId::Input(0);

const REVIEWS: &str = "review,stars,y
\"A good, good movie!\",5,yes
Not good.,2,no
\"Don't   see it\",1,no
good,4,yes
";

fn texts(kind: Tokens) -> Vec<RoleSpec> {
    vec![RoleSpec::new(Role::Input, ["review"]).kind(Kind::Tokens(kind)), RoleSpec::new(Role::Target, ["y"])]
}

fn spec(path: &str, roles: Vec<RoleSpec>) -> DataSpec {
    DataSpec { roles, ..DataSpec::new(SourceSpec::csv(path)) }
}

#[test]
fn words_are_classes_by_how_common_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "r.csv", REVIEWS);
    let data = open(&spec(&path, texts(Tokens::new(Unit::Words)))).unwrap();
    let port = &data.schema.inputs[0];
    assert_eq!((&port.shape[..], port.name.as_str()), (&[4][..], "input"));
    let classes = ["(padding)", "(unknown)", "good", "a", "don't", "it", "movie", "not", "see"];
    assert_eq!(port.classes.as_ref().unwrap(), &classes);
    assert_eq!(all(&data.train, IN), [3., 2., 2., 6., 7., 2., 0., 0., 4., 8., 5., 0., 2., 0., 0., 0.]);
    let stats = &data.stats.columns[0];
    assert_eq!(stats.kind, ColumnKind::Tokens);
    assert_eq!((stats.min, stats.max, stats.mean), (1., 4., 2.5));
    assert_eq!(stats.counts, [0, 0, 4, 1, 1, 1, 1, 1, 1]);
    // A model knows its vocabulary: new words are class 1, and long texts are cut.
    let kept = Stats::from_json(&data.stats.to_json()).unwrap();
    assert_eq!(kept, data.stats);
    let new = write(&folder, "new.csv", "review\nA bad movie it is\n\"\"\"GOOD\"\"\"\n...\n");
    let table = encode(&kept, &SourceSpec::csv(&new)).unwrap();
    assert_eq!(all(&table, IN), [3., 1., 6., 5., 2., 0., 0., 0., 0., 0., 0., 0.]);
    let json = write(&folder, "new.jsonl", "{\"review\": \"good \\\"movie\\\"\\nnot\"}\n");
    assert_eq!(all(&encode(&kept, &SourceSpec::csv(&json)).unwrap(), IN), [2., 6., 7., 0.]);
}

#[test]
fn vocabulary_and_length_are_as_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "r.csv", REVIEWS);
    let kind = Tokens { vocabulary: Some(4), length: Some(3), ..Tokens::new(Unit::Words) };
    let data = open(&spec(&path, texts(kind))).unwrap();
    assert_eq!(data.schema.inputs[0].classes.as_ref().unwrap(), &["(padding)", "(unknown)", "good", "a"]);
    assert_eq!(all(&data.train, IN), [3., 2., 2., 1., 2., 0., 1., 1., 1., 2., 0., 0.]);
    assert_eq!(data.stats.columns[0].counts, [0, 5, 4, 1]);
    let told = lines(&data.notes);
    assert_eq!(told.len(), 1);
    assert!(told[0].contains("texts of `review` have up to 4 words, of which 3 are read"), "{told:?}");
    assert!(told[0].contains("input review words length=4"), "{told:?}");
    let shown = describe(&spec(&path, texts(kind)), &Limits::default(), 2).unwrap().text(Default::default());
    for part in
        ["words length=3", "1 … 4 long; 4 classes, 50% unknown; good 4, a 1", "3=a", "2=good", "1=(unknown)"]
    {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
}

#[test]
fn characters_and_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "r.csv", "review,y\nabé,1\nb,2\n");
    let data = open(&spec(&path, texts(Tokens::new(Unit::Characters)))).unwrap();
    assert_eq!(data.schema.inputs[0].classes.as_ref().unwrap(), &["(padding)", "(unknown)", "b", "a", "é"]);
    assert_eq!(all(&data.train, IN), [3., 2., 4., 2., 0., 0.]);
    let data = open(&spec(&path, texts(Tokens::new(Unit::Bytes)))).unwrap();
    assert_eq!(data.schema.inputs[0].classes.as_ref().unwrap().len(), 257);
    assert_eq!(all(&data.train, IN), [98., 99., 196., 170., 99., 0., 0., 0.]);
    let new = write(&folder, "new.csv", "review\n~\n");
    assert_eq!(all(&encode(&data.stats, &SourceSpec::csv(&new)).unwrap(), IN), [127., 0., 0., 0.]);
}

#[test]
fn the_vocabulary_is_that_of_the_training_part() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..100).map(|i| format!("w{i} same,{}\n", i % 2)).collect();
    let path = write(&folder, "r.csv", format!("review,y\n{text}"));
    let mut data = spec(&path, texts(Tokens::new(Unit::Words)));
    data.split.valid = 0.3;
    let read = open(&data).unwrap();
    assert_eq!(read.schema.inputs[0].classes.as_ref().unwrap().len(), 2 + 1 + 70);
    let valid = read.valid.unwrap();
    assert!((0..valid.len() as u32).all(|r| row(&valid, IN, r) == [1., 2.]));
}

#[test]
fn texts_that_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "r.csv", "review,y\na b,1\n,2\nb,3\n");
    let with = |missing: Option<Missing>| {
        let mut roles = texts(Tokens::new(Unit::Words));
        roles[0].missing = missing;
        spec(&path, roles)
    };
    let found = faults(open(&with(None)));
    assert!(
        found[0].contains("1 missing cell") && found[0].contains("input review words missing=\"\""),
        "{found:?}"
    );
    assert_eq!(open(&with(Some(Missing::Drop))).unwrap().train.len(), 2);
    let data = open(&with(Some(Missing::Text(String::new())))).unwrap();
    assert_eq!(all(&data.train, IN), [3., 2., 0., 0., 2., 0.]);
    assert_eq!(data.stats.columns[0].fill, Fill::Category(0));
    for rule in [Missing::Mean, Missing::Mode, Missing::Number(3.0), Missing::Text("none".into())] {
        let found = faults(open(&with(Some(rule))));
        assert!(found[0].contains("nothing but an empty text stands in for a text"), "{found:?}");
    }
    let data = open(&with(Some(Missing::Drop))).unwrap();
    let table = encode_inputs(&data.stats, &SourceSpec::csv(&path), &Limits::default()).unwrap();
    assert_eq!((0..3).map(|r| table.is_answerable(r)).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn what_texts_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(&folder, "r.csv", REVIEWS);
    let mut roles = texts(Tokens::new(Unit::Words));
    roles[0].scaling.push(Scaling::Standardize);
    roles[0].indicator = true;
    let found = faults(open(&spec(&path, roles)));
    assert!(found.iter().any(|f| f.contains("texts are not scaled")), "{found:?}");
    assert!(found.iter().any(|f| f.contains("texts are not given an `indicator`")), "{found:?}");
    let path = write(&folder, "e.csv", "review,y\n...,1\n!!,2\n");
    let found = faults(open(&spec(&path, texts(Tokens::new(Unit::Words)))));
    assert!(found[0].contains("no text of `review` has any words in the training part"), "{found:?}");
    // A model file may hold anything.
    let path = write(&folder, "r.csv", REVIEWS);
    let data = open(&spec(&path, texts(Tokens::new(Unit::Words)))).unwrap();
    let mut bad = data.stats.clone();
    bad.columns[0].unit = None;
    let found = encode(&bad, &SourceSpec::csv(&path)).unwrap_err();
    assert!(lines(&found)[0].contains("damaged"), "{found:?}");
}

#[test]
fn texts_larger_than_memory_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let text: String = (0..30_000).map(|i| format!("w{} and w{} so on,{}\n", i % 50, i % 7, i % 2)).collect();
    let path = write(&folder, "r.csv", format!("review,y\n{text}"));
    let data = open(&spec(&path, texts(Tokens::new(Unit::Words)))).unwrap();
    let little =
        open_with(&spec(&path, texts(Tokens::new(Unit::Words))), &Limits { memory: 200_000 }).unwrap();
    assert_eq!(little.schema, data.schema);
    assert_eq!(all(&little.train, IN), all(&data.train, IN));
    // A window of rows is a window of texts.
    let csv = CsvSpec { window: Some(nnc_data::Extent::Rows(2)), ..CsvSpec::new(&path) };
    let rows = DataSpec { roles: texts(Tokens::new(Unit::Words)), ..DataSpec::new(SourceSpec::Csv(csv)) };
    let windows = open(&rows).unwrap();
    assert_eq!(windows.schema.inputs[0].shape, [2, 5]);
    assert_eq!(row(&windows.train, IN, 3)[..10], all(&data.train, IN)[15..25]);
}
