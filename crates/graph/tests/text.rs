//! The reader of graphs never panics, whatever it is given.

use nnc_graph::{text, verify};
use proptest::prelude::*;

/// Words that lines are made of, right and wrong ones.
const WORDS: &[&str] = &[
    "graph",
    "\"g\"",
    "f32",
    "f64",
    "%0",
    "%1",
    "%2",
    "%99",
    "=",
    ":",
    "@",
    "#",
    "output",
    "loss",
    "\"a\"",
    "\"",
    "f32[B,2]",
    "f32[2]",
    "f32[]",
    "f32[18446744073709551615,2]",
    "i32[B]",
    "i1[2]",
    "f64[3,0]",
    "parameter",
    "role=input",
    "role=weight",
    "name=\"x\"",
    "constant",
    "value=1",
    "value=nan",
    "iota",
    "axis=0",
    "axis=99",
    "add",
    "negate",
    "not",
    "compare",
    "direction=GT",
    "select",
    "convert",
    "reduce_add",
    "axes=[0]",
    "axes=[1,0]",
    "axes=[]",
    "argmax",
    "dot_general",
    "contract=[1]x[0]",
    "contract=[0]x[0]",
    "batch=[0]x[0]",
    "reshape",
    "transpose",
    "perm=[1,0]",
    "perm=[0,0]",
    "broadcast_in_dim",
    "slice",
    "start=[0,0]",
    "start=[18446744073709551615]",
    "concatenate",
    "pad",
    "low=[0]",
    "reverse",
    "gather",
    "scatter_add",
    "convolution",
    "convolution_kernel",
    "stride=[1]",
    "stride=[0]",
    "stride=[1,1]",
    "pad=[0]x[0]",
    "pad=[-9]x[9223372036854775807]",
    "lhs_dilation=[2]",
    "rhs_dilation=[0]",
    "groups=0",
    "reduce_window_maximum",
    "select_and_scatter",
    "select_and_gather",
    "window=[2]",
    "window=[]",
    "dilation=[2]",
    "rng_normal",
    "site=0x1",
    "site=0xg",
    "get_dimension_size",
    "1:2+3",
    "f32[1,5,1]",
    "f32[2,1,1]",
];

fn line() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS), 0..10).prop_map(|w| w.join(" "))
}

/// A line that has the form of a node, so that the checks of primitives are reached.
fn node() -> impl Strategy<Value = (&'static str, Vec<&'static str>, &'static str)> {
    let types =
        vec!["f32[B,2]", "f32[2]", "f32[]", "i32[B]", "f32[1,5,1]", "f32[2,1,1]", "f32[1,4,1]", "i1[2]"];
    (
        prop::sample::select(WORDS),
        prop::collection::vec(prop::sample::select(WORDS), 0..6),
        prop::sample::select(types),
    )
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        let _ = text::parse(&text);
    }

    #[test]
    fn any_words(lines in prop::collection::vec(line(), 0..8)) {
        let _ = text::parse(&format!("graph \"g\" f32\n{}", lines.join("\n")));
    }

    #[test]
    fn any_nodes(nodes in prop::collection::vec(node(), 1..12)) {
        // Lines that do not fit are left out, so that the graph grows; what was read verifies.
        let mut text = String::from(
            "graph \"g\" f32\n%0 = parameter role=input name=\"x\" : f32[1,5,1]\n\
             %1 = parameter role=weight name=\"k\" : f32[2,1,1]\n%2 = parameter role=target name=\"t\" : i32[B]\n",
        );
        let mut count = 3;
        for (name, words, ty) in nodes {
            let line = format!("%{count} = {name} {} : {ty}\n", words.join(" "));
            if let Ok(graph) = text::parse(&format!("{text}{line}")) {
                prop_assert!(!graph.is_empty());
                text += &line;
                count = graph.len();
            }
        }
        let graph = text::parse(&text);
        prop_assert!(graph.is_ok());
        if let Ok(graph) = graph {
            let floats = |e: &String| e.contains("in a graph of") || e.contains("a second");
            let found = verify(&graph).err().unwrap_or_default();
            prop_assert!(found.iter().all(floats), "{found:?}");
            prop_assert_eq!(text::parse(&text::print(&graph)), Ok(graph));
        }
    }
}

#[test]
fn mistakes_name_their_line() {
    let cases = [
        ("", "there is no `graph` line"),
        ("%0 = add", "line 1: the first line is"),
        ("graph \"g\" f16", "line 1: floats are f32 or f64"),
        ("graph \"g\" f32\n%1 = iota axis=0 : f32[2]", "line 2: expected %0, found %1"),
        ("graph \"g\" f32\n%0 = iota axis=0", "line 2: `: type` is missing"),
        ("graph \"g\" f32\n%0 = frobnicate : f32[]", "line 2: there is no primitive `frobnicate`"),
        ("graph \"g\" f32\n%0 = iota axis=1 : f32[2]", "line 2: f32[2] has no axis 1"),
        ("graph \"g\" f32\n%0 = constant value=1 axis=2 : f32[]", "constant has no attribute `axis`"),
        ("graph \"g\" f32\n%0 = constant : f32[]", "`value=` is missing"),
        ("graph \"g\" f32\n%0 = negate %0 : f32[]", "%0 is not there yet"),
        ("graph \"g\" f32\noutput loss \"l\" %3", "%3 is not there yet"),
        ("graph \"g\" f32\n%0 = constant value=\"1 : f32[]", "a quote is not closed"),
    ];
    for (text, wanted) in cases {
        let found = text::parse(text).expect_err(text);
        assert!(found.contains(wanted), "{text:?}: {found:?} does not say {wanted:?}");
    }
}
