//! Words that people bring from other libraries, as arguments of `nnc explain` and as lines of a program.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use nnc_syntax::{foreign, habits};

#[test]
fn every_word_of_the_tables_is_explained() {
    let place = Place::new();
    let keras = include_str!("../../model/docs/keras.md");
    let rows = keras.lines().filter(|l| l.starts_with("| `") || l.starts_with("| ("));
    let cells = rows.filter_map(|l| l.split(" | ").next());
    let codes = cells.flat_map(|c| c.split('`').skip(1).step_by(2));
    let names = codes.map(|c| c.split(['(', '=', ' ', '/', ',']).next().unwrap());
    let names: Vec<&str> = names.filter(|n| n.len() > 1 && !n.ends_with('…')).collect();
    assert!(names.len() > 100, "{names:?}");
    let habits = habits::all().flat_map(|h| h.names).copied();
    let foreign = foreign::NAMES.iter().map(|(theirs, _)| *theirs);
    let guides = [
        "nn.Linear",
        "torch.nn.Conv2d",
        "optimizer.step",
        "loss.backward()",
        "torch.no_grad",
        "keras.layers.Dense",
        "tf.keras.callbacks.EarlyStopping",
        "GlobalAveragePooling2D",
        "ZeroPadding3D",
        "model.fit",
    ];
    // A process for each would take a minute: a sample, and all of the short lists.
    for name in names.into_iter().chain(habits).step_by(3).chain(foreign.step_by(11)).chain(guides) {
        let ran = place.nnc(&["explain", name]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        assert!(!ran.out.starts_with("There is no"), "{name}: {}", ran.out);
    }
}

#[test]
fn lines_of_other_libraries_are_answered_with_the_line_to_write() {
    let place = Place::new();
    for (line, wanted) in [
        ("validation_split 0.2", "split valid=20%"),
        ("validation_split=0.25", "split valid=25%"),
        ("early_stopping patience=7", "stop when val_loss stalls for 7"),
        ("cb = EarlyStopping(monitor='val_loss', patience=3)", "stop when val_loss stalls for 3"),
        ("lr 0.01", "optimizer adam lr=0.01"),
        ("learning_rate 0.05", "optimizer adam lr=0.05"),
        ("lr = 0.3", "optimizer adam lr="),
        ("epochs=5", "epochs 5"),
        ("batch_size 32", "`batch`"),
        ("activation tanh", "dense 16 tanh"),
        ("hidden_layers 12", "dense 12 relu"),
        ("momentum 0.8", "optimizer sgd lr=0.01 momentum=0.8"),
        ("model.add(Dense(16))", "dense 16"),
        ("layers:", "this is YAML"),
        ("- dense: 16", "help: dense 16"),
        ("learning_rate: 0.02", "optimizer adam lr=0.02"),
        ("optimizer: sgd", "help: optimizer sgd"),
        ("\"epochs\": 5", "help: epochs 5"),
        ("// a comment", "a comment begins with `#`"),
        ("/* a comment */", "a comment begins with `#`"),
        ("adam lr=10", "optimizer adam lr=10"),
        ("test iris.csv", "test \"iris.csv\""),
        ("valid my/own-rows.tsv", "valid \"my/own-rows.tsv\""),
        ("dense 4 kernel_regularizer=l2", "0.01 * l2(weights)"),
        ("optimizer = Adam(lr=0.01)", "help: optimizer adam lr=0.01"),
        ("optimizer=\"adam\"", "help: optimizer adam"),
        ("optimizer \"sgd\"", "help: optimizer sgd"),
        ("loss = \"mse\"", "help: loss mse"),
        ("loss = categorical_crossentropy", "help: loss crossentropy"),
        ("loss mse + mae", "loss = mse(output, target) + mae(output, target)"),
        ("loss 0.5*mae + 0.1*mse", "loss = 0.5*mae(output, target) + 0.1*mse(output, target)"),
        ("metrics [mae]", "help: metrics mae"),
        ("metrics = [\"mae\", \"acc\"]", "help: metrics mae accuracy"),
        ("metrics \"mae\"", "help: metrics mae"),
        ("schedule = \"cosine\"", "help: schedule cosine"),
        ("split 20%", "help: split valid=20%"),
        ("split valid 30%", "help: split valid=30%"),
        ("split 80/20", "help: split valid=20%"),
        ("split = 90/10", "help: split valid=10%"),
        ("split train=80% test=20%", "leave `train` out"),
        ("test 20%", "split test=20%"),
        ("valid 0.1", "split valid=10%"),
        ("valid = \"iris.csv\"", "help: valid \"iris.csv\""),
        ("stop when val_loss", "stop when val_loss stalls for 5"),
        ("dropout = 0.5", "to apply it: dropout 0.5"),
        ("hidden_layers = [16, 8]", "dense 16 relu\n        dense 8 relu"),
        ("drop id", "data \"f.csv\" { drop id; input rest; target y }"),
        ("ｄｅｎｓｅ ４", "write `dense`"),
        ("dense 4 relu ＃ a comment", "full-width"),
        ("print(input)", "nnc summary net.nn"),
        ("while 1 { dense 4 }", "this statement has no block"),
    ] {
        let data = "data { 0 1 -> 1; 1 0 -> 0 }";
        let loss = if line.starts_with("loss") { "" } else { "loss mse\n" };
        let optimizer = if line.starts_with("optimizer") { "" } else { "optimizer adam\n" };
        place.write("net.nn", &format!("{data}\n{line}\ndense 1\n{loss}{optimizer}"));
        let ran = place.nnc(&["check", "net.nn"]);
        assert!(ran.err.contains(wanted), "{line}\n{}", ran.err);
    }
    place.write("net.nn", "{\n  \"layers\": [{\"dense\": 16}],\n  \"optimizer\": \"adam\"\n}\n");
    let ran = place.nnc(&["check", "net.nn"]);
    assert!(ran.code == 2 && ran.err.contains("this is JSON"), "{}", ran.err);
    assert_eq!(ran.err.matches("error[").count(), 1, "{}", ran.err);
}

#[test]
fn settings_behind_set_are_told_as_what_they_are() {
    let place = Place::new();
    place.write(
        "net.nn",
        "param hidden = 4\ndata { 0 1 -> 1; 1 0 -> 0 }\ndense hidden\ndense 1\nloss mse\noptimizer adam\n",
    );
    for (set, wanted) in [
        ("epochs=5", "--epochs 5"),
        ("batch_size=2", "--batch 2"),
        ("lr=0.1", "optimizer adam lr=0.1"),
        ("loss=mae", "loss mae"),
        ("hidden=8,16", "--set hidden=[8,16]"),
        ("hiden=8", "did you mean `hidden`?"),
    ] {
        let ran = place.nnc(&["check", "net.nn", "--set", set]);
        assert!(ran.code == 2 && ran.err.contains(wanted), "{set}\n{}", ran.err);
    }
}

#[test]
fn columns_called_like_a_word_of_the_language() {
    let place = Place::new();
    place.write(
        "t.csv",
        "date,number,category,log,v\n2024-01-02,3,a,1,1\n2024-01-05,4,b,2,2\n2024-02-05,5,a,3,4\n",
    );
    for (lines, shown) in [
        ("input number log; target v; drop date category", "not read: date, category, log"),
        ("input date date; target v; drop category log number", "date"),
        ("input number standardize; target v; drop category log date", "number"),
        ("input category one_hot; target v; drop date number log", "category"),
    ] {
        place.write("net.nn", &format!("data \"t.csv\" {{ {lines} }}\ndense 1\nloss mse\noptimizer adam\n"));
        let ran = place.nnc(&["data", "net.nn"]);
        assert!(ran.code == 0 && ran.out.contains(shown), "{lines}\n{}{}", ran.out, ran.err);
    }
    let lines = "input number; target v; drop date missing=mean";
    place.write("net.nn", &format!("data \"t.csv\" {{ {lines} }}\ndense 1\nloss mse\noptimizer adam\n"));
    let ran = place.nnc(&["check", "net.nn"]);
    assert!(ran.code == 2 && ran.err.contains("has no effect"), "{}", ran.err);
}
