//! Arguments of layers: where they stand, and which are understood.

use crate::Library;
use crate::value::{Made, Value};

/// Arguments that say what is known here anyway.
pub(super) const KNOWN: [&str; 14] = [
    "name",
    "input_shape",
    "input_dim",
    "batch_input_shape",
    "dtype",
    "trainable",
    "input_length",
    "data_format",
    "batch_first",
    "inplace",
    "device",
    "batch_size",
    "unroll",
    "implementation",
];

/// Arguments of a layer: by place and name, and which were asked for.
pub(super) struct Args<'a> {
    pub(super) made: &'a Made,
    pub(super) places: &'static [&'static str],
    pub(super) left: Vec<(String, String)>,
}

impl<'a> Args<'a> {
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        let place = self.places.iter().position(|p| *p == name).unwrap_or(usize::MAX);
        self.made.get(place, name).filter(|v| !matches!(v, Value::None))
    }

    pub(super) fn units(&self, name: &str) -> Result<i64, String> {
        let one = self.get(name).and_then(Value::sizes).filter(|s| s.len() == 1 && s[0] > 0);
        one.map(|s| s[0]).ok_or_else(|| format!("its `{name}` is not known without running the program"))
    }

    pub(super) fn number(&self, name: &str, default: f64) -> Result<f64, String> {
        match self.get(name) {
            None => Ok(default),
            Some(v) => {
                v.num().ok_or_else(|| format!("its `{name}` is not known without running the program"))
            }
        }
    }

    pub(super) fn size(&self, name: &str, dims: usize) -> Result<Option<Vec<i64>>, String> {
        let Some(v) = self.get(name) else { return Ok(None) };
        let sizes =
            v.sizes().filter(|s| !s.is_empty() && s.len() <= 2.max(dims) && s.iter().all(|n| *n >= 0));
        let sizes = sizes.ok_or_else(|| format!("its `{name}` is not known without running the program"))?;
        Ok(Some(if sizes.len() == 1 { vec![sizes[0]; dims] } else { sizes }))
    }

    pub(super) fn yes(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| v.is(true))
    }

    pub(super) fn not(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.left.push((what.into(), why.into()));
    }
}

/// Arguments that `steps` reads wherever they stand.
pub(super) fn taken(name: &str) -> bool {
    const TAKEN: &[&str] = &[
        "units",
        "mask_zero",
        "mask_value",
        "activation",
        "use_bias",
        "bias",
        "kernel_initializer",
        "bias_initializer",
        "kernel_regularizer",
        "filters",
        "kernel_size",
        "strides",
        "stride",
        "padding",
        "dilation_rate",
        "dilation",
        "groups",
        "depth_multiplier",
        "pool_size",
        "return_sequences",
        "go_backwards",
        "hidden_size",
        "num_layers",
        "bidirectional",
        "rate",
        "p",
        "momentum",
        "epsilon",
        "eps",
        "axis",
        "dim",
        "input_dim",
        "output_dim",
        "target_shape",
        "size",
        "interpolation",
        "scale_factor",
        "mode",
        "n",
        "dims",
        "negative_slope",
        "alpha",
        "num_features",
        "in_features",
        "out_features",
        "in_channels",
        "out_channels",
        "input_size",
        "num_embeddings",
        "embedding_dim",
        "normalized_shape",
        "layer",
        "stddev",
        "start_dim",
        "num_groups",
        "num_channels",
        "approximate",
        "nonlinearity",
        "padding_mode",
        "output_size",
        "recurrent_initializer",
        "num_heads",
        "key_dim",
        "depthwise_initializer",
        "function",
        "cropping",
        "scale",
        "offset",
        "reset_after",
        "layers",
        "max_value",
    ];
    TAKEN.contains(&name)
}

pub(super) fn places(name: &str, library: Library) -> &'static [&'static str] {
    let torch = library == Library::Torch;
    match name {
        "Dense" => &["units", "activation", "use_bias"],
        "Linear" | "LazyLinear" => &["in_features", "out_features", "bias"],
        n if n.starts_with("ConvTranspose") && torch => &[
            "in_channels",
            "out_channels",
            "kernel_size",
            "stride",
            "padding",
            "output_padding",
            "groups",
            "bias",
            "dilation",
        ],
        n if n.starts_with("Conv") && torch => {
            &["in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias"]
        }
        n if n.starts_with("Depthwise") => &["kernel_size", "strides", "padding"],
        n if n.starts_with("Conv") || n.starts_with("Separable") => {
            &["filters", "kernel_size", "strides", "padding"]
        }
        n if n.starts_with("Global") => &[],
        n if (n.starts_with("Max") || n.starts_with("Avg") || n.starts_with("Average")) && torch => {
            &["kernel_size", "stride", "padding"]
        }
        n if n.starts_with("Max") || n.starts_with("Average") => &["pool_size", "strides", "padding"],
        "LSTM" | "GRU" | "RNN" if torch => &["input_size", "hidden_size", "num_layers"],
        "LSTM" | "GRU" | "SimpleRNN" => &["units", "activation"],
        "Embedding" if torch => &["num_embeddings", "embedding_dim"],
        "Embedding" => &["input_dim", "output_dim"],
        "Dropout" | "Dropout1d" | "Dropout2d" if torch => &["p"],
        "Dropout" | "SpatialDropout1D" | "SpatialDropout2D" => &["rate"],
        "GaussianNoise" => &["stddev"],
        "Masking" => &["mask_value"],
        "Activation" => &["activation"],
        "Reshape" => &["target_shape"],
        "Permute" => &["dims"],
        "RepeatVector" => &["n"],
        "UpSampling1D" | "UpSampling2D" => &["size"],
        "ZeroPadding1D" | "ZeroPadding2D" | "ZeroPad2d" => &["padding"],
        "Cropping1D" | "Cropping2D" => &["cropping"],
        "LayerNorm" | "RMSNorm" => &["normalized_shape", "eps"],
        "GroupNorm" => &["num_groups", "num_channels", "eps"],
        "GroupNormalization" => &["groups"],
        "LeakyReLU" => &["negative_slope"],
        "ELU" => &["alpha"],
        "Softmax" | "LogSoftmax" => &["axis"],
        "ReLU" if !torch => &["max_value"],
        "Bidirectional" | "TimeDistributed" => &["layer"],
        "MultiHeadAttention" => &["num_heads", "key_dim"],
        "Upsample" => &["size", "scale_factor", "mode"],
        "Flatten" => &["start_dim"],
        "AdaptiveAvgPool1d" | "AdaptiveAvgPool2d" | "AdaptiveMaxPool2d" | "AdaptiveMaxPool1d" => {
            &["output_size"]
        }
        "Rescaling" => &["scale", "offset"],
        _ => &[],
    }
}
