//! Weights of Keras and PyTorch as a model of a program.

use crate::artifact::card::ModelCard;
use crate::artifact::weights;
use crate::binding::load::Loaded;
use crate::execute::runner::inference;
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_artifact::foreign::{Library, Unpaired, Wanted};
use nnc_artifact::{TensorFile, foreign};
use nnc_graph::{Convolve, Elementwise, Graph, Indexing, Movement, NodeId, Prim, Role, Window};
use nnc_model::Model;
use nnc_syntax::{Code, Diagnostic};
use std::path::Path;

/// Where weights come from, and what the user says about them.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Whose file it is.
    pub from: Library,
    /// Layers there and here; a `*` on both sides stands for numbers.
    pub map: Vec<(String, String)>,
    /// Layers there that are left out, with `*`.
    pub skip: Vec<String>,
    /// Bytes that may be taken; four fifths of the machine's memory where not given.
    pub memory_limit: Option<u64>,
}

/// A model that was put together.
#[derive(Clone, PartialEq, Debug)]
pub struct Import {
    /// The bytes of the model file.
    pub bytes: Vec<u8>,
    /// Layers there and here, in the program's order.
    pub pairs: Vec<(String, String)>,
}

/// Puts the weights of a file of another library into a program.
///
/// # Errors
/// The file cannot be read; its tensors are not those of the program, which both sides are listed for.
pub fn import(loaded: &Loaded, model: &Model, path: &Path, options: &ImportOptions) -> Outcome<Import> {
    let file = TensorFile::read_foreign(path, memory::limit(options.memory_limit))
        .map_err(|e| weights::unreadable(path, &e))?;
    let wanted = wanted(model);
    let found = foreign::import(&file, options.from, &wanted, &options.map, &options.skip);
    let found = found.map_err(|e| unpaired(path, options.from, &e))?;
    let bytes = filled(loaded, model, &found)?;
    Ok(Import { bytes, pairs: found.pairs })
}

fn filled(loaded: &Loaded, model: &Model, found: &foreign::Imported) -> Outcome<Vec<u8>> {
    let layout = inference(model, 1)?;
    let (mut state, _) = weights::initial(model, &*layout, model.settings.seed, None)?;
    for (name, array) in &found.tensors {
        for role in [Role::Weight, Role::State] {
            if let Some(mut to) = state.get_mut(role, name) {
                to.write(array.data.iter().copied());
            }
        }
    }
    Ok(weights::plain_bytes(&*state, &ModelCard { epoch: 0, step: 0, ..weights::card(loaded) }))
}

/// Everything that a file has to hold.
fn wanted(model: &Model) -> Vec<Wanted> {
    let kept = model.parameters.iter().filter(|p| matches!(p.role, Role::Weight | Role::State));
    let flat = flattened(&model.eval);
    kept.map(|p| Wanted {
        name: p.name.clone(),
        shape: p.shape.clone(),
        flattened: flat.iter().find(|(name, _)| *name == p.name).map(|(_, shape)| shape.clone()),
    })
    .collect()
}

/// The weights whose first axis counts the numbers of a picture (or of a sequence that a convolution made) in one
/// row, with the shape it had: PyTorch has its channels first there.
fn flattened(graph: &Graph) -> Vec<(String, Vec<usize>)> {
    let mut out: Vec<(String, Vec<usize>)> = Vec::new();
    for id in graph.ids() {
        let Prim::DotGeneral(_) = graph.node(id).prim else { continue };
        let operands = graph.operands(id);
        let [x, w] = operands[..] else { continue };
        let Some((Role::Weight, name)) = graph.node(w).prim.parameter() else { continue };
        let mut beside = Vec::new();
        let Some(picture) = origin(graph, x, &mut beside) else { continue };
        let shape: Vec<usize> = graph.ty(picture).dims_at(1)[1..].to_vec();
        if shape.len() < 2 || !channels_first(graph, picture) {
            continue;
        }
        out.push((name.to_string(), shape.clone()));
        // What a norm between the flattening and the product has for each number.
        let width: usize = shape.iter().product();
        for parameter in parameters_of(graph, beside) {
            if let Some((Role::Weight | Role::State, name)) = graph.node(parameter).prim.parameter()
                && graph.ty(parameter).dims_at(1) == [width]
            {
                out.push((name.to_string(), shape.clone()));
            }
        }
    }
    out
}

/// The tensor that was flattened to be `x`, number by number but for what is `beside`.
fn origin(graph: &Graph, mut x: NodeId, beside: &mut Vec<NodeId>) -> Option<NodeId> {
    loop {
        let node = graph.node(x);
        let operands = graph.operands(x);
        if node.prim == Movement::Reshape.into() {
            let from = operands[0];
            return (node.ty.rank() == 2 && graph.ty(from).rank() > 2).then_some(from);
        }
        let Prim::Elementwise(function) = node.prim else { return None };
        if function == Elementwise::StopGradient {
            return None;
        }
        let spread =
            |id: &NodeId| matches!(graph.node(*id).prim, Prim::Movement(Movement::BroadcastInDim { .. }));
        beside.extend(operands.iter().copied().filter(spread));
        let mut own: Vec<NodeId> = operands.iter().copied().filter(|id| !spread(id)).collect();
        own.dedup();
        // Of several, the first that leads on: `x * sigmoid(x)`.
        x = *own.first()?;
    }
}

