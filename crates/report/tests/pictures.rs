//! Layouts: no box lies on another one, nothing is random, and it is quick.
#![allow(clippy::unwrap_used)]

mod common;

use common::nets;
use nnc_report::layout::{Layout, Rect};
use nnc_report::{Drawing, layout, network, svg};
use std::time::{Duration, Instant};

fn check(drawing: &Drawing, layout: &Layout, what: &str) {
    let all = Rect { x: -0.1, y: -0.1, w: layout.width + 0.2, h: layout.height + 0.2 };
    let is_in = |x: f64, y: f64| x >= all.x && y >= all.y && x <= all.x + all.w && y <= all.y + all.h;
    for (i, a) in layout.boxes.iter().enumerate() {
        for b in &layout.boxes[i + 1..] {
            assert!(!a.overlaps(b), "{what}: `{}` {a:?} lies on {b:?}", drawing.items[i].name);
        }
        assert!(
            is_in(a.x, a.y) && is_in(a.x + a.w, a.y + a.h),
            "{what}: `{}` is outside: {a:?}",
            drawing.items[i].name
        );
        if let (Some(inside), Some(within)) = (&drawing.items[i].inside, &layout.inside[i]) {
            check(inside, within, &format!("{what} > {}", drawing.items[i].name));
        }
    }
    assert_eq!(layout.wires.len(), drawing.edges.len());
    for wire in &layout.wires {
        let e = &drawing.edges[wire.edge];
        // An edge runs through no box but its own two.
        for pair in wire.points.windows(2) {
            let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
            assert!(is_in(bx, by), "{what}: an edge runs outside: {:?}", wire.points);
            let line =
                Rect { x: ax.min(bx) + 0.1, y: ay.min(by), w: (ax - bx).abs() - 0.2, h: (ay - by).abs() };
            let straight = ay == by || ax == bx;
            for (i, r) in layout.boxes.iter().enumerate().filter(|_| straight) {
                let hit = line.x < r.x + r.w
                    && r.x < line.x + line.w
                    && line.y <= r.y + r.h
                    && r.y <= line.y + line.h;
                let own = i == e.from || i == e.to;
                assert!(
                    !hit || own,
                    "{what}: {} -> {} runs through {}",
                    drawing.items[e.from].name,
                    drawing.items[e.to].name,
                    drawing.items[i].name
                );
            }
        }
    }
}

#[test]
fn boxes_lie_beside_each_other() {
    for net in nets() {
        for graph in
            [&net.model.forward, &net.model.backward, &net.model.step, &net.model.eval, &net.model.init]
        {
            let drawing = network(graph, &net.program);
            for depth in [1, 2, 20] {
                let open = drawing.closed(depth);
                check(&open, &layout(&open), &format!("{} {} {depth}", net.name, graph.name));
            }
        }
    }
}

#[test]
fn pictures_are_quick_and_the_same_each_time() {
    for net in nets() {
        let start = Instant::now();
        let picture = svg::print(&network(&net.model.step, &net.program).closed(1));
        let took = start.elapsed();
        assert!(took < Duration::from_secs(1), "{}: {took:?}", net.name);
        assert_eq!(picture, svg::print(&network(&net.model.step, &net.program).closed(1)), "{}", net.name);
        println!("{}: {took:?}, {} bytes", net.name, picture.len());
        if let Ok(folder) = std::env::var("NNC_PICTURES") {
            for (stage, graph) in [("forward", &net.model.forward), ("step", &net.model.step)] {
                for depth in [1, 2] {
                    let picture = svg::print(&network(graph, &net.program).closed(depth));
                    std::fs::write(format!("{folder}/{}-{stage}-{depth}.svg", net.name), picture).unwrap();
                }
            }
        }
    }
}
