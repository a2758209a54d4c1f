//! Layers that stay as they are, and models that are only in part the start of another.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use std::collections::BTreeMap;

const DATA: &str = "data {
  1 0 2 -> 0.3; 0 1 1 -> 1; 2 2 0 -> 0.7; 1 3 1 -> 0
  3 1 1 -> 0.2; 2 0 1 -> 0.9; 0 2 2 -> 0.4; 1 1 0 -> 1
}
batch 3
epochs 3
";

/// The bytes of the tensors of a model file, by name.
fn tensors(place: &Place, file: &str) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(place.path(file)).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    let place =
        |v: &serde_json::Value, i: usize| v["data_offsets"][i].as_u64().unwrap() as usize + 8 + length;
    let all = header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__");
    all.map(|(name, v)| (name.clone(), bytes[place(v, 0)..place(v, 1)].to_vec())).collect()
}

#[test]
fn frozen_layers_stay_bit_by_bit_whatever_the_optimizer() {
    let place = Place::new();
    let net = "base = dense 4\nbn = batchnorm momentum=0.5\nrelu\n";
    place.write("base.nn", &format!("{DATA}{net}dense 1\nloss mse\noptimizer adam lr=0.05\n"));
    place.nnc(&["train", "base.nn", "--out", "base", "-q"]).fine();
    let before = tensors(&place, "base/model.safetensors");
    for (i, optimizer) in [
        "optimizer adamw lr=0.01 decay=0.1",
        "optimizer adam max_norm=0.1",
        "optimizer adam ema=0.5",
        "optimizer sgd lr=0.1 momentum=0.9\nclip 0.1",
        "optimizer rmsprop\nclip norm=0.1\nschedule plateau patience=1 watch=loss",
        "optimizer adamw lr=0.01\nsave best=loss",
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("{DATA}{net}head = dense 1 tanh\nfreeze base bn\nloss mse\n{optimizer}\n");
        place.write("tuned.nn", &text);
        let out = format!("tuned{i}");
        place.nnc(&["train", "tuned.nn", "--init", "base/model.safetensors", "--out", &out, "-q"]).fine();
        let after = tensors(&place, &format!("{out}/model.safetensors"));
        for name in ["base.w", "base.b", "bn.scale", "bn.shift", "bn.running_mean", "bn.running_var"] {
            assert_eq!(before[name], after[name], "{optimizer}: {name}");
        }
        assert!(after.contains_key("head.w"));
    }
    // Without `freeze` all of them move.
    place.write("moved.nn", &format!("{DATA}{net}head = dense 1\nloss mse\noptimizer adam\n"));
    place.nnc(&["train", "moved.nn", "--init", "base/model.safetensors", "--out", "moved", "-q"]).fine();
    let moved = tensors(&place, "moved/model.safetensors");
    for name in ["base.w", "base.b", "bn.scale", "bn.running_mean", "bn.running_var"] {
        assert_ne!(before[name], moved[name], "{name}");
    }
    let summary = place.nnc(&["summary", "tuned.nn"]).fine();
    assert!(summary.contains("29 weights (116 B), of which 24 frozen"), "{summary}");
}

