mod common;
use common::*;
use nnc_graph::DType;
use nnc_train::*;
use std::time::Instant;
#[test]
fn speed() {
    let t = Instant::now();
    let l = loaded(&XOR.replace("epochs 500", "epochs 300000"));
    let m = ok(l.model(DType::F32));
    eprintln!("load+model {:?}", t.elapsed());
    for shuffle in [true, false] {
        for threads in [1, 2] {
            let r = ok(train(&l, &m, &TrainOptions { shuffle, threads, ..quiet() }, &mut Quiet));
            eprintln!("shuffle {shuffle} threads {threads}: {} steps/s", r.steps as f64 / r.seconds);
        }
    }
    for threads in [1, 2] {
        let b = ok(bench(&l, &m, &BenchOptions { threads, ..Default::default() }));
        eprintln!("{b:?}");
    }
    for _ in 0..3 {
        let folder = tempfile::tempdir_in(".").unwrap();
        let t = Instant::now();
        let l = loaded(XOR);
        let m = ok(l.model(DType::F32));
        let r = ok(train(
            &l,
            &m,
            &TrainOptions { out: Some(folder.path().into()), ..TrainOptions::default() },
            &mut Quiet,
        ));
        eprintln!("whole {:?}, inside {}", t.elapsed(), r.seconds);
    }
}
