//! Small networks as neurons, and the pictures of the README.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, run, specs};
use std::path::{Path, PathBuf};

fn lines(svg: &str, class: &str) -> usize {
    svg.matches(&format!("class=\"{class}\"")).count()
}

#[test]
fn a_trained_network_has_the_colours_of_its_weights() {
    let place = Place::new();
    place.write(
        "animals.csv",
        "legs,wings,kind\n4,no,dog\n2,yes,bird\n4,no,dog\n2,yes,bird\n6,yes,bee\n6,yes,bee\n",
    );
    place.write(
        "animals.nn",
        "data \"animals.csv\" { input legs standardize; input wings one_hot; target kind }\ndense 5\nrelu\ndropout 0.1\n\
         dense 3 softmax\nloss crossentropy\noptimizer adam\nepochs 3\n",
    );
    let plain = place.nnc(&["graph", "animals.nn", "--stage", "neurons"]).fine();
    assert_eq!((lines(&plain, "line"), lines(&plain, "neuron")), (3 * 5 + 5 * 3, 8), "{plain}");
    for part in [">legs<", ">wings=no<", ">bird<", "dense 5; relu", "animals.nn"] {
        assert!(plain.contains(part), "{part}: {plain}");
    }
    place.nnc(&["train", "animals.nn", "-q", "--out", "run"]).fine();
    place.nnc(&["graph", "run", "--stage", "neurons", "--out", "net.svg"]).fine();
    let svg = std::fs::read_to_string(place.path("net.svg")).unwrap();
    assert_eq!((lines(&svg, "line plus") + lines(&svg, "line minus"), lines(&svg, "line")), (30, 0), "{svg}");
    // The colour of a line is the sign of its weight.
    let row = place.nnc(&["explain", "run", "--row", "1", "--json"]).json();
    let weights = row["weights"][0]["before"].as_array().unwrap();
    for (i, weight) in weights.iter().enumerate() {
        let (weight, from, to) = (weight.as_f64().unwrap(), i / 5, i % 5);
        let title = format!("dense1.w[{from},{to}] = {weight:.4}");
        let at = svg.find(&title).unwrap_or_else(|| panic!("{title}: {svg}"));
        let line = svg[..at].rsplit('\n').next().unwrap();
        assert!(line.contains(if weight < 0.0 { "line minus" } else { "line plus" }), "{title}: {line}");
    }
}

#[test]
fn what_is_no_small_network_of_neurons_is_refused() {
    let place = Place::new();
    for (network, told) in [
        ("dense 50\ndense 1", "has 50 neurons on one side, and at most 40 are drawn"),
        (
            "reshape 2x1\nconv 2 1\nflatten\ndense 1",
            "neurons are drawn of dense layers, and `conv 2 1` is none",
        ),
        (
            "a = dense 2\nb = input -> dense 3\nconcat(a, b) -> dense 1",
            "`concat(a, b)` is between the layers of neurons",
        ),
    ] {
        place.write(
            "net.nn",
            &format!("data {{ 0 1 -> 1; 1 0 -> 0 }}\n{network}\nloss mse\noptimizer adam\n"),
        );
        let ran = place.nnc(&["graph", "net.nn", "--stage", "neurons"]);
        assert!(
            ran.code == 2 && ran.err.contains(told) && ran.err.contains("--stage layers"),
            "{}{}",
            ran.out,
            ran.err
        );
    }
    let ran = place.nnc(&["graph", "net.nn", "--stage", "neurons", "--out", "net.html"]);
    assert!(ran.code == 2 && ran.err.contains("as SVG"), "{}", ran.err);
}

/// The pictures of the README: `NNC_UPDATE=1 cargo test -p nnc --test pictures` draws them anew.
#[test]
fn the_pictures_of_the_readme_are_those_of_the_program() {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pictures");
    for (name, args) in [
        ("xor-layers.svg", &["graph", "xor.nn", "--stage", "layers", "--format", "svg"][..]),
        ("xor-step.svg", &["graph", "xor.nn", "--stage", "step", "--format", "svg"]),
        ("xor-neurons.svg", &["graph", "xor.nn", "--stage", "neurons"]),
    ] {
        let drawn = run(&specs(), args, "").fine();
        let path = folder.join(name);
        if std::env::var_os("NNC_UPDATE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &drawn).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == drawn, "{name} is not what `nnc {}` draws", args.join(" "));
    }
    // The weights of a trained network are those of a machine; what is drawn of them is not.
    let trained = std::fs::read_to_string(folder.join("xor-trained.svg")).unwrap();
    assert_eq!(lines(&trained, "line plus") + lines(&trained, "line minus"), 48);
    let readme = std::fs::read_to_string(folder.join("../../README.md")).unwrap();
    for name in ["xor-trained.svg", "xor-step.svg"] {
        assert!(readme.contains(&format!("docs/pictures/{name}")), "{name}");
    }
}