#[test]
fn what_a_file_does_not_have_is_drawn_anew_and_said() {
    let place = Place::new();
    place.write("base.nn", &format!("{DATA}base = dense 4 relu\nsecond = dense 3 relu\ndense 1\nloss mse\n"));
    place.nnc(&["train", "base.nn", "--out", "base", "-q"]).fine();
    let before = tensors(&place, "base/model.safetensors");
    let init = ["train", "new.nn", "--init", "base/model.safetensors", "--out", "new", "--epochs", "1"];
    let program = |rest: &str| format!("{DATA}base = dense 4 relu\n{rest}\nfreeze base\nloss mse\n");
    place.write("new.nn", &program("second = dense 5 relu\nhead = dense 1"));
    let ran = place.nnc(&init);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for line in [
        "warning[N0603]",
        "has 2 of the 6 weights and states of this program",
        "second.w [4,5]: [4,3] in the file",
        "head.w [5,1]: not in the file",
        "dense1.w [3,1]: not in the program",
        "drawn anew",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    assert_eq!(before["base.w"], tensors(&place, "new/model.safetensors")["base.w"]);
    // Where everything fits nothing is said, and where nothing does it is a mistake.
    place.write("new.nn", &program("second = dense 3 relu\ndense 1"));
    let ran = place.nnc(&init);
    assert!(ran.code == 0 && !ran.err.contains("N0603"), "{}", ran.err);
    // A run's folder is its model, as for `predict`.
    let ran = place.nnc(&["train", "new.nn", "--init", "base", "--out", "folder", "--epochs", "1"]);
    assert!(ran.code == 0 && !ran.err.contains("N0603"), "{}", ran.err);
    assert_eq!(before["base.w"], tensors(&place, "folder/model.safetensors")["base.w"]);
    let ran = place.nnc(&["train", "new.nn", "--init", "nothing", "--epochs", "1"]);
    assert!(ran.code == 2 && ran.err.contains("there is no `nothing`"), "{}", ran.err);
    place.write("new.nn", &format!("{DATA}other = dense 7 relu\nhead = dense 1\nloss mse\n"));
    let ran = place.nnc(&init);
    assert!(ran.code == 2 && ran.err.contains("error[N0603]"), "{}", ran.err);
    // What is frozen and not in the file is told of.
    let text =
        format!("{DATA}base = dense 4 relu\nmiddle = dense 3\ndense 1\nfreeze base middle\nloss mse\n");
    place.write("new.nn", &text);
    let ran = place.nnc(&init);
    assert!(ran.err.contains("`middle.w` is drawn anew and frozen"), "{}", ran.err);
}

#[test]
fn what_can_be_frozen() {
    let place = Place::new();
    let check = |rest: &str| {
        place.write("net.nn", &format!("{DATA}{rest}\nloss mse\noptimizer adam\n"));
        let ran = place.nnc(&["check", "net.nn"]);
        (ran.code, ran.err)
    };
    for fine in [
        "dense 4 relu; dense 1; freeze dense1",
        "freeze dense1; dense 4 relu; dense 1",
        "layer two { dense 4 relu; dense 3 }\ne = two\ndense 1\nfreeze e",
        "layer two { dense 4 relu; dense 3 }\ne = two\ndense 1\nfreeze e.dense1",
        "shared e = dense 3 relu\ninput -> e -> e\ndense 1\nfreeze e",
        "param tune = yes\nbase = dense 4\ndense 1\nif tune { freeze base }",
    ] {
        let (code, said) = check(fine);
        assert!(code == 0 && !said.contains("error"), "{fine}\n{said}");
    }
    for (wrong, what) in [
        ("base = dense 4\ndense 1\nfreeze bas", "did you mean `base`?"),
        ("base = dense 4\ndense 1\nfreeze relu", "layers here: base, dense1"),
        ("base = dense 4\ndense 1\nfreeze base dense1", "nothing would learn"),
        ("base = dense 4\ndense 1\nfreeze base\nfreeze base", "frozen already"),
        ("base = dense 4\ndense 1\nfreeze 3", "takes names of layers"),
        ("base = dense 4\ndense 1\nfreeze", "freeze base"),
        ("base = dense 4 trainable=no\ndense 1", "freeze base"),
        ("reshape 3x1\nbase = conv 2 2 relu trainable=no\nflatten\ndense 1", "freeze base"),
    ] {
        let (code, said) = check(wrong);
        assert!(code == 2 && said.contains(what), "{wrong}\n{said}");
    }
}

#[test]
fn stages_are_told_shown_and_checked() {
    let place = Place::new();
    let text = format!(
        "{DATA}base = dense 4 tanh\nhead = dense 1\nloss mse\noptimizer adam\nfreeze base\n\
         stop when loss > 0\nthen {{ optimizer sgd lr=0.1; epochs 2; stop when loss < 0 }}\n"
    );
    place.write("net.nn", &text);
    let ran = place.nnc(&["train", "net.nn"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("stage 1 of 2: 5 weights learn (16 frozen), 3 epochs of 3 steps"),
        "{}",
        ran.err
    );
    assert!(
        ran.err.contains("stage 2 of 2 after epoch 1: loss > 0: 21 weights learn, 2 epochs"),
        "{}",
        ran.err
    );
    let history = std::fs::read_to_string(place.path("runs/net/1/history.csv")).unwrap();
    let rows: Vec<&str> = history.lines().map(|l| &l[..4]).collect();
    assert_eq!(rows, ["epoc", "1,1,", "2,2,", "3,2,"]);
    let updates = |of: &str| {
        let graph = place.nnc(&["graph", "net.nn", "--stage", "step", "--of", of]).fine();
        ["base.w", "head.w", "adam"]
            .map(|word| graph.lines().any(|l| l.contains("update") && l.contains(word)))
    };
    assert_eq!(updates("1"), [false, true, true]);
    assert_eq!(updates("2"), [true, true, false]);
    let no = place.nnc(&["graph", "net.nn", "--of", "3"]);
    assert!(no.code == 2 && no.err.contains("there is no stage 3: the program has 2 stages"), "{}", no.err);
    // A line that begins with `then` is a stage, unless a choice above waits for it.
    place.write("line.nn", &text.replace("freeze base", "x = if 1 < 2\n  then 3\n  else 4\nfreeze base"));
    assert!(place.nnc(&["check", "line.nn"]).fine().contains("no mistakes"));
    for (stage, said) in [
        ("then { }", "a stage says what changes"),
        ("then { split valid=20% }", "said once, of the whole training"),
        ("then { loss mae }", "said once, of the whole training"),
        ("then { then { epochs 3 } }", "said once, of the whole training"),
        ("then { freeze bose }", "did you mean `base`?"),
        ("then { freeze base head }", "nothing would learn"),
        ("then { rate base 0.1; freeze base }", "`base` does not learn, so it has no rate"),
        ("then { rate base 0 }", "is above 0, not 0"),
        ("then { rate 0.1 }", "no layer"),
        ("then { rate base 0.1; rate base 0.2 }", "has a rate already"),
        ("then { optimizer lbfgs; rate base 0.1; batch all }", "does not go with `rate`"),
        ("then { optimizer lbfgs; batch 2 accumulate=4 }", "does not go with `accumulate`"),
        ("then { batch 2 accumulate=0 }", "a whole number from 1, not 0"),
        ("then { batch all accumulate=2 }", "counts batches of a number of samples"),
        ("then { epochs 2; epochs 3 }", "`epochs` is given twice"),
        ("then { stop when lass < 1 }", "no figure is called `lass`"),
    ] {
        place.write("wrong.nn", &format!("{text}{stage}\n"));
        let ran = place.nnc(&["check", "wrong.nn"]);
        let all = format!("{}{}", ran.out, ran.err);
        assert!(ran.code == 2 && all.contains(said), "{stage}: {all}");
    }
}
