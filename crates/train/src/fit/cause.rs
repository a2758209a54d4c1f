//! Why a value is no number, by the operation that failed first, and what to write instead.

use crate::execute::runner::Runner;
use nnc_backend::Slice;
use nnc_graph::{Binary, Elementwise, Graph, NodeId, Prim, Role, Unary};
use nnc_syntax::Diagnostic;

/// How many operations back a reason may lie.
const FAR: usize = 12;
/// From here on `exp` overflows in single precision.
const HIGHEST: f64 = 88.0;
/// Inputs of this size are a reason by themselves.
const LARGE_INPUT: f64 = 1e3;

/// What made a value infinite or NaN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Cause {
    /// The root of a negative number.
    RootOfNegative,
    /// The slope of a root at 0 is infinite.
    RootAtZero,
    /// The logarithm of 0, or the slope there.
    LogOfZero,
    /// The logarithm of a sum of exponentials that were all rounded to 0.
    LogOfSmall,
    /// The logarithm of a probability that a softmax or sigmoid rounded to 0.
    LogOfProbability,
    /// The logarithm of a negative number.
    LogOfNegative,
    /// A division by 0.
    DivisionByZero,
    /// An exponential of a large number.
    LargeExponential,
    /// A power of 0, of a negative number, or of a large one.
    Power,
    /// Inputs that were large from the beginning.
    LargeInputs,
    /// Weights that grew from step to step.
    Growing,
}

/// Looks for the cause of what a node holds.
pub(crate) fn cause(graph: &Graph, runner: &Runner, node: NodeId, norms: &[f64]) -> Option<Cause> {
    Seen { graph, runner }.cause(node, norms)
}

struct Seen<'a> {
    graph: &'a Graph,
    runner: &'a Runner,
}

