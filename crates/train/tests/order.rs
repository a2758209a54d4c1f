//! Categories in an order of the program's.
#![allow(clippy::unwrap_used)]

use nnc_data::PortId;
use nnc_model::{Overrides, Spec};
use nnc_train::{LoadOptions, Loaded, load};

fn loaded(line: &str) -> Result<Loaded, String> {
    let folder = tempfile::tempdir().unwrap();
    let rows = "a,size,grade\n1,small,2\n2,large,10\n3,middle,2\n4,small,1\n";
    std::fs::write(folder.path().join("t.csv"), rows).unwrap();
    let text =
        format!("data \"t.csv\" {{ input a; {line} }}\ndense 3 softmax\nloss crossentropy\noptimizer adam\n");
    let spec = Spec::read("net.nn", &text, &Overrides::default()).map_err(|(d, _)| format!("{d:?}"))?;
    let options = LoadOptions { base: folder.path().to_path_buf(), ..LoadOptions::default() };
    load(spec, &options).map_err(|p| format!("{p:?}"))
}

/// The classes of the target, and those of the four rows.
fn target(line: &str) -> (Vec<String>, Vec<f64>) {
    let loaded = loaded(line).unwrap();
    let mut values = vec![0.0; 4];
    loaded.data.train.gather_f64(PortId::Target(0), &[0, 1, 2, 3], &mut values).unwrap();
    (loaded.ports.targets[0].classes.clone().unwrap(), values)
}

#[test]
fn the_program_says_which_category_is_which_class() {
    let (names, rows) = target("target size");
    assert_eq!((names.join(" "), rows), ("large middle small".to_string(), vec![2.0, 0.0, 1.0, 2.0]));
    let (names, rows) = target("target size order=[small, middle, large]");
    assert_eq!((names.join(" "), rows), ("small middle large".to_string(), vec![0.0, 2.0, 1.0, 0.0]));
    // Numbers too, and categories that no row has.
    let (names, rows) = target("target grade order=[10, 5, 2, 1]");
    assert_eq!((names.join(" "), rows), ("10 5 2 1".to_string(), vec![2.0, 0.0, 2.0, 3.0]));
}

#[test]
fn an_order_has_every_category_once() {
    for (line, wanted) in [
        ("target size order=[small, large]", "leaves out middle"),
        ("target size order=[small, large, small]", "has `small` twice"),
        ("target size order=3", "is a list of categories"),
        ("target size category=[small, middle, large]", "order=[small, middle, large]"),
        ("target size category standardize", "categories are not scaled"),
    ] {
        let said = loaded(line).map(|_| ()).unwrap_err();
        assert!(said.contains(wanted), "{line}\n{said}");
    }
}
