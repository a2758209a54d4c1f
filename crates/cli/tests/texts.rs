//! Texts of a table, from raw text to predictions, and tables of JSON lines
//! and ARFF, as a person would use them.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

/// Made-up opinions: one word decides.
fn opinions() -> Vec<(String, &'static str)> {
    let good = ["great", "lovely", "superb"];
    let bad = ["awful", "boring", "dreadful"];
    let fill = ["the film", "what we saw", "this one", "it all", "a long evening"];
    (0..120)
        .map(|i| {
            let (words, y) = if i % 2 == 0 { (good, "yes") } else { (bad, "no") };
            let (a, b) = (fill[i * 7 % 5], fill[i * 3 % 5]);
            let word = words[i / 2 % 3];
            match i % 3 {
                0 => (format!("{a} was {word}!"), y),
                1 => (format!("{word}, {a} and {b}"), y),
                _ => (format!("We say: {b}, {a}, {word}."), y),
            }
        })
        .collect()
}

const PROGRAM: &str = "\
data \"opinions.csv\" {
  input review words vocabulary=40 length=10
  target liked
}
embed 8 mask_zero
global_avgpool
dense 2 softmax
loss crossentropy
metrics accuracy
optimizer adam lr=0.05
epochs 40; batch 20
";

#[test]
fn opinions_are_learned_and_predicted_from_raw_text() {
    let place = Place::new();
    let rows: String = opinions().iter().map(|(text, y)| format!("\"{text}\",{y}\n")).collect();
    place.write("opinions.csv", &format!("review,liked\n{rows}"));
    place.write("opinions.nn", PROGRAM);
    let found = place.nnc(&["train", "opinions.nn", "--json", "-q", "--out", "run"]).json();
    assert_eq!(found["metrics"]["accuracy"].as_f64().unwrap(), 1.0, "{found}");
    place.write("new.csv", "review\n\"LOVELY, and nobody knew it\"\n\"dreadful; simply unknowable\"\n");
    let answers = place.nnc(&["predict", "run", "--data", "new.csv", "--round"]).fine();
    assert_eq!(answers.lines().skip(1).collect::<Vec<_>>(), ["yes", "no"], "{answers}");
    place.write("new.jsonl", "{\"review\": \"it was \\\"superb\\\"\"}\n{\"review\": \"boring\"}\n");
    let answers = place.nnc(&["predict", "run", "--data", "new.jsonl", "--round"]).fine();
    assert_eq!(answers.lines().skip(1).collect::<Vec<_>>(), ["yes", "no"], "{answers}");
    let shown = place.nnc(&["data", "opinions.nn"]).fine();
    for part in ["words length=10", "23 classes", "0% unknown", "=great"] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
}

/// What a line of columns says about texts, and should not.
#[test]
fn words_about_texts_mean_something() {
    let place = Place::new();
    place.write("t.csv", "review,x,y\na b,1,2\nc d,2,3\n");
    for (line, said) in [
        ("input review vocabulary=5", "`vocabulary` is about a text, and nothing says what it is cut into"),
        ("input review one_hot length=5", "`length` is about a text"),
        ("input review words vocabulary=2", "`vocabulary` is a whole number from 3 to 65536"),
        ("input review words length=0", "`length` is a whole number from 1"),
        ("input review bytes vocabulary=300", "bytes have 257 classes"),
        ("input review words order=[a, b]", "texts are not put in an order"),
        ("input review words missing=mean", "nothing but an empty text stands in"),
    ] {
        let program = format!("data \"t.csv\" {{ {line}; target y }}\nembed 2\nflatten\ndense 1\nloss mse\n");
        place.write("t.nn", &program);
        let ran = place.nnc(&["check", "t.nn"]);
        assert_eq!(ran.code, 2, "{line}: {}", ran.err);
        let told = ran.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(said), "{line}: {told}");
    }
}

