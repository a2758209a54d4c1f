//! The rules that an `optimizer` setting names.

use crate::declarations::attributes::Usual;
use crate::declarations::settings::Named;
use crate::elaborate::elab::{Elab, Stop};
use crate::elaborate::value::Def;
use crate::suggest::{certain, nearest};
use nnc_syntax::Code;
use nnc_syntax::ast::{Arg, RuleDef};
use std::rc::Rc;

/// The optimizer of a program that names none.
pub(crate) fn usual_optimizer(e: &Elab<'_>) -> String {
    let mut rules = e.scope.globals.library.iter().filter(|(_, def)| matches!(def, Def::Rule(_)));
    let usual = rules.find(|(_, def)| def.attributes().usual == Some(Usual::Optimizer));
    usual.map_or(String::new(), |(name, _)| name.clone())
}

/// The arguments of an optimizer: its own, and the rules that follow it.
pub(crate) fn split_rules(e: &Elab<'_>, rule: &RuleDef, args: &[Arg]) -> (Vec<Arg>, Vec<(Rc<RuleDef>, Arg)>) {
    let mut own = Vec::new();
    let mut following = Vec::new();
    for arg in args {
        let key = arg.key.as_ref().filter(|k| rule.params.iter().all(|p| p.name.text != k.text));
        match key.and_then(|k| e.scope.globals.defs.get(&k.text)) {
            Some(Def::Rule(next)) => following.push((next.clone(), Arg { key: None, ..arg.clone() })),
            _ => own.push(arg.clone()),
        }
    }
    (own, following)
}

/// The names of all optimizers.
pub(crate) fn rules<'e>(e: &'e Elab<'_>) -> Vec<&'e str> {
    let rules = e.scope.globals.defs.iter().filter(|(_, d)| matches!(d, Def::Rule(_)));
    rules.map(|(n, _)| n.as_str()).collect()
}

pub(crate) fn unknown_rule(e: &Elab<'_>, named: Option<&Named>) -> Stop {
    let rules = rules(e);
    let Some(named) = named else { return Stop::Poisoned };
    let name = &named.name;
    let near = nearest(&name.text, &rules);
    let label = near.map_or(String::new(), |n| format!("did you mean `{n}`?"));
    let mut d = e
        .error(Code::N0202, format!("there is no optimizer called `{}`", name.text), name.span, &label)
        .help(format!("optimizers are {}", rules.join(", ")));
    if let Some(near) = near {
        d = d.fix(name.span, near, certain(&name.text, &rules) == Some(near));
    }
    Stop::Error(Box::new(d))
}
