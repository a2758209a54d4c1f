//! What names mean where a program is at work: definitions, the way here, and what is counted on the way.

use crate::declarations::settings::stands_below;
use crate::elaborate::value::{Def, Value};
use nnc_graph::{NodeId, random};
use nnc_syntax::Span;
use nnc_syntax::ast::{Expr, Name};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Definitions and parameters: what every body sees.
#[derive(Clone, Debug, Default)]
pub(crate) struct Globals {
    pub defs: BTreeMap<String, Def>,
    /// Those of the prelude alone: what its own bodies see, whatever a program calls its things.
    pub library: Rc<BTreeMap<String, Def>>,
    pub params: Vec<(String, Value)>,
    pub rewrites: Vec<Rc<(Expr, Expr)>>,
    /// The doc comment and the whole text of every definition.
    pub docs: BTreeMap<String, (Option<String>, Span)>,
    /// Words that some parameter may be, `param head = point in [point, mixture]`.
    pub words: Vec<String>,
}

impl Globals {
    pub fn param(&self, name: &str) -> Option<&Value> {
        self.params.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v)
    }
}

/// Where a run is at work, and what names mean there.
pub(crate) struct Scope {
    pub globals: Rc<Globals>,
    /// Names that the file binds, with the names that stand in what they are bound to.
    pub binds: Vec<(Name, Vec<String>)>,
    /// The calls around the one at work.
    pub trail: Vec<String>,
    /// The weight whose first value is computed, in the graph of first values.
    pub initialising: Option<String>,
    /// In the body of a loop: the number of its step, which keys random numbers.
    pub step_key: Option<NodeId>,
    /// The layers and weights that are frozen, by their paths.
    pub frozen: Vec<String>,
    /// Whether the body at work is that of a frozen layer.
    pub in_frozen: bool,
    /// How often random numbers were drawn in a place.
    pub sites: BTreeMap<String, u64>,
    /// How many axes have a mark.
    axes: u32,
}

impl Scope {
    pub fn new(globals: Rc<Globals>) -> Self {
        Self {
            globals,
            binds: Vec::new(),
            trail: Vec::new(),
            initialising: None,
            step_key: None,
            frozen: Vec::new(),
            in_frozen: false,
            sites: BTreeMap::new(),
            axes: 0,
        }
    }

    /// A fresh number for a call of a random function, the same in every run of the program.
    pub fn site(&mut self) -> u64 {
        if let Some(path) = &self.initialising {
            // The first draw of a weight goes by its path alone.
            let n = self.sites.entry(format!("init {path}")).or_insert(0);
            *n += 1;
            return if *n == 1 { random::site(path) } else { random::site(&format!("{path}#{n}")) };
        }
        let scope = self.trail.join(">");
        let n = self.sites.entry(scope.clone()).or_insert(0);
        *n += 1;
        random::site(&format!("{scope}#{n}"))
    }

    /// Whether a layer or weight is frozen: by its own name, or that of a layer around it.
    pub fn is_frozen(&self, path: &str) -> bool {
        self.frozen.iter().any(|f| stands_below(path, f))
    }

    /// A mark for an axis that is not the part of any other.
    pub fn fresh_axis(&mut self) -> u32 {
        self.axes += 1;
        self.axes
    }
}