#[test]
fn other_forms_of_tables_are_trained_on_and_predicted() {
    let place = Place::new();
    let value = |i: usize| (i * 37 % 20, i * 11 % 7);
    let json: String = (0..80)
        .map(|i| (i, value(i)))
        .map(|(i, (a, b))| {
            let y = if a > 9 { "high" } else { "low" };
            format!("{{\"id\": \"k{i}\", \"of\": {{\"a\": {a}, \"b\": {b}}}, \"y\": \"{y}\"}}\n")
        })
        .collect();
    place.write("t.jsonl", &json);
    let shown = place.nnc(&["data", "t.jsonl"]).fine();
    assert!(shown.contains("JSON, one object a line") && shown.contains("of.a"), "{shown}");
    place.nnc(&["new", "first", "--data", "t.jsonl"]).fine();
    place.write(
        "t.nn",
        "data \"t.jsonl\" { drop id; target y; input rest standardize }\ndense 8 relu\ndense 2 softmax\nloss crossentropy\nepochs 80; batch 16\noptimizer adam lr=0.05\n",
    );
    place.nnc(&["train", "t.nn", "--out", "run", "-q"]).fine();
    place.write("new.csv", "of.b,of.a\n1,19\n1,0\n");
    let answers = place.nnc(&["predict", "run", "--data", "new.csv", "--round"]).fine();
    assert_eq!(answers.lines().skip(1).collect::<Vec<_>>(), ["high", "low"], "{answers}");
    let rows: String = (0..80)
        .map(value)
        .map(|(a, b)| format!("{a},{b},{}\n", if a > 9 { "high" } else { "low" }))
        .collect();
    let head =
        "@relation t\n@attribute of.a numeric\n@attribute of.b numeric\n@attribute y {low, high}\n@data\n";
    place.write("t.arff", &format!("{head}{rows}"));
    let found = place.nnc(&["eval", "run", "--data", "t.arff", "--json"]).json();
    assert!(found.to_string().contains("loss"), "{found}");
    let shown = place.nnc(&["data", "t.arff"]).fine();
    assert!(shown.contains("ARFF") && shown.contains("low"), "{shown}");
}

/// The answers and figures of a network that was trained on texts.
fn said(place: &Place, column: &str, network: &str) -> String {
    let program = format!(
        "data \"opinions.csv\" {{ input review words {column}; target liked }}\n{network}\ndense 2 softmax\n\
         loss crossentropy\nmetrics accuracy\noptimizer adam lr=0.01\nepochs 3; batch 20\n"
    );
    place.write("net.nn", &program);
    place.nnc(&["train", "net.nn", "-q", "--out", "run", "--overwrite"]).fine();
    place.nnc(&["predict", "run"]).fine() + &place.nnc(&["eval", "run", "--on", "all", "--json"]).fine()
}

/// Texts bring the mask of their padding with them.
#[test]
fn padding_of_texts_is_left_out_without_a_word() {
    let place = Place::new();
    let rows: String = opinions().iter().map(|(text, y)| format!("\"{text}\",{y}\n")).collect();
    place.write("opinions.csv", &format!("review,liked\n{rows}"));
    for network in [
        "lstm 4",
        "gru 4 both",
        "positions; attention 2; global_avgpool",
        "transformer 2; global_maxpool",
        "lstm 3 sequence; mean(it, axis=0)",
    ] {
        let brought = said(&place, "", &format!("embed 8\n{network}"));
        assert_eq!(brought, said(&place, "", &format!("embed 8 mask_zero\n{network}")), "{network}");
        let read = format!("embed 8\nwith_mask(it, fill(shape(input), 1))\n{network}");
        assert_ne!(brought, said(&place, "", &read), "{network}");
    }
    // However much padding there is, it says nothing.
    assert_eq!(said(&place, "length=12", "embed 8\nlstm 4"), said(&place, "length=20", "embed 8\nlstm 4"));
    // One vector for a text, made of those of its words.
    let bag = "one_hot(it)\nmean(it, axis=0)";
    assert_eq!(said(&place, "length=12", bag), said(&place, "length=13", bag));
}

/// Texts as targets: losses and metrics are those of the words that are there.
#[test]
fn padding_of_texts_counts_neither_in_the_loss_nor_in_metrics() {
    let place = Place::new();
    let rows: String = opinions().iter().map(|(text, _)| format!("\"{text}\",\"{text}\"\n")).collect();
    place.write("copy.csv", &format!("said,heard\n{rows}"));
    let figures = |length: usize| {
        let program = format!(
            "data \"copy.csv\" {{ input said words length={length}; target heard words length={length} }}\n\
             embed 8\ndense target.classes softmax\nloss crossentropy\nmetrics accuracy\n\
             optimizer adam lr=0.05\nepochs 2; batch 20\n"
        );
        place.write("net.nn", &program);
        let out = place.nnc(&["train", "net.nn", "-q", "--out", "run", "--overwrite", "--json"]).json();
        let all = place.nnc(&["eval", "run", "--on", "all", "--json"]).json();
        [out["loss"].clone(), all["loss"].clone(), all["metrics"]["accuracy"].clone()]
            .map(|x| x.as_f64().unwrap_or_else(|| panic!("{out} {all}")))
    };
    let (short, long) = (figures(12), figures(24));
    assert!(short[2] > 0.3 && short[2] < 1.0, "{short:?}");
    for (a, b) in short.iter().zip(&long) {
        assert!((a - b).abs() < 1e-5, "{short:?} {long:?}");
    }
}

