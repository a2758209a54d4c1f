//! `nnc fmt` as it is called from a shell.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, run, specs};

const LOOSE: &str = "dense(16,relu) # hidden\n\n\n\ndense   1 sigmoid;loss mse\n";
const USUAL: &str = "dense 16 relu  # hidden\n\ndense 1 sigmoid; loss mse\n";

fn read(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap()
}

#[test]
fn files_are_written_in_the_usual_form() {
    let place = Place::new();
    place.write("a.nn", LOOSE);
    place.write("b.nn", USUAL);
    let ran = place.nnc(&["fmt", "a.nn", "b.nn"]);
    assert_eq!(ran.err, "1 of 2 programs changed\n");
    assert_eq!(ran.fine(), "a.nn\n");
    assert_eq!((read(&place, "a.nn"), read(&place, "b.nn")), (USUAL.into(), USUAL.into()));
    let again = place.nnc(&["fmt", "a.nn", "b.nn"]);
    assert_eq!((again.err.as_str(), again.out.as_str(), again.code), ("", "", 0));
}

#[test]
fn check_changes_nothing_and_names_what_would_change() {
    let place = Place::new();
    place.write("a.nn", LOOSE);
    place.write("b.nn", USUAL);
    let ran = place.nnc(&["fmt", "--check", "a.nn", "b.nn"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "a.nn\n"), "{}", ran.err);
    assert_eq!(read(&place, "a.nn"), LOOSE);
    assert_eq!(place.nnc(&["fmt", "--check", "b.nn"]).code, 0);
}

#[test]
fn stdin_goes_to_stdout() {
    let place = Place::new();
    assert_eq!(place.nnc_with(&["fmt", "-"], LOOSE).fine(), USUAL);
    assert_eq!(place.nnc_with(&["fmt", "-"], USUAL).fine(), USUAL);
    assert_eq!(place.nnc_with(&["fmt", "-"], "").fine(), "");
    let ran = place.nnc_with(&["fmt", "-", "--check"], LOOSE);
    assert_eq!((ran.code, ran.out.as_str()), (1, "<stdin>\n"), "{}", ran.err);
}

#[test]
fn a_mistake_keeps_its_file_as_it_is_and_no_other() {
    let place = Place::new();
    place.write("a.nn", "x = (\n");
    place.write("b.nn", LOOSE);
    let ran = place.nnc(&["fmt", "a.nn", "none.nn", "b.nn"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, "b.nn\n"));
    assert!(ran.err.contains("N0102") && ran.err.contains("N0701"), "{}", ran.err);
    assert_eq!(read(&place, "a.nn"), "x = (\n");
    let ran = place.nnc_with(&["fmt", "-"], "x = (");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
}

#[test]
fn folders_are_searched() {
    let place = Place::new();
    std::fs::create_dir_all(place.path("deep/er")).unwrap();
    std::fs::create_dir_all(place.path(".hidden")).unwrap();
    for name in ["z.nn", "deep/er/a.nn", ".hidden/h.nn", "notes.txt"] {
        place.write(name, LOOSE);
    }
    let ran = place.nnc(&["fmt", "."]);
    assert_eq!(ran.fine(), "deep/er/a.nn\nz.nn\n");
    assert_eq!(read(&place, ".hidden/h.nn"), LOOSE);
    let empty = Place::new();
    let ran = empty.nnc(&["fmt", "."]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("there is no program in the folder"), "{}", ran.err);
}

/// Without a name nothing changes: a whole tree is changed by whoever says so.
#[test]
fn without_a_name_it_tells_how_many_would_change() {
    let place = Place::new();
    place.write("a.nn", LOOSE);
    place.write("b.nn", USUAL);
    let ran = place.nnc(&["fmt"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "a.nn\n"));
    assert_eq!(ran.err, "1 of 2 programs would change; `nnc fmt .` changes them\n");
    assert_eq!(read(&place, "a.nn"), LOOSE);
    place.nnc(&["fmt", "."]).fine();
    let ran = place.nnc(&["fmt"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn what_is_ignored_stays_as_it_is() {
    let place = Place::new();
    for folder in ["tests/wrong", "runs/xor/1", "own"] {
        std::fs::create_dir_all(place.path(folder)).unwrap();
    }
    for name in ["a.nn", "tests/wrong/b.nn", "runs/xor/1/spec.nn", "own/c.nn", "own/d.nn"] {
        place.write(name, LOOSE);
    }
    place.write(".gitignore", "/runs\n");
    place.write(".nncignore", "wrong/\n");
    place.write("own/.nncignore", "# not mine\n?.nn\n!c.nn\n");
    assert_eq!(place.nnc(&["fmt", "."]).fine(), "a.nn\nown/c.nn\n");
    for name in ["tests/wrong/b.nn", "runs/xor/1/spec.nn", "own/d.nn"] {
        assert_eq!(read(&place, name), LOOSE, "{name}");
    }
    // Whoever names one means it.
    assert_eq!(place.nnc(&["fmt", "own/d.nn", "tests/wrong"]).fine(), "own/d.nn\ntests/wrong/b.nn\n");
}

/// A clone of the repository has nothing to change.
#[test]
fn the_repository_is_in_the_usual_form() {
    let ran = run(&specs().join(".."), &["fmt"], "");
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn our_own_programs_are_in_the_usual_form() {
    let ran = run(&specs(), &["fmt", "--check"], "");
    assert_eq!(ran.out, "", "{}", ran.err);
    let place = Place::new();
    place.nnc(&["new", "first"]).fine();
    assert_eq!(place.nnc(&["fmt", "--check", "first.nn"]).fine(), "");
}
