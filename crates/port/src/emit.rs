//! Writes the program.

use crate::graph::Op;
use crate::run::Run;
use crate::told::Told;
use crate::training::end_with;
use crate::value::{Made, Net, Value, written};
use crate::{Left, Library, Port, data, python};
use std::collections::{BTreeMap, BTreeSet};

/// Layers with weights: called twice, they share them.
const WEIGHTS: [&str; 17] = [
    "dense",
    "conv",
    "depthwise",
    "separable",
    "conv_transposed",
    "batchnorm",
    "layernorm",
    "groupnorm",
    "rmsnorm",
    "embed",
    "lstm",
    "gru",
    "rnn",
    "prelu",
    "attention",
    "cross_attention",
    "positions",
];
/// Steps of two tensors whose order does not matter.
const EITHER: [&str; 4] = ["add", "multiply", "maximum", "minimum"];
/// Words that no tensor is called.
const WORDS: [&str; 22] = [
    "it", "input", "output", "target", "data", "loss", "model", "lambda", "if", "then", "else", "in", "as",
    "repeat", "scan", "shared", "weights", "training", "yes", "no", "of", "with",
];

/// Translates a text.
pub fn port(library: Library, text: &str) -> Port {
    let mut run = Run::new(library, &python::parse(text));
    let (inputs, outputs) = network(&mut run);
    let network = outputs.iter().any(|o| !run.graph.nodes[*o].inputs.is_empty());
    let program = if network { program(&mut run, inputs, outputs) } else { String::new() };
    let mut left: Vec<Left> = run.left;
    left.sort_by_key(|l| l.line);
    Port { library, program, left, network }
}

/// The inputs and outputs of the model that is trained.
fn network(run: &mut Run) -> (Vec<usize>, Vec<usize>) {
    let nodes = |v: Value| -> Vec<usize> {
        v.items().iter().filter_map(|v| if let Value::Tensor(n) = v { Some(*n) } else { None }).collect()
    };
    match run.main.clone() {
        Some(Value::Net(n)) => match &run.nets[n] {
            Net::Graph(from, to) => (from.clone(), to.clone()),
            Net::Chain(layers) => {
                let shape = match layers.first() {
                    Some(Value::Tensor(n)) => match &run.graph.nodes[*n].op {
                        Op::Input(shape) => shape.clone(),
                        _ => Vec::new(),
                    },
                    Some(Value::Made(m)) => {
                        let given = m
                            .named("input_shape")
                            .or(m.named("shape"))
                            .or(m.named("input_dim"))
                            .and_then(Value::sizes);
                        given.unwrap_or_default()
                    }
                    _ => Vec::new(),
                };
                let input = run.graph.add(Op::Input(shape), Vec::new(), None);
                let out = run.apply(&Value::Net(n), &call(vec![Value::Tensor(input)]));
                (vec![input], nodes(out))
            }
        },
        Some(Value::Object(n)) => {
            let Some(def) = run.forward(n) else { return (Vec::new(), Vec::new()) };
            let wanted = def.params.iter().skip(1).filter(|(_, default)| default.is_none());
            let names: Vec<String> = wanted.map(|(name, _)| name.clone()).collect();
            let mut inputs = Vec::new();
            for name in names {
                let input = run.graph.add(Op::Input(Vec::new()), Vec::new(), None);
                run.graph.nodes[input].name = Some(name);
                inputs.push(input);
            }
            let out = run.function(
                &def,
                Some(Value::Object(n)),
                &call(inputs.iter().map(|n| Value::Tensor(*n)).collect()),
            );
            (inputs, nodes(out))
        }
        _ => (Vec::new(), Vec::new()),
    }
}

fn call(args: Vec<Value>) -> Made {
    Made { id: 0, name: "call".into(), path: String::new(), args, named: Vec::new(), line: 0 }
}

/// What a node with nothing to do stands for.
fn resolved(run: &Run, mut n: usize) -> usize {
    while let Op::Steps(steps) = &run.graph.nodes[n].op {
        match (steps.is_empty(), run.graph.nodes[n].inputs.first()) {
            (true, Some(input)) => n = *input,
            _ => break,
        }
    }
    n
}

