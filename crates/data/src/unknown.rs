//! What is said of a class that training never saw.

use crate::fault::{Fault, Place, codes};
use crate::fit::OTHER;
use crate::spec::Role;
use crate::stats::ColumnStats;

/// The mistake of a cell that holds such a class.
pub(crate) fn category(stats: &ColumnStats, name: &str) -> Fault {
    let message = format!("training never saw `{name}` in `{}`", stats.name);
    let place = Place { cell: Some(name.to_string()), ..Place::default() };
    let known: Vec<&str> = stats.vocabulary.iter().map(String::as_str).filter(|n| *n != OTHER).collect();
    let fault = Fault::new(codes::UNKNOWN_CATEGORY, message).place(place);
    let fault = match crate::input::similar(name, known.iter().copied()).first() {
        Some(best) => fault.label(format!("did you mean `{best}`?")),
        None => fault,
    };
    let mut list = known.iter().take(8).copied().collect::<Vec<_>>().join(" ");
    if known.len() > 8 {
        list.push_str(" …");
    }
    let fault = fault.expected(format!("one of {list}"));
    if stats.role == Role::Target {
        return fault;
    }
    fault.help(format!("train with `unknown=other` on the line of `{}`", stats.name))
}
