//! Layers that stay as they are, or learn at a rate of their own: whether what `freeze` and `rate` name is there, and
//! something is left to learn.

use crate::declarations::settings::stands_below;
use crate::elaborate::elab::Elab;
use crate::suggest::{certain, nearest};
use nnc_graph::Role;
use nnc_syntax::ast::Name;
use nnc_syntax::{Code, Diagnostic};

/// Reports names that freeze nothing, and a network of which nothing is left to learn.
pub(crate) fn check(e: &mut Elab<'_>) {
    let mut found: Vec<Diagnostic> = Vec::new();
    let frozen = &e.results.top.frozen;
    found.extend(frozen.iter().filter_map(|name| unknown(e, name, "this would freeze nothing")));
    let mut weights = e.results.declared.iter().filter(|d| d.role == Role::Weight).peekable();
    if found.is_empty()
        && weights.peek().is_some()
        && weights.all(|d| d.frozen)
        && let Some(first) = frozen.first()
    {
        let d = Diagnostic::error(Code::N0413, "every weight is frozen, so nothing would learn")
            .label(first.span, "")
            .help("leave out the layers that are to learn");
        found.push(d);
    }
    e.session.diagnostics.extend(found);
}

/// Reports names of `rate` that are those of no layer, or of one that does not learn.
pub(crate) fn check_rates(e: &mut Elab<'_>) {
    let mut found: Vec<Diagnostic> = Vec::new();
    for (name, _) in &e.results.top.rates {
        if let Some(d) = unknown(e, name, "this would change nothing") {
            found.push(d);
            continue;
        }
        let learns = |d: &crate::elaborate::results::Declared| {
            d.role == Role::Weight && !d.frozen && stands_below(&d.path, &name.text)
        };
        if !e.results.declared.iter().any(learns) {
            let message = format!("`{}` does not learn, so it has no rate", name.text);
            let d = Diagnostic::error(Code::N0413, message).label(name.span, "this would change nothing");
            found.push(d.help("a layer that is frozen has no learning rate; leave one of the two out"));
        }
    }
    e.session.diagnostics.extend(found);
}

/// A name that no layer has.
fn unknown(e: &Elab<'_>, name: &Name, otherwise: &str) -> Option<Diagnostic> {
    let kept = || e.results.declared.iter().filter(|d| d.role != Role::Slot);
    if kept().any(|d| stands_below(&d.path, &name.text)) {
        return None;
    }
    let mut layers: Vec<&str> = kept().filter_map(|d| d.path.split('.').next()).collect();
    layers.dedup();
    let near = nearest(&name.text, &layers);
    let label = near.map_or(otherwise.to_string(), |n| format!("did you mean `{n}`?"));
    let d = Diagnostic::error(Code::N0202, format!("no layer with weights is called `{}`", name.text))
        .label(name.span, label)
        .help(format!("layers here: {}", layers.join(", ")))
        .help("a layer gets a name where it stands: base = conv 8 3x3 relu");
    Some(match near {
        Some(near) => d.fix(name.span, near, certain(&name.text, &layers) == Some(near)),
        None => d,
    })
}
