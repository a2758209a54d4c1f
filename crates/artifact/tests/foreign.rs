//! Files of other libraries with shapes that fit nothing: they are refused, and nothing breaks.
#![allow(clippy::unwrap_used)]

use nnc_artifact::foreign::{Library, Wanted, import};
use nnc_artifact::{Tensor, TensorFile, Values};

/// A small generator of numbers (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn shape(&mut self) -> Vec<usize> {
        let rank = self.below(5);
        (0..rank).map(|_| [0, 1, 2, 3, 4, 6, 9, 12][self.below(8)]).collect()
    }
}

const TORCH: &[&str] = &[
    "weight",
    "bias",
    "running_mean",
    "running_var",
    "weight_ih_l0",
    "weight_hh_l0",
    "bias_ih_l0",
    "bias_hh_l0",
    "weight_ih_l1_reverse",
    "in_proj_weight",
    "in_proj_bias",
    "out_proj.weight",
    "out_proj.bias",
    "q_proj_weight",
    "k_proj_weight",
    "v_proj_weight",
    "other",
];

const KERAS: &[&str] = &[
    "kernel",
    "bias",
    "recurrent_kernel",
    "depthwise_kernel",
    "pointwise_kernel",
    "gamma",
    "beta",
    "moving_mean",
    "moving_variance",
    "embeddings",
    "alpha",
    "query/kernel",
    "query/bias",
    "key/kernel",
    "value/kernel",
    "attention_output/kernel",
    "attention_output/bias",
    "other",
];

const OURS: &[&[&str]] = &[
    &["w"],
    &["w", "b"],
    &["k", "b"],
    &["depthwise", "pointwise", "b"],
    &["scale"],
    &["scale", "shift"],
    &["scale", "shift", "running_mean", "running_var"],
    &["table"],
    &["p"],
    &["slope"],
    &["w", "u", "b"],
    &["dense1.w", "dense1.b", "dense2.w", "dense2.b"],
    &["q.w", "q.b", "k.w", "k.b", "v.w", "v.b", "o.w", "o.b"],
    &["strange", "b"],
    &[""],
];

#[test]
fn odd_shapes_are_refused() {
    let mut n = Numbers(7);
    let mut fine = 0;
    for round in 0..20_000 {
        let (from, leaves, dot) =
            if round % 2 == 0 { (Library::Torch, TORCH, ".") } else { (Library::Keras, KERAS, "/") };
        let mut file = TensorFile::default();
        for part in 0..1 + n.below(2) {
            for _ in 0..1 + n.below(4) {
                let shape = n.shape();
                let values = Values::F32(vec![1.0; shape.iter().product()]);
                let name = format!("part{part}{dot}{}", leaves[n.below(leaves.len())]);
                file.tensors.insert(name, Tensor { shape, values });
            }
        }
        let mut wanted = Vec::new();
        for group in 0..1 + n.below(2) {
            for leaf in OURS[n.below(OURS.len())] {
                let shape = n.shape();
                let flattened = (n.below(3) == 0).then(|| n.shape());
                wanted.push(Wanted { name: format!("g{group}.{leaf}"), shape, flattened });
            }
        }
        match import(&file, from, &wanted, &[], &[]) {
            Ok(found) => {
                fine += 1;
                for w in &wanted {
                    assert_eq!(found.tensors[&w.name].shape, w.shape);
                    assert_eq!(found.tensors[&w.name].data.len(), w.shape.iter().product::<usize>());
                }
            }
            Err(e) => assert!(!e.ours.is_empty() || !e.theirs.is_empty()),
        }
    }
    assert!(fine > 0, "nothing ever fits");
}

#[test]
fn a_pytorch_dense_layer_after_a_picture_has_its_rows_in_our_order() {
    // Two places with three channels: there c0 c0 c1 c1 c2 c2, here c0 c1 c2 c0 c1 c2.
    let mut file = TensorFile::default();
    let values = Values::F32((0..6).map(|i| i as f32).collect());
    file.tensors.insert("fc.weight".into(), Tensor { shape: vec![1, 6], values });
    let wanted = Wanted { name: "dense1.w".into(), shape: vec![6, 1], flattened: Some(vec![2, 1, 3]) };
    let found = import(&file, Library::Torch, &[wanted], &[], &[]).unwrap();
    assert_eq!(found.tensors["dense1.w"].data, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    assert_eq!(found.pairs, [("fc".to_string(), "dense1".to_string())]);
}
