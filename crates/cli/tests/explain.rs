//! `nnc explain` as it is called from a shell.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, run, specs};

fn explained(topic: &str) -> String {
    Place::new().nnc(&["explain", topic]).fine()
}

#[test]
fn a_program_line_by_line() {
    for name in ["xor", "spiral", "oscillator"] {
        let text = run(&specs(), &["explain", &format!("{name}.nn")], "").fine();
        insta::assert_snapshot!(format!("walk_{name}"), text);
    }
}

#[test]
fn parameters_repeats_and_choices() {
    let place = Place::new();
    place.write(
        "p.nn",
        "param depth = 2\nparam wide = yes\nexperiment thin wide=no\n## Twice as much.\nfn double(x) = 2 * x\n\
         data { 0 0 -> 0; 0 1 -> 1; 1 0 -> 1; 1 1 -> 0 }\nrepeat depth { dense 4 tanh; dropout 0.25 }\n\
         if wide { dense 8 double } else { dense 2 }\nskip = it\nflatten -> dense 8 -> add skip\ndense 1 sigmoid\n\
         loss binary_crossentropy\nsteps 10; batch 2; clip 1.0\n",
    );
    insta::assert_snapshot!(place.nnc(&["explain", "p.nn"]).fine());
    let thin = place.nnc(&["explain", "p.nn", "--set", "depth=1", "--as", "thin"]);
    // The branch that is not taken is not explained.
    assert!(thin.code != 0 || !thin.out.contains("dense 8 double"), "{}", thin.out);
}

#[test]
fn pages_of_names() {
    for name in ["dense", "adam", "mse", "glorot", "einsum", "epochs", "split"] {
        insta::assert_snapshot!(format!("name_{name}"), explained(name));
    }
}

#[test]
fn names_of_other_libraries_lead_to_ours() {
    for (theirs, ours) in [("Conv2D", "conv"), ("Linear", "dense"), ("nb_epoch", "epochs"), ("Adam", "adam")]
    {
        let text = explained(theirs);
        assert!(text.starts_with(&format!("`{theirs}` is `{ours}` here.\n\n{ours}")), "{text}");
    }
    assert!(explained("dens").starts_with("There is no `dens`; this is `dense`.\n"));
}

#[test]
fn every_name_of_the_list_has_a_page() {
    let place = Place::new();
    let list = place.nnc(&["explain"]).fine();
    let names = list.split("\n\n").skip(1).filter(|group| !group.starts_with("diagnostics"));
    let names: Vec<&str> = names.flat_map(|g| g.lines().skip(1)).flat_map(str::split_whitespace).collect();
    assert!(names.len() > 150, "{list}");
    for name in names {
        let page = place.nnc(&["explain", name]).fine();
        assert!(page.starts_with(name) && page.lines().count() > 2, "{page}");
    }
    for group in ["N01", "n05"] {
        assert!(place.nnc(&["explain", group]).fine().contains("01"));
    }
}

#[test]
fn a_name_of_a_program() {
    let place = Place::new();
    place.write("my.nn", "## Bends.\nfn bend(x, by = 2.0) = x^by\ndense 1\n");
    let page = place.nnc(&["explain", "bend", "--in", "my.nn"]).fine();
    assert!(page.starts_with("bend: a function\n\nBends.\n") && page.contains("unless given: 2.0"), "{page}");
    let ran = place.nnc(&["explain", "bend"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("there is nothing called `bend` to explain"), "{}", ran.err);
    assert_eq!(place.nnc(&["explain", "N0999"]).code, 2);
}

#[test]
fn mistakes_in_a_program_are_told() {
    let place = Place::new();
    place.write("p.nn", "dens 1\nloss mse\n");
    let ran = place.nnc(&["explain", "p.nn"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("dens"), "{}", ran.err);
}
