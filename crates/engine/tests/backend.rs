//! The engine and the reference behind the same seam.
#![allow(clippy::unwrap_used, missing_docs)]

use nnc_backend::{Backend, ErrorKind, Options, Reference, Slice};
use nnc_engine::Cpu;
use nnc_graph::{Binary, Builder, DType, Dim, Distribution, Graph, OutputKind, Reduction, Role, Type, Unary};

const F: DType = DType::F64;

fn backends() -> [Box<dyn Backend>; 2] {
    [Box::new(Cpu::new(2)), Box::new(Reference)]
}

/// `w += sum(tanh(w * x) + noise)`, with the step in it.
fn graph(float: DType) -> Graph {
    let mut b = Builder::new("step", float);
    let x = b.parameter(Role::Input, "x", Type::new(float, vec![Dim::Batch]));
    let w = b.parameter(Role::Weight, "w", Type::scalar(float));
    let step = b.parameter(Role::Step, "step", Type::scalar(float));
    let wide = b.broadcast(w, vec![], vec![Dim::Batch]);
    let product = b.binary(Binary::Multiply, wide, x);
    let y = b.unary(Unary::Tanh, product);
    let noise = b.rng(Distribution::Normal, 7, vec![Dim::Batch]);
    let noisy = b.binary(Binary::Add, y, noise);
    let sum = b.reduce(Reduction::Add, noisy, vec![0]);
    let with_step = b.binary(Binary::Add, sum, step);
    let next = b.binary(Binary::Add, w, with_step);
    b.output(OutputKind::Prediction, "y", noisy);
    b.output(OutputKind::Update, "w", next);
    b.finish()
}

/// The predictions and the weight after three steps.
fn trained(backend: &dyn Backend, graph: &Graph) -> Vec<f64> {
    let layout = backend.layout(&[graph]).unwrap();
    let executable = layout.compile(graph, 3, &Options::default()).unwrap();
    let mut session = executable.session().unwrap();
    let mut state = layout.state();
    state.get_mut(Role::Weight, "w").unwrap().fill(0.25);
    assert!(session.input_mut(Role::Weight, "w").is_none(), "weights are no inputs");
    session.input_mut(Role::Input, "x").unwrap().write([1.0, -0.5, 2.0]);
    let mut times = vec![std::time::Duration::ZERO; executable.operations().len()];
    session.run(&mut *state, 5, 1).unwrap();
    session.run(&mut *state, 5, 2).unwrap();
    session.run_timed(&mut *state, 5, 3, &mut times).unwrap();
    assert!(times.iter().any(|t| !t.is_zero()));
    assert!(session.output(OutputKind::Update, "w").is_none());
    let y = session.output(OutputKind::Prediction, "y").unwrap();
    y.iter().chain(state.get(Role::Weight, "w").into_iter().flat_map(Slice::iter)).collect()
}

#[test]
fn both_compute_the_same() {
    for (float, near) in [(DType::F64, 1e-13), (DType::F32, 1e-5)] {
        let graph = graph(float);
        let [cpu, reference] = backends().map(|b| trained(&*b, &graph));
        assert_eq!(cpu.len(), 4);
        for (a, b) in cpu.iter().zip(&reference) {
            assert!((a - b).abs() <= near * b.abs().max(1.0), "{cpu:?}\n{reference:?}");
        }
    }
}

#[test]
fn the_first_value_that_is_not_finite() {
    let mut b = Builder::new("nan", F);
    let x = b.parameter(Role::Input, "x", Type::new(F, vec![Dim::Batch]));
    let low = b.scalar_like(f64::NEG_INFINITY, x);
    let y = b.binary(Binary::Maximum, x, low);
    let log = b.unary(Unary::Log, y);
    let z = b.unary(Unary::Exponential, log);
    b.output(OutputKind::Prediction, "z", z);
    let graph = b.finish();
    for backend in backends() {
        let layout = backend.layout(&[&graph]).unwrap();
        let options = Options { keep_all: true, ..Options::default() };
        let mut session = layout.compile(&graph, 2, &options).unwrap().session().unwrap();
        let mut state = layout.state();
        for (value, culprit) in [(1.0, None), (0.0, Some(log)), (-1.0, Some(log)), (f64::NAN, Some(x))] {
            session.input_mut(Role::Input, "x").unwrap().write([2.0, value]);
            session.run(&mut *state, 0, 1).unwrap();
            assert_eq!(session.first_non_finite(), culprit, "{value} on {}", backend.name());
        }
    }
}

#[test]
fn states_belong_to_their_layouts() {
    let graph = graph(F);
    let [cpu, reference] = backends();
    for (own, other) in [(&cpu, &reference), (&reference, &cpu), (&cpu, &cpu)] {
        let layout = own.layout(&[&graph]).unwrap();
        let mut strange = other.layout(&[&graph]).unwrap().state();
        let mut session = layout.compile(&graph, 3, &Options::default()).unwrap().session().unwrap();
        assert!(session.run(&mut *strange, 0, 1).is_err());
        assert!(layout.state().copy_from(&*strange).is_err());
        let mut state = layout.state();
        state.get_mut(Role::Weight, "w").unwrap().set(0, 3.0);
        let snapshot = state.snapshot();
        state.get_mut(Role::Weight, "w").unwrap().fill(0.0);
        state.copy_from(&*snapshot).unwrap();
        assert_eq!(state.get(Role::Weight, "w").and_then(|w| w.get(0)), Some(3.0));
    }
}

#[test]
fn memory_is_known_before_it_is_taken() {
    let graph = graph(F);
    for backend in backends() {
        let layout = backend.layout(&[&graph]).unwrap();
        let needed = layout.compile(&graph, 1000, &Options::default()).unwrap().memory().total();
        let options = Options { memory_limit: needed - 1, ..Options::default() };
        let error = layout.compile(&graph, 1000, &options).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Memory { needed, limit: needed - 1 }, "{}", backend.name());
        let huge = layout.compile(&graph, usize::MAX, &Options::default()).unwrap_err();
        assert_eq!(huge.kind, ErrorKind::Limit, "{}", backend.name());
    }
}
