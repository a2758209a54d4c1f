//! Every path of a drawing is a path of the graph, and the reverse.
#![allow(clippy::unwrap_used)]

mod common;

use common::nets;
use nnc_graph::Graph;
use nnc_report::{Drawing, Item, Kind, network};
use std::collections::BTreeSet;

/// What every node leads to on ways through nodes for which `through` is true, by the operands of the graph alone.
fn leads_to(graph: &Graph, through: &[bool]) -> Vec<BTreeSet<usize>> {
    let mut out = vec![BTreeSet::new(); graph.len()];
    for id in graph.ids().rev() {
        let mut all = BTreeSet::new();
        for user in graph.users(id).into_iter().filter(|u| through[u.index()]) {
            all.insert(user.index());
            all.extend(out[user.index()].iter().copied());
        }
        out[id.index()] = all;
    }
    out
}

/// Checks a drawing and what is in its boxes; the number of pairs of boxes that were compared.
fn check(graph: &Graph, drawing: &Drawing, folded: &[bool], through: &[bool], what: &str) -> usize {
    let leads = leads_to(graph, through);
    let mut pairs = 0;
    for e in &drawing.edges {
        assert!(e.from < e.to, "{what}: an edge leads back");
        assert!(!e.shape.is_empty(), "{what}: an edge without shape");
    }
    for (i, a) in drawing.items.iter().enumerate() {
        let reach = drawing.reach(i);
        assert!(!reach.contains(&i), "{what}: `{}` is in a circle", a.name);
        let truth: BTreeSet<usize> = a.nodes.iter().flat_map(|&n| leads[n].iter().copied()).collect();
        for (j, b) in drawing.items.iter().enumerate().filter(|(j, b)| *j != i && b.kind != Kind::From) {
            let is = match b.kind {
                Kind::To => {
                    a.kind != Kind::To && (a.nodes.contains(&b.nodes[0]) || truth.contains(&b.nodes[0]))
                }
                Kind::Data | Kind::Layer | Kind::Operation | Kind::From => {
                    a.kind != Kind::To && b.nodes.iter().any(|n| truth.contains(n))
                }
            };
            assert_eq!(
                reach.contains(&j),
                is,
                "{what}: from `{}` {:?} to `{}` {:?}",
                a.name,
                a.nodes,
                b.name,
                b.nodes
            );
            pairs += 1;
        }
        if let Some(inside) = a.inside.as_ref().filter(|_| a.kind == Kind::Layer) {
            let mut all: Vec<usize> = boxes(inside).flat_map(|b| b.nodes.clone()).collect();
            all.sort_unstable();
            assert_eq!(all, a.nodes, "{what}: `{}` holds what is in it, each once", a.name);
            let mut through = folded.to_vec();
            for &n in &a.nodes {
                through[n] = true;
            }
            pairs += check(graph, inside, folded, &through, &format!("{what} > {}", a.name));
        }
    }
    pairs
}

fn boxes(drawing: &Drawing) -> impl Iterator<Item = &Item> {
    drawing.items.iter().filter(|b| !matches!(b.kind, Kind::From | Kind::To))
}

#[test]
fn paths_of_drawings_are_paths_of_graphs() {
    for net in nets() {
        for graph in
            [&net.model.forward, &net.model.backward, &net.model.step, &net.model.eval, &net.model.init]
        {
            let drawing = network(graph, &net.program);
            let what = format!("{} {}", net.name, graph.name);
            let folded = nnc_report::network::is_folded(graph);
            let pairs = check(graph, &drawing, &folded, &vec![true; graph.len()], &what);
            let drawn = folded.iter().filter(|f| !**f).count();
            assert_eq!(boxes(&drawing).map(|b| b.nodes.len()).sum::<usize>(), drawn, "{what}");
            println!(
                "{what}: {} nodes, {} boxes, {} edges, {pairs} pairs",
                graph.len(),
                drawing.items.len(),
                drawing.edges.len()
            );
        }
    }
}

/// The names of the boxes of a forward pass.
fn names(name: &str) -> Vec<String> {
    let net = nets().into_iter().find(|n| n.name == name).unwrap();
    network(&net.model.forward, &net.program).items.into_iter().map(|i| i.name).collect()
}

#[test]
fn layers_are_boxes() {
    assert_eq!(names("xor"), ["input", "target", "dense1", "dense2", "loss", "binary_accuracy"]);
    let cnn = [
        "input", "target", "conv1", "maxpool", "conv2", "maxpool", "dropout", "flatten", "dense1", "loss",
        "accuracy",
    ];
    assert_eq!(names("cnn"), cnn);
}