impl Seen<'_> {
    fn values(&self, node: NodeId) -> Slice<'_> {
        self.runner.value(node).unwrap_or(Slice::F64(&[]))
    }

    fn any(&self, node: NodeId, what: impl Fn(f64) -> bool) -> bool {
        self.values(node).iter().any(what)
    }

    fn operation(&self, node: NodeId) -> Option<Elementwise> {
        match &self.graph.node(node).prim {
            Prim::Elementwise(function) => Some(*function),
            Prim::Leaf(_)
            | Prim::Movement(_)
            | Prim::Reduce(_)
            | Prim::DotGeneral(_)
            | Prim::Convolve(_)
            | Prim::Window(_)
            | Prim::Indexing(_)
            | Prim::Scan(_) => None,
        }
    }

    /// A node behind axes that were moved or added.
    fn behind(&self, mut node: NodeId) -> NodeId {
        while let Prim::Movement(_) | Prim::Elementwise(Elementwise::Convert | Elementwise::StopGradient) =
            self.graph.node(node).prim
        {
            match self.graph.operands(node).first() {
                Some(next) => node = *next,
                None => break,
            }
        }
        node
    }

    /// The nodes that a node was computed from, the nearest first, without what lies too far back.
    fn before(&self, node: NodeId) -> Vec<NodeId> {
        let mut out = vec![node];
        let mut ring = vec![node];
        for _ in 0..FAR {
            let mut next: Vec<NodeId> = Vec::new();
            for id in ring {
                for operand in self.graph.operands(id) {
                    if !out.contains(&operand) {
                        out.push(operand);
                        next.push(operand);
                    }
                }
            }
            ring = next;
            if out.len() > 2000 {
                break;
            }
        }
        out
    }

    fn is_root(&self, node: NodeId) -> bool {
        matches!(self.operation(self.behind(node)), Some(Elementwise::Unary(Unary::Sqrt | Unary::Rsqrt)))
    }

    fn cause(&self, node: NodeId, norms: &[f64]) -> Option<Cause> {
        let x = self.graph.operands(node);
        match self.operation(node) {
            Some(Elementwise::Unary(Unary::Sqrt | Unary::Rsqrt)) => {
                if self.any(x[0], |v| v < 0.0) {
                    return Some(Cause::RootOfNegative);
                }
                if self.any(x[0], |v| v == 0.0) {
                    return Some(Cause::RootAtZero);
                }
            }
            Some(Elementwise::Unary(Unary::Log | Unary::LogPlusOne)) => return Some(self.logarithm(x[0])),
            Some(Elementwise::Unary(Unary::Exponential | Unary::ExponentialMinusOne)) => {
                return Some(self.exponential(x[0], norms));
            }
            Some(Elementwise::Binary(Binary::Divide)) if self.any(x[1], |v| v == 0.0) => {
                if self.is_root(x[1]) {
                    return Some(Cause::RootAtZero);
                }
                // The slope of a logarithm is such a division too.
                let divisor = self.behind(x[1]);
                let logged = self.graph.users(divisor).into_iter().any(|user| {
                    matches!(self.operation(user), Some(Elementwise::Unary(Unary::Log | Unary::LogPlusOne)))
                });
                return Some(if logged { self.logarithm(divisor) } else { Cause::DivisionByZero });
            }
            Some(Elementwise::Binary(Binary::Power)) => return Some(Cause::Power),
            _ => {}
        }
        self.large(node, norms)
    }

    fn logarithm(&self, of: NodeId) -> Cause {
        if self.any(of, |v| v < 0.0) {
            return Cause::LogOfNegative;
        }
        let of = self.behind(of);
        let origin = &self.graph.node(of).origin.scope;
        let logistic = matches!(self.operation(of), Some(Elementwise::Unary(Unary::Logistic)));
        if logistic || origin.ends_with("softmax") {
            return Cause::LogOfProbability;
        }
        let exponential = |id: &NodeId| {
            matches!(self.operation(*id), Some(Elementwise::Unary(Unary::Exponential)))
                && self.any(*id, |v| v == 0.0)
        };
        if self.before(of).iter().any(exponential) { Cause::LogOfSmall } else { Cause::LogOfZero }
    }

    /// What is too large for `exp`: at the first step it was so from the beginning.
    fn exponential(&self, _of: NodeId, norms: &[f64]) -> Cause {
        if grew(norms) { Cause::Growing } else { Cause::LargeExponential }
    }

    /// A number that grew too large on its way.
    fn large(&self, node: NodeId, norms: &[f64]) -> Option<Cause> {
        let before = self.before(node);
        for &id in &before {
            let operands = self.graph.operands(id);
            match self.operation(id) {
                Some(Elementwise::Unary(Unary::Exponential | Unary::ExponentialMinusOne))
                    if self.any(operands[0], |v| v > HIGHEST / 2.0) =>
                {
                    return Some(self.exponential(operands[0], norms));
                }
                Some(Elementwise::Binary(Binary::Power)) if self.any(id, |v| !v.is_finite()) => {
                    return Some(Cause::Power);
                }
                _ => {}
            }
        }
        if grew(norms) {
            return Some(Cause::Growing);
        }
        let input = |id: &NodeId| {
            let role = self.graph.node(*id).prim.parameter().map(|(role, _)| role);
            matches!(role, Some(Role::Input | Role::Target)) && self.any(*id, |v| v.abs() > LARGE_INPUT)
        };
        self.graph.ids().any(|id| input(&id)).then_some(Cause::LargeInputs)
    }
}

/// Whether gradients grew over the last steps.
fn grew(norms: &[f64]) -> bool {
    let known: Vec<f64> = norms.iter().copied().filter(|n| n.is_finite() && *n > 0.0).collect();
    match (known.first(), known.last()) {
        (Some(first), Some(last)) if known.len() > 1 => last / first > 10.0,
        _ => false,
    }
}

/// `f(inner)` of a text, with what stands between its brackets.
fn call<'t>(words: &'t str, function: &str) -> Option<&'t str> {
    let is_start = |at: usize| !words[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    let pattern = format!("{function}(");
    let at = words.match_indices(&pattern).map(|(at, _)| at).find(|at| is_start(*at))?;
    let inner = &words[at + pattern.len()..];
    let mut open = 1;
    for (i, c) in inner.char_indices() {
        open += i32::from(c == '(') - i32::from(c == ')');
        if open == 0 {
            return Some(&inner[..i]);
        }
    }
    None
}