/// Takes away what does nothing, and puts activations behind the layers that they follow.
fn tidied(run: &mut Run, outputs: &mut [usize]) {
    for n in 0..run.graph.nodes.len() {
        // What a pool over everything leaves is flat here.
        let [before] = run.graph.nodes[n].inputs.as_slice() else { continue };
        let before = resolved(run, *before);
        let flat = run.graph.last_step(before).is_some_and(|s| s.head.starts_with("global_"));
        if let Op::Steps(steps) = &mut run.graph.nodes[n].op
            && flat
            && steps.len() == 1
            && steps[0].head == "flatten"
        {
            steps.clear();
        }
    }
    for n in 0..run.graph.nodes.len() {
        let inputs: Vec<usize> = run.graph.nodes[n].inputs.iter().map(|i| resolved(run, *i)).collect();
        run.graph.nodes[n].inputs = inputs;
    }
    for o in outputs.iter_mut() {
        *o = resolved(run, *o);
    }
    for n in run.graph.reach(outputs) {
        let uses = uses(run, outputs);
        let word = match (&run.graph.nodes[n].op, run.graph.nodes[n].inputs.as_slice()) {
            (Op::Steps(steps), [before]) if steps.len() == 1 && steps[0].bare && uses[before] == 1 => {
                Some((steps[0].head.clone(), *before))
            }
            _ => None,
        };
        let Some((word, before)) = word else { continue };
        let layer = run.graph.nodes[before].layer;
        let once = layer.is_none_or(|id| run.graph.nodes.iter().filter(|n| n.layer == Some(id)).count() == 1);
        let Op::Steps(mut steps) = run.graph.nodes[before].op.clone() else { continue };
        let Some(last) = steps.last_mut().filter(|s| s.activates && s.activation.is_none() && once) else {
            continue;
        };
        last.activation = Some(word);
        let (over, name) = (run.graph.nodes[before].inputs.clone(), run.graph.nodes[before].name.clone());
        let node = &mut run.graph.nodes[n];
        (node.op, node.inputs, node.layer) = (Op::Steps(steps), over, layer);
        node.name = node.name.take().or(name);
    }
}

/// How often a value is used, as an output too.
fn uses(run: &Run, outputs: &[usize]) -> BTreeMap<usize, usize> {
    let mut out: BTreeMap<usize, usize> = BTreeMap::new();
    for n in run.graph.reach(outputs) {
        out.entry(n).or_default();
        for i in &run.graph.nodes[n].inputs {
            *out.entry(*i).or_default() += 1;
        }
    }
    for o in outputs {
        *out.entry(*o).or_default() += 1;
    }
    out
}

/// Names of tensors that no word of the language and no other tensor has.
#[derive(Default)]
struct Names {
    taken: BTreeSet<String>,
}

impl Names {
    fn give(&mut self, wanted: &str) -> String {
        let clean: String = wanted.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let clean = clean.trim_matches('_').to_string();
        let first = clean.starts_with(|c: char| c.is_ascii_alphabetic());
        let library = nnc_syntax::foreign::NAMES.iter().any(|(_, ours)| *ours == clean);
        let word = WORDS.contains(&clean.as_str())
            || nnc_syntax::Head::of(&clean).is_some()
            || WEIGHTS.contains(&clean.as_str());
        let base = match clean.as_str() {
            _ if !first => format!("t{clean}"),
            _ if library || word => format!("{clean}_"),
            clean => clean.to_string(),
        };
        let mut name = base.trim_end_matches('_').to_string();
        let mut n = 1;
        if library || word {
            name = format!("{name}1");
        }
        while !self.taken.insert(name.clone()) {
            n += 1;
            name = format!("{}{n}", base.trim_end_matches('_'));
        }
        name
    }
}