/// What forgets the padding of a text is told.
#[test]
fn a_step_that_reads_padding_is_told() {
    let place = Place::new();
    let rows: String = opinions().iter().map(|(text, y)| format!("\"{text}\",{y}\n")).collect();
    place.write("opinions.csv", &format!("review,liked\n{rows}"));
    let told = |network: &str| {
        let program = format!(
            "data \"opinions.csv\" {{ input review words; target liked }}\nembed 8\n{network}\ndense 2 softmax\n\
             loss crossentropy\n"
        );
        place.write("net.nn", &program);
        let out = place.nnc(&["check", "net.nn"]);
        assert_eq!(out.code, 0, "{}", out.err);
        out.err.contains("N0420")
    };
    assert!(told("flatten"));
    assert!(told("conv 8 3 relu\nglobal_maxpool"));
    assert!(told("lstm 4 sequence\nit[-1]"));
    assert!(!told("zero_padding\nflatten"));
    assert!(!told("zero_padding\nconv 8 3 relu\nglobal_maxpool"));
    assert!(!told("positions\nattention 2\nit[0]"));
    assert!(!told("lstm 4"));
}

/// Words in, a word of another kind for each out.
#[test]
fn a_text_for_a_text_is_told_as_one() {
    let place = Place::new();
    let (nouns, verbs) = (["cat", "dog", "man"], ["sees", "eats"]);
    let mut rows = String::from("id,sentence,tags\n");
    for i in 0..60 {
        let text = ["the", nouns[i % 3], verbs[i / 3 % 2], "the", nouns[i / 2 % 3]];
        let length = [2, 3, 5][i % 3];
        let tag = |word: &str| match word {
            "the" => "det",
            word if nouns.contains(&word) => "noun",
            _ => "verb",
        };
        let tags: Vec<&str> = text[..length].iter().map(|w| tag(w)).collect();
        rows += &format!("{i},{},{}\n", text[..length].join(" "), tags.join(" "));
    }
    place.write("tags.csv", &rows);
    place.write(
        "tags.nn",
        "data \"tags.csv\" { drop id; input sentence words length=6; target tags words length=6 }\n\
         embed 8 mask_zero\nlstm 12 sequence both\ndense 5 softmax\nloss crossentropy\nmetrics accuracy\n\
         optimizer adam lr=0.02\nepochs 40\n",
    );
    let table = place.nnc(&["train", "tags.nn", "--out", "run"]).fine();
    assert!(table.contains("the dog sees  det noun verb  det noun verb\n"), "{table}");
    place.write("new.csv", "sentence\nthe man\nThe dog eats the cat!\nthe\n");
    let said = place.nnc(&["predict", "run", "--data", "new.csv", "--round", "--with", "sentence"]).fine();
    assert_eq!(
        said,
        "sentence,output\nthe man,det noun\nThe dog eats the cat!,det noun verb det noun\nthe,det\n"
    );
    let said = place.nnc(&["predict", "run", "--data", "new.csv"]).fine();
    let head: Vec<&str> = said.lines().next().unwrap().split(',').collect();
    assert_eq!(
        (head.len(), head[0], head[1], head[30]),
        (31, "output", "output.1.(padding)", "output.6.verb"),
        "{said}"
    );
    let json = place.nnc(&["predict", "run", "--data", "new.csv", "--json"]).json();
    assert_eq!(json["rows"][0]["output"], "det noun");
    let shares = json["rows"][0]["output.values"].as_array().unwrap();
    assert!(shares.len() == 6 && shares[0].as_array().unwrap().len() == 5, "{json}");
    // Characters stand together.
    let text = std::fs::read_to_string(place.path("tags.nn")).unwrap();
    let text = text
        .replace("target tags words length=6", "target tags characters length=6")
        .replace("dense 5", "dense 12");
    place.write(
        "letters.nn",
        &text.replace("epochs 40", "epochs 1").replace("words length=6", "characters length=6"),
    );
    let ran = place.nnc(&["train", "letters.nn", "--out", "letters"]);
    assert!(ran.code == 0 && ran.out.contains("det no "), "{}{}", ran.out, ran.err);
}