/// Adds the reason and the remedy, in the user's own words where these hold the call.
pub(crate) fn helps(d: Diagnostic, cause: Option<Cause>, words: &str) -> Diagnostic {
    let root = call(words, "sqrt").unwrap_or("…");
    let log = call(words, "log").unwrap_or("…");
    let exp = call(words, "exp").unwrap_or("…");
    match cause {
        Some(Cause::RootAtZero) => d
            .cause("the slope of a root at 0 is infinite, and neither smaller steps nor `clip` make it smaller")
            .help(format!("keep it away from 0: sqrt({root} + 1e-12)"))
            .help("or compare squares, which have a slope everywhere"),
        Some(Cause::RootOfNegative) => d
            .cause("a negative number has no root")
            .help(format!("keep it above 0: sqrt(max({root}, 0) + 1e-12)")),
        Some(Cause::LogOfSmall) => d
            .cause("the exponentials before it are so small that all of them were rounded to 0")
            .help("compute with their logarithms: logsumexp(a) for log(sum(exp(a)))")
            .help("with weights of a softmax, log(sum(softmax(w) * exp(a))): logsumexp(log_softmax(w) + a)"),
        Some(Cause::LogOfProbability) => d
            .cause("a softmax or sigmoid is rounded to 0 far from the answer")
            .help("`softmax` and `loss crossentropy`, `sigmoid` and `loss binary_crossentropy` are computed together and safely")
            .help("or take the logarithm directly: log_softmax(x)")
            .help("or keep it away from 0: log_probability(p)"),
        Some(Cause::LogOfZero) => d
            .cause("the logarithm of 0 is infinite, and so is its slope")
            .help(format!("keep it away from 0: log({log} + 1e-7)"))
            .help(format!("or, of a number from 0 on: log1p({log})")),
        Some(Cause::LogOfNegative) => d
            .cause("a negative number has no logarithm")
            .help(format!("keep it above 0: log(max({log}, 1e-7))"))
            .help("or make it positive before: softplus(x) + 1e-7"),
        Some(Cause::DivisionByZero) => d
            .help("keep the divisor away from 0: a / (b + 1e-7), where b is 0 or more")
            .help("or choose another value there: where(b == 0, 0, a / where(b == 0, 1, b))"),
        Some(Cause::LargeExponential) => d
            .cause("exp(89) is too large for single precision")
            .help(format!("limit it: exp(min({exp}, 30))"))
            .help("or take what grows slower: softplus(x)")
            .help("large inputs: input rest standardize"),
        Some(Cause::Power) => d
            .help("keep the base away from 0, and positive: (max(x, 0) + 1e-7) ^ y")
            .help("and the exponent small"),
        Some(Cause::LargeInputs) => d
            .cause("the data has large numbers, from which large gradients come")
            .help("bring them to one size: input rest standardize, and for a target of numbers: target NAME standardize")
            .help("or limit the gradient: clip 1.0"),
        Some(Cause::Growing) => d
            .cause("the numbers grew from step to step: the steps are too large")
            .help("take smaller steps: optimizer adam lr=0.0003")
            .help("or limit the gradient: clip 1.0"),
        None => d
            .help("limit the gradient: clip 1.0")
            .help("or take smaller steps: optimizer adam lr=0.0003"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_of_a_call_is_found() {
        assert_eq!(call("d = sqrt(sum((a - b)^2))", "sqrt"), Some("sum((a - b)^2)"));
        assert_eq!(call("-mysqrt(x) + sqrt(y)", "sqrt"), Some("y"));
        assert_eq!(call("it -> sqrt", "sqrt"), None);
        assert_eq!(call("sqrt((x)", "sqrt"), None);
    }

    #[test]
    fn growth_is_seen_over_steps() {
        assert!(grew(&[1.0, 30.0, f64::NAN]));
        assert!(!grew(&[1.0, 2.0, f64::INFINITY]));
        assert!(!grew(&[f64::NAN]));
    }
}