fn program(run: &mut Run, mut inputs: Vec<usize>, mut outputs: Vec<usize>) -> String {
    tidied(run, &mut outputs);
    let reached = run.graph.reach(&outputs);
    inputs.retain(|i| reached.contains(i));
    let theirs: Vec<String> =
        outputs.iter().map(|o| run.graph.nodes[*o].name.clone().unwrap_or_default()).collect();
    let told = run.told(outputs.len(), &theirs);
    if let (Some(last), [out]) = (told.last, outputs.as_slice())
        && let Op::Steps(steps) = &mut run.graph.nodes[*out].op
        && let Some(why) = end_with(steps, last)
    {
        let line =
            run.training.compile.as_ref().map(|c| c.line).or(run.training.loss.as_ref().map(|(_, l)| *l));
        run.leave(line.unwrap_or(0), "loss", why);
    }
    let mut names = Names::default();
    let mut named: BTreeMap<usize, String> = BTreeMap::new();
    let several = inputs.len() > 1;
    for i in &inputs {
        let name = run.graph.nodes[*i].name.clone().unwrap_or_else(|| "x".into());
        named.insert(*i, if several { names.give(&name) } else { "input".into() });
    }
    // What a line takes by its name, found by writing once.
    let mut wanted = BTreeSet::new();
    if outputs.len() > 1 {
        wanted.extend(&outputs);
    }
    for n in &reached {
        if let Op::Steps(steps) = &run.graph.nodes[*n].op
            && steps.iter().any(|s| !s.keep_small.is_empty())
        {
            wanted.insert(*n);
        }
    }
    let shared = shared(run, &reached, &mut names);
    let first = if several { None } else { inputs.first().copied() };
    written_body(run, &reached, first, &mut wanted, &BTreeMap::new(), &shared);
    for n in &reached {
        if wanted.contains(n) && !named.contains_key(n) {
            let kind = match &run.graph.nodes[*n].op {
                Op::Steps(steps) => steps.last().map_or("", |s| s.head.split(' ').next().unwrap_or("")),
                _ => "",
            };
            let name = run.graph.nodes[*n].name.clone();
            let name = names.give(&name.unwrap_or_else(|| format!("{kind}_out")));
            named.insert(*n, name);
        }
    }
    let mut body = written_body(run, &reached, first, &mut wanted, &named, &shared);
    let pictures = data_file(run).is_some_and(|f| mnist(&f));
    let flat = |i: &usize| matches!(&run.graph.nodes[*i].op, Op::Input(shape) if shape.len() == 1);
    if pictures && first.as_ref().is_some_and(flat) && body.first().is_some_and(|l| !l.contains("flatten")) {
        body.insert(0, "flatten".into());
    }

    let mut out = Vec::new();
    let init = body.iter().chain(shared.values().map(|(_, text)| text)).any(|l| l.contains("init=torch"));
    out.extend(data_lines(run, &inputs, &outputs, &named));
    out.extend(told.split.clone());
    if init {
        out.push(String::new());
        out.push("# as PyTorch draws first values (there biases too, which begin with 0 here)".into());
        out.push("init torch of shape = (2 * random_uniform(shape) - 1) / sqrt(fan_in(shape))".into());
    }
    out.push(String::new());
    out.extend(shared.values().map(|(name, text)| format!("shared {name} = {text}")));
    out.extend(body);
    if outputs.len() > 1 {
        let all: Vec<&str> = outputs.iter().map(|o| named[o].as_str()).collect();
        out.push(format!("output {}", all.join(" ")));
    }
    out.push(String::new());
    out.extend(loss_lines(run, &told, &reached, &outputs, &named));
    out.extend(told.optimizer.clone());
    if !told.length.is_empty() {
        out.push(String::new());
        out.extend(told.length.clone());
    }
    out.join("\n") + "\n"
}

/// Layers that are called several times, by their number: their name, and what they are.
fn shared(run: &Run, reached: &[usize], names: &mut Names) -> BTreeMap<usize, (String, String)> {
    let mut counts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for n in reached {
        if let Some(id) = run.graph.nodes[*n].layer {
            counts.entry(id).or_default().push(*n);
        }
    }
    let mut out = BTreeMap::new();
    for (id, nodes) in counts {
        let Op::Steps(steps) = &run.graph.nodes[nodes[0]].op else { continue };
        let kind = steps.last().and_then(|s| s.head.split(' ').next()).unwrap_or("");
        if nodes.len() > 1 && WEIGHTS.contains(&kind) {
            let text: Vec<String> = steps.iter().map(|s| s.text()).collect();
            let name = run.layer_names.get(&id).cloned().unwrap_or_else(|| format!("shared_{kind}"));
            out.insert(id, (names.give(&name), text.join(" -> ")));
        }
    }
    out
}

