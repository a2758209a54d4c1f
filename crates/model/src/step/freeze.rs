//! Layers that stay as they are: whether what `freeze` names is there, and something is left to learn.

use crate::elaborate::elab::Elab;
use crate::suggest::{certain, nearest};
use nnc_graph::Role;
use nnc_syntax::{Code, Diagnostic};

/// Reports names that freeze nothing, and a network of which nothing is left to learn.
pub(crate) fn check(e: &mut Elab<'_>) {
    let kept = || e.results.declared.iter().filter(|d| d.role != Role::Slot);
    let mut found: Vec<Diagnostic> = Vec::new();
    for name in &e.results.top.frozen {
        let is = |path: &str| {
            path.strip_prefix(name.text.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if kept().any(|d| is(&d.path)) {
            continue;
        }
        let mut layers: Vec<&str> = kept().filter_map(|d| d.path.split('.').next()).collect();
        layers.dedup();
        let near = nearest(&name.text, &layers);
        let label = near.map_or("this would freeze nothing".to_string(), |n| format!("did you mean `{n}`?"));
        let d = Diagnostic::error(Code::N0202, format!("no layer with weights is called `{}`", name.text))
            .label(name.span, label)
            .help(format!("layers here: {}", layers.join(", ")))
            .help("a layer gets a name where it stands: base = conv 8 3x3 relu");
        found.push(match near {
            Some(near) => d.fix(name.span, near, certain(&name.text, &layers) == Some(near)),
            None => d,
        });
    }
    let mut weights = kept().filter(|d| d.role == Role::Weight).peekable();
    if found.is_empty()
        && weights.peek().is_some()
        && weights.all(|d| d.frozen)
        && let Some(first) = e.results.top.frozen.first()
    {
        let d = Diagnostic::error(Code::N0413, "every weight is frozen, so nothing would learn")
            .label(first.span, "")
            .help("leave out the layers that are to learn");
        found.push(d);
    }
    e.session.diagnostics.extend(found);
}
