//! Elaborates a program with made-up data shapes: `try FILE INPUT TARGET`, shapes as 28x28x1 or c10 for classes.
use nnc_model::*;
fn port(name: &str, s: &str) -> Port {
    let (shape, k) = match s.split_once('c') {
        Some((a, k)) => (a, Some(k.parse::<usize>().unwrap())),
        None => (s, None),
    };
    Port {
        name: name.into(),
        shape: shape.split('x').filter(|x| !x.is_empty()).map(|x| x.parse().unwrap()).collect(),
        classes: k.map(|k| (0..k).map(|i| i.to_string()).collect()),
        about: "data".into(),
    }
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&a[1]).unwrap();
    let t0 = std::time::Instant::now();
    let show = |d: &[nnc_syntax::Diagnostic], s: &nnc_syntax::SourceMap| {
        for d in d {
            println!("{:?}[{}]: {}", d.severity, d.code, d.message);
            for l in &d.labels {
                println!("  at {} `{}`: {}", s.place(l.span), s.slice(l.span), l.text);
            }
            for l in &d.related {
                println!("  see {} `{}`: {}", s.place(l.span), s.slice(l.span), l.text);
            }
            for n in &d.notes {
                println!("  = {n}");
            }
            if let Some(h) = &d.help {
                println!("  help: {h}");
            }
        }
    };
    let spec = match Spec::read(&a[1], &text, &Overrides::default()) {
        Ok(s) => s,
        Err((d, s)) => {
            show(&d, &s);
            return;
        }
    };
    println!("read {:?}", t0.elapsed());
    let mut inputs = vec![];
    let mut targets = vec![];
    for p in &a[2..] {
        match p.split_once('=') {
            Some((n, s)) if n.starts_with('@') => targets.push(port(&n[1..], s)),
            Some((n, s)) => inputs.push(port(n, s)),
            None => {}
        }
    }
    let ports = Ports { inputs, targets, weighted: false, has_valid: true, samples: 1000 };
    match spec.elaborate(&ports, &Options::default()) {
        Ok(m) => {
            show(&m.diagnostics, &spec.sources);
            println!(
                "weights {} nodes step {} eval {} in {:?}",
                m.layers.iter().map(|r| r.weights).sum::<usize>(),
                m.step.len(),
                m.eval.len(),
                t0.elapsed()
            );
            for g in [&m.forward, &m.backward, &m.step, &m.eval, &m.init] {
                nnc_graph::verify(g).unwrap();
            }
        }
        Err(d) => show(&d, &spec.sources),
    }
}