/// The lines of the network. Without names it notes in `wanted` what is taken by name.
fn written_body(
    run: &Run,
    reached: &[usize],
    first: Option<usize>,
    wanted: &mut BTreeSet<usize>,
    named: &BTreeMap<usize, String>,
    shared: &BTreeMap<usize, (String, String)>,
) -> Vec<String> {
    let mut out = Vec::new();
    let mut before = first;
    for n in reached {
        let node = &run.graph.nodes[*n];
        let mut name = |i: &usize| {
            wanted.insert(*i);
            named.get(i).cloned().unwrap_or_default()
        };
        let mut steps: Vec<String> = match &node.op {
            Op::Input(_) => continue,
            Op::Steps(steps) => steps.iter().map(|s| s.text()).collect(),
            Op::Missing(what) => vec![format!("# {what} is missing here")],
        };
        if let Some((name, _)) = node.layer.and_then(|id| shared.get(&id)) {
            steps = vec![name.clone()];
        }
        let missing = matches!(node.op, Op::Missing(_));
        let mut chain = Vec::new();
        match node.inputs.as_slice() {
            [one] if Some(*one) == before => {}
            [one] => chain.push(name(one)),
            [a, b] if EITHER.contains(&steps[0].as_str()) && Some(*a) == before && a != b => {
                steps[0] = format!("{} {}", steps[0], name(b))
            }
            [a, b] if EITHER.contains(&steps[0].as_str()) && Some(*b) == before && a != b => {
                steps[0] = format!("{} {}", steps[0], name(a))
            }
            all => chain.push(all.iter().map(&mut name).collect::<Vec<_>>().join(", ")),
        }
        if missing {
            out.extend(chain);
            out.extend(steps);
            before = Some(*n);
            continue;
        }
        // A shared layer takes what stands before an arrow.
        let its = named.get(n).map(|name| format!("{name} = ")).unwrap_or_default();
        if chain.is_empty() {
            let last = steps.pop().unwrap_or_default();
            out.extend(steps);
            let by_arrow = node.layer.is_some_and(|id| shared.contains_key(&id));
            out.push(if by_arrow { format!("{its}it -> {last}") } else { format!("{its}{last}") });
        } else {
            chain.extend(steps);
            out.push(format!("{its}{}", chain.join(" -> ")));
        }
        before = Some(*n);
    }
    out
}

/// The file, or the data set of the library, that the samples come from.
fn data_file(run: &Run) -> Option<String> {
    let (x, y) = run.training.samples();
    source(&x).or(source(&y)).and_then(|d| d.file.clone())
}

fn source(v: &Value) -> Option<std::rc::Rc<crate::value::Data>> {
    match v {
        Value::Data(d) => Some(d.clone()),
        Value::List(all) => all.iter().find_map(source),
        _ => None,
    }
}

fn mnist(file: &str) -> bool {
    ["mnist.", "fashion_mnist.", "fashionmnist."].iter().any(|name| file.starts_with(name))
}