/// All parameters that some nodes are computed from, each once.
fn parameters_of(graph: &Graph, mut open: Vec<NodeId>) -> Vec<NodeId> {
    let mut out = Vec::new();
    let mut seen = vec![false; graph.len()];
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        if graph.node(id).prim.parameter().is_some() {
            out.push(id);
        }
        open.extend(graph.operands(id));
    }
    out
}

/// Whether PyTorch would have the channels of this tensor first: a picture of the data, or what convolutions and pools
/// made of something; not the steps of a recurrent layer or of attention.
fn channels_first(graph: &Graph, id: NodeId) -> bool {
    let mut seen = vec![false; graph.len()];
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if std::mem::replace(&mut seen[id.index()], true) {
            continue;
        }
        let prim = &graph.node(id).prim;
        let of_space = matches!(
            prim,
            Prim::Convolve(Convolve::Convolution(_)) | Prim::Window(Window::ReduceWindow { .. })
        );
        let image = prim.parameter().is_some_and(|(role, _)| role == Role::Input) && graph.ty(id).rank() >= 4;
        if of_space || image {
            return true;
        }
        if !matches!(prim, Prim::DotGeneral(_) | Prim::Indexing(Indexing::Gather) | Prim::Scan(_)) {
            open.extend(graph.operands(id));
        }
    }
    false
}

fn unpaired(path: &Path, from: Library, e: &Unpaired) -> Box<Problem> {
    if let Some(what) = &e.map {
        let d = Diagnostic::error(Code::N0606, format!("--map: {what}"));
        return Problem::new(
            ProblemKind::Data,
            d.help("--map THEIRS=OURS pairs two layers, such as --map fc1=dense1"),
        );
    }
    let theirs = match from {
        Library::Torch => "PyTorch's",
        Library::Keras => "Keras'",
    };
    let message = match e.ambiguous.is_empty() {
        true => format!("the weights in `{}` are not those of this program", path.display()),
        false => format!("it cannot be told which weights in `{}` are which of this program", path.display()),
    };
    let mut d = Diagnostic::error(Code::N0606, message);
    list(&mut d, "of the program, without a partner", &e.ours);
    list(&mut d, "of the file, without a partner", &e.theirs);
    if e.ambiguous.is_empty() {
        d = match from {
            Library::Torch => d.cause(
                "in PyTorch a dense layer is [out,in] and a convolution [out,in,window]; here they are [in,out] and [window,in,out]",
            ),
            Library::Keras => d,
        };
        if !e.theirs.is_empty() {
            d = d.help("--skip NAME leaves out what the program has no need of");
        }
        if !e.ours.is_empty() && !e.theirs.is_empty() {
            d = d.help("a width, a kernel, `bias=no` or a missing layer may differ from the program");
        }
    } else {
        d = d.cause(format!("they have the same shapes, and {theirs} names say nothing of their order"));
        for (part, group) in e.ambiguous.iter().take(1) {
            d = d.help(format!("--map THEIRS=OURS says it, such as --map {part}={group}"));
        }
    }
    Problem::new(ProblemKind::Data, d)
}

fn list(d: &mut Diagnostic, what: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    const MOST: usize = 12;
    let mut shown: Vec<String> = lines.iter().take(MOST).map(|l| format!("  {l}")).collect();
    if lines.len() > MOST {
        shown.push(format!("  and {} more", lines.len() - MOST));
    }
    d.notes.push(format!("{what}:\n{}", shown.join("\n")));
}

#[cfg(test)]
mod tests {
    use super::flattened;
    use nnc_graph::{Binary, Builder, DType, Dim, DotDims, NodeId, Reduction, Role, Type, Unary};

    /// Ways through residual blocks double with each of them; nodes do not.
    #[test]
    fn forty_residual_blocks_between_a_picture_and_a_product() {
        let mut b = Builder::new("eval", DType::F32);
        let ty = |shape: &[Dim]| Type::new(DType::F32, shape.to_vec());
        let batch = Dim::Batch;
        let x = b.parameter(Role::Input, "x", ty(&[batch, 4.into(), 4.into(), 2.into()]));
        let flat = vec![batch, Dim::Size(32)];
        let mut h = b.reshape(x, flat.clone());
        for i in 0..40 {
            // h + gain * relu(h - mean(h))
            let sum = b.reduce(Reduction::Add, h, vec![1]);
            let mean = b.broadcast(sum, vec![0], flat.clone());
            let centred = b.binary(Binary::Subtract, h, mean);
            let rough = b.unary(Unary::Abs, centred);
            let gain: NodeId = b.parameter(Role::Weight, format!("norm{i}.gain"), ty(&[Dim::Size(32)]));
            let gain = b.broadcast(gain, vec![1], flat.clone());
            let scaled = b.binary(Binary::Multiply, rough, gain);
            h = b.binary(Binary::Add, h, scaled);
        }
        let w = b.parameter(Role::Weight, "dense1.w", ty(&[Dim::Size(32), Dim::Size(3)]));
        let dims = DotDims { left_contract: vec![1], right_contract: vec![0], ..DotDims::default() };
        b.dot(h, w, dims);
        let found = flattened(b.graph());
        assert_eq!(found[0], ("dense1.w".to_string(), vec![4, 4, 2]));
    }
}
