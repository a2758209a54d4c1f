//! Shares of one number.

use crate::elaborate::elab::{Elab, Stop};
use crate::elaborate::value::Tensor;
use nnc_syntax::Code;

/// A softmax shares out a total of 1; one number gets all of it.
pub(crate) fn softmax_of_one(e: &Elab<'_>, name: &str, shares: bool, t: &Tensor) -> Result<(), Stop> {
    if t.axes.last().map_or(1, |a| a.size) != 1 {
        return Ok(());
    }
    let always = u8::from(shares);
    let mut d = e
        .error(
            Code::N0402,
            format!("`{name}` over one number is always {always}"),
            e.session.word(name),
            "gets one number",
        )
        .cause("softmax shares out a total of 1, and here there is one output")
        .cause("whatever the weights, the output stays the same and every gradient is 0");
    let classes =
        e.session.ports.targets.iter().find_map(|p| p.classes.as_ref().map(|c| (p.name.clone(), c.len())));
    let word = e.session.word(name);
    let here = e.is_user(word) && e.session.sources.slice(word) == name;
    d = match classes {
        Some((target, k)) => {
            d.cause(format!("the target `{target}` has {k} classes")).help(format!("dense {k} softmax"))
        }
        // Numbers are the target: yes or no, then.
        None if shares && here && !e.session.ports.targets.is_empty() => d
            .help("for yes or no: dense 1 sigmoid")
            .help("for k classes: dense k softmax")
            .fix(word, "sigmoid", true),
        None => d.help("for yes or no: dense 1 sigmoid").help("for k classes: dense k softmax"),
    };
    Err(Stop::Error(Box::new(d)))
}
