//! A mistake leaves nothing behind: what follows is understood as if it were not there.
#![allow(clippy::unwrap_used)]

mod common;

use common::{build, numbers, ports, render};

/// The mistakes of a program over a sequence of four steps of three numbers.
fn mistakes(text: &str) -> String {
    match build(text, &ports(numbers("input", &[4, 3]), numbers("target", &[1]))) {
        Ok(_) => panic!("no mistakes in\n{text}"),
        Err((found, sources)) => render(&found, &sources),
    }
}

/// The body of a loop shares its weights among the steps; what follows a broken loop shares nothing.
#[test]
fn after_a_broken_loop_weights_are_not_shared() {
    let said = mistakes(
        "hs = scan xt in input with h = zeros([3]) { h = h + nothing; h }
        x = input -> flatten
        a = x -> dense 3
        a = x -> dense 3
        loss mse
        optimizer adam",
    );
    assert!(said.contains("there is nothing called `nothing`"), "{said}");
    assert!(said.contains("Error[N0304]: there are two weights called `a.w`"), "{said}");
}

/// Steps after a broken loop are steps of the network, and stand among the shapes so far.
#[test]
fn after_a_broken_loop_steps_are_rows() {
    let said = mistakes(
        "hs = scan xt in input with h = zeros([3]) { h = h + nothing; h }
        x = input -> flatten -> dense 7
        y = x -> conv 3
        loss mse
        optimizer adam",
    );
    assert!(said.contains("= shapes so far, for one sample:\n"), "{said}");
    assert!(said.lines().any(|l| l.trim_start().starts_with("= ") && l.contains("dense 7  ")), "{said}");
}

/// What a broken loop would have carried is unknown, not its first value.
#[test]
fn after_a_broken_loop_carried_names_are_unknown() {
    let said = mistakes(
        "hs = scan xt in input with h = zeros([3]) { h = h + nothing; h }
        y = h @ input
        dense 1
        loss mse
        optimizer adam",
    );
    assert_eq!(said.matches("Error[").count(), 1, "{said}");
}

/// A definition that fails leaves its caller as it was.
#[test]
fn after_a_broken_layer_weights_are_not_shared() {
    let said = mistakes(
        "layer broken of x[time, n] { hs = scan xt in x with h = zeros([n]) { h = h + nothing; h }; hs }
        input -> broken
        x = input -> flatten
        a = x -> dense 3
        a = x -> dense 3
        loss mse
        optimizer adam",
    );
    assert!(said.contains("there is nothing called `nothing`"), "{said}");
    assert!(said.contains("Error[N0304]"), "{said}");
}
