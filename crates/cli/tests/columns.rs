//! One mistake of a column is told once, with a count.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;

#[test]
fn the_cells_of_a_column_with_one_mistake_are_one_diagnostic() {
    let place = Place::new();
    let mut rows = String::from("a,b,y\n");
    for i in 1..40 {
        let b = if i % 2 == 1 { format!("x{i}") } else { i.to_string() };
        rows += &format!("{i},{b},{}\n", i % 3);
    }
    place.write("t.csv", &rows);
    place.write(
        "net.nn",
        "data \"t.csv\" { input a; input b standardize; target y }\ndense 1\nloss mse\noptimizer adam\n",
    );
    let ran = place.nnc(&["check", "net.nn"]);
    assert_eq!(ran.code, 2);
    assert_eq!(ran.err.matches("error[").count(), 1, "{}", ran.err);
    assert!(ran.err.contains("`x1` is not a number"), "{}", ran.err);
    assert!(
        ran.err.contains("the same in row 3 `x3`, row 5 `x5`, row 7 `x7`, row 9 `x9` …: 20 cells in all"),
        "{}",
        ran.err
    );
    // Two columns are two mistakes.
    place.write("t.csv", "a,b,y\n1,2,3\nx,2,3\n1,y,3\nz,2,3\n4,4,4\n");
    place.write(
        "net.nn",
        "data \"t.csv\" { input a b number; target y }\ndense 1\nloss mse\noptimizer adam\n",
    );
    let ran = place.nnc(&["check", "net.nn"]);
    assert_eq!(ran.err.matches("error[").count(), 2, "{}", ran.err);
    assert!(ran.err.contains("the same in row 4 `z`: 2 cells in all"), "{}", ran.err);
}