/// Where the rows come from.
fn data_lines(
    run: &mut Run,
    inputs: &[usize],
    outputs: &[usize],
    named: &BTreeMap<usize, String>,
) -> Vec<String> {
    let (x, y) = run.training.samples();
    let mut out = Vec::new();
    if let Some(rows) = data::rows(&x, &y) {
        out.push("data {".into());
        out.extend(rows.into_iter().map(|r| format!("  {r}")));
        out.push("}".into());
        if let Some(shape) = data::rank(&x) {
            out.push(format!("input rows {}", crate::layers::times(&shape)));
        }
        return out;
    }
    let from = source(&x).or(source(&y));
    let line = from
        .as_ref()
        .map(|d| d.line)
        .or(run.training.fit.as_ref().map(|f| f.line))
        .or(run.training.loop_line)
        .unwrap_or(1);
    let file = from.as_ref().and_then(|d| d.file.clone()).unwrap_or_default();
    let shape = match inputs.first().map(|i| &run.graph.nodes[*i].op) {
        Some(Op::Input(shape)) if shape.len() > 1 => format!("   # {}", crate::layers::times(shape)),
        _ => String::new(),
    };
    let itself = same(&x, &y);
    let line_of_data = if inputs.len() > 1 || outputs.len() > 1 {
        let mut parts: Vec<String> = inputs
            .iter()
            .map(|i| format!("input {}", if inputs.len() > 1 { &named[i] } else { "x" }))
            .collect();
        if outputs.len() > 1 {
            parts.extend(outputs.iter().map(|o| format!("target {}_target", named[o])));
        } else {
            parts.push("target target".into());
        }
        format!("# data npz \"data.npz\" {{ {} }}", parts.join("; "))
    } else if file.ends_with(".csv") || file.ends_with(".txt") || file.ends_with(".data") {
        format!("# data \"{file}\"")
    } else if mnist(&file) {
        "# data idx \"train-images-idx3-ubyte.gz\" -> \"train-labels-idx1-ubyte.gz\"".to_string()
    } else if itself {
        "# data npz \"data.npz\" { input x; target none }".to_string()
    } else {
        format!("# data npy \"x.npy\" -> \"y.npy\"{shape}")
    };
    let what = match (&file, line_of_data.contains("npz"), line_of_data.contains("npy ")) {
        (_, true, _) => "arrays are saved there: np.savez(\"data.npz\", NAME=array, …)".to_string(),
        (_, _, true) => "arrays are saved there: np.save(\"x.npy\", x), np.save(\"y.npy\", y)".to_string(),
        (f, ..) if mnist(f) => "the four files of the data set, beside the program".to_string(),
        _ => "which columns are inputs, and which is the target, is said in a block; `nnc data FILE` shows them".to_string(),
    };
    run.leave(line, "the data", format!("the program has it as a comment to complete: {what}"));
    out.push(line_of_data);
    if inputs.len() > 1 {
        out.extend(inputs.iter().map(|i| format!("input {}", named[i])));
    }
    if outputs.len() > 1 {
        out.extend(outputs.iter().map(|o| format!("target {}_target", named[o])));
    }
    out
}

/// Whether inputs and targets are one thing: an autoencoder.
fn same(x: &Value, y: &Value) -> bool {
    matches!((x, y), (Value::Data(x), Value::Data(y)) if x.name == y.name)
}

fn loss_lines(
    run: &mut Run,
    told: &Told,
    reached: &[usize],
    outputs: &[usize],
    named: &BTreeMap<usize, String>,
) -> Vec<String> {
    let (x, y) = run.training.samples();
    let itself = same(&x, &y) && outputs.len() == 1;
    let mut small = Vec::new();
    for n in reached {
        let Op::Steps(steps) = &run.graph.nodes[*n].op else { continue };
        for s in steps {
            let weight = named.get(n).map(|name| format!("{name}.{}", s.kernel)).unwrap_or_default();
            small.extend(
                s.keep_small.iter().map(|(rule, f)| format!(" + {} * {rule}({weight})", written(*f))),
            );
        }
    }
    let mut out = Vec::new();
    let target = if itself { "input" } else { "target" };
    let options = |o: &str| o.split_whitespace().map(|o| format!(", {o}")).collect::<String>();
    match told.losses.as_slice() {
        [] => {}
        [(_, name, o)] if small.is_empty() && !itself => out.push(format!("loss {name}{o}")),
        [(_, name, o)] => {
            out.push(format!("loss = {name}(output, {target}{}){}", options(o), small.concat()))
        }
        all => {
            let part = |((f, name, o), out): (&(f64, String, String), &usize)| {
                let factor = if *f == 1.0 { String::new() } else { format!("{} * ", written(*f)) };
                format!("{factor}{name}({0}, {0}_target{1})", named[out], options(o))
            };
            let parts: Vec<String> = all.iter().zip(outputs).map(part).collect();
            out.push(format!("loss = {}{}", parts.join(" + "), small.concat()));
        }
    }
    if told.metrics.is_empty() {
        return out;
    }
    if outputs.len() > 1 {
        let line = run.training.compile.as_ref().map_or(0, |c| c.line);
        run.leave(line, "metrics", "metrics of several outputs have a formula each: metrics m=(mae(a, b))");
    } else if itself {
        let each: Vec<String> = told.metrics.iter().map(|m| format!("{m}=({m}(output, input))")).collect();
        out.push(format!("metrics {}", each.join(" ")));
    } else {
        out.push(format!("metrics {}", told.metrics.join(" ")));
    }
    out
}
