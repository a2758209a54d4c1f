//! What a layer of Keras or PyTorch is here.

mod arguments;
mod words;

pub use self::words::activation;

use self::arguments::{Args, KNOWN, places, taken};
use self::words::initialiser;
use crate::Library;
use crate::step::Step;
use crate::value::{Made, Value, written};

/// The steps of a layer, and what of it has no counterpart: arguments and why.
pub type Rendered = Result<(Vec<Step>, Vec<(String, String)>), String>;

/// `3x3`
pub fn times(sizes: &[i64]) -> String {
    sizes.iter().map(i64::to_string).collect::<Vec<_>>().join("x")
}

/// The options of Keras that many layers have: activation, bias, first values, regularisers.
fn usual(a: &mut Args, mut step: Step, library: Library) -> Result<Step, String> {
    if let Some(v) = a.get("activation") {
        match activation(v) {
            Ok(word) => step.activation = word,
            Err(why) => a.not("activation", why),
        }
    }
    if a.get("use_bias").or(a.get("bias")).is_some_and(|v| v.is(false)) {
        step = step.with("bias=no");
    }
    if let Some(v) = a.get("kernel_initializer").or(a.get("depthwise_initializer")) {
        match initialiser(v).as_deref() {
            Some("glorot") => {}
            Some(init) => step = step.with(format!("init={init}")),
            None => a.not(
                "kernel_initializer",
                "there is no such initialiser here; `nnc explain init` tells of one's own",
            ),
        }
    } else if library == Library::Torch && !step.kernel.is_empty() {
        step = step.with("init=torch");
    }
    if let Some(v) = a.get("bias_initializer")
        && initialiser(v).as_deref() != Some("zeros")
    {
        a.not("bias_initializer", "biases begin with 0 here");
    }
    if let Some(v) = a.get("kernel_regularizer") {
        let factor = |m: &Made, place, name| m.get(place, name).and_then(Value::num);
        let found: Vec<(&'static str, f64)> = match v {
            Value::Made(m) => match m.name.as_str() {
                "l2" | "L2" => vec![("l2", factor(m, 0, "l2").or(factor(m, 0, "l")).unwrap_or(0.01))],
                "l1" | "L1" => vec![("l1", factor(m, 0, "l1").or(factor(m, 0, "l")).unwrap_or(0.01))],
                "l1_l2" | "L1L2" | "L1_L2" => {
                    let default = if m.name == "l1_l2" { 0.01 } else { 0.0 };
                    let l1 = factor(m, 0, "l1").unwrap_or(default);
                    let l2 = factor(m, 1, "l2").unwrap_or(default);
                    vec![("l1", l1), ("l2", l2)]
                }
                _ => Vec::new(),
            },
            v => match v.word() {
                Some("l2") => vec![("l2", 0.01)],
                Some("l1") => vec![("l1", 0.01)],
                _ => Vec::new(),
            },
        };
        if found.is_empty() || step.kernel.is_empty() {
            a.not(
                "kernel_regularizer",
                "a part of the loss here: loss = mse(output, target) + 0.01 * l2(weights)",
            );
        } else {
            step.keep_small = found.into_iter().filter(|(_, f)| *f != 0.0).collect();
        }
    }
    Ok(step)
}

/// What is padded before a convolution of PyTorch, or the word `same`.
fn torch_padding(
    a: &Args,
    kernel: &[i64],
    stride: &[i64],
    dilation: &[i64],
) -> Result<(Option<Step>, bool), String> {
    match a.get("padding") {
        None => Ok((None, false)),
        Some(Value::Text(word)) if word == "same" => Ok((None, true)),
        Some(Value::Text(word)) if word == "valid" => Ok((None, false)),
        Some(_) => {
            let pad = a.size("padding", kernel.len())?.unwrap_or_default();
            let same =
                (0..kernel.len()).all(|i| stride[i] == 1 && 2 * pad[i] == dilation[i] * (kernel[i] - 1));
            let step = Step::plain(format!("pad {}", times(&pad)));
            Ok((
                Some(step).filter(|_| !same && pad.iter().any(|p| *p > 0)),
                same && pad.iter().any(|p| *p > 0),
            ))
        }
    }
}

/// The dimensions in a name: 2 of `Conv2D`.
fn dimensions(name: &str) -> Result<usize, String> {
    match name.to_lowercase() {
        n if n.contains("1d") => Ok(1),
        n if n.contains("3d") => Err("only sequences and pictures have convolutions and pools here".into()),
        _ => Ok(2),
    }
}

/// A convolution, of either library.
fn conv(a: &mut Args, head: &str, library: Library) -> Result<Vec<Step>, String> {
    let dims = dimensions(&a.made.name)?;
    let kernel = a.size("kernel_size", dims)?.ok_or("its window is not known")?;
    let stride =
        a.size(if library == Library::Torch { "stride" } else { "strides" }, dims)?.unwrap_or(vec![1; dims]);
    let dilation = a
        .size(if library == Library::Torch { "dilation" } else { "dilation_rate" }, dims)?
        .unwrap_or(vec![1; dims]);
    let filters = match (head, library) {
        ("depthwise", _) => String::new(),
        (_, Library::Torch) => format!(" {}", a.units("out_channels")?),
        _ => format!(" {}", a.units("filters")?),
    };
    let kernel_name = if head == "separable" { "" } else { "k" };
    let mut step = Step::layer(format!("{head}{filters} {}", times(&kernel)), kernel_name);
    let mut out = Vec::new();
    if library == Library::Torch && head == "conv_transposed" {
        if a.get("padding").is_some_and(|v| v.num() != Some(0.0))
            || a.get("output_padding").is_some_and(|v| v.num() != Some(0.0))
        {
            return Err("only `padding=0` of a transposed convolution has a counterpart (valid)".into());
        }
    } else if library == Library::Torch {
        if a.get("padding_mode").is_some_and(|v| v.text() != Some("zeros")) {
            return Err("only zeros are padded here".into());
        }
        let (pad, same) = torch_padding(a, &kernel, &stride, &dilation)?;
        out.extend(pad);
        if same {
            step = step.with("same");
        }
    } else {
        match a.get("padding").and_then(Value::text) {
            Some("same") => step = step.with("same"),
            Some("causal") => step = step.with("causal"),
            _ => {}
        }
    }
    if stride.iter().any(|s| *s != 1) {
        step = step.with(format!("stride={}", times_or_one(&stride)));
    }
    if dilation.iter().any(|s| *s != 1) {
        step = step.with(format!("dilation={}", times_or_one(&dilation)));
    }
    for (theirs, ours) in [("groups", "groups"), ("depth_multiplier", "multiplier")] {
        let n = a.number(theirs, 1.0)?;
        if n != 1.0 {
            step = step.with(format!("{ours}={}", written(n)));
        }
    }
    out.push(usual(a, step, library)?);
    Ok(out)
}

fn times_or_one(sizes: &[i64]) -> String {
    if sizes.iter().all(|s| *s == sizes[0]) { sizes[0].to_string() } else { times(sizes) }
}

/// A pool over windows.
fn pool(a: &mut Args, head: &str, library: Library) -> Result<Vec<Step>, String> {
    let dims = dimensions(&a.made.name)?;
    let (window, stride) =
        if library == Library::Torch { ("kernel_size", "stride") } else { ("pool_size", "strides") };
    let window = a.size(window, dims)?.unwrap_or(vec![2; dims]);
    let stride = a.size(stride, dims)?.unwrap_or(window.clone());
    let mut step = Step::plain(format!("{head} {}", times(&window)));
    if stride != window {
        step = step.with(format!("stride={}", times_or_one(&stride)));
    }
    match a.get("padding") {
        Some(Value::Text(word)) if word == "same" => step = step.with("same"),
        Some(Value::Num(n)) if *n != 0.0 => {
            return Err(
                "a pool with `padding` has no counterpart: `pad` before it would count zeros in".into()
            );
        }
        _ => {}
    }
    if a.yes("ceil_mode") {
        a.not("ceil_mode", "rows and columns that fill no window are left out here");
    }
    Ok(vec![step])
}

/// A recurrent layer.
fn recurrent(a: &mut Args, head: &str, library: Library, both: bool) -> Result<Vec<Step>, String> {
    let units = a.units(if library == Library::Torch { "hidden_size" } else { "units" })?;
    let mut step = Step::plain(format!("{head} {units}"));
    if let Some(v) = a.get("activation").or(a.get("nonlinearity")) {
        match activation(v) {
            Ok(Some(word)) if word == "tanh" => {}
            Ok(word) => step.activation = Some(word.unwrap_or("linear".into())),
            Err(why) => a.not("activation", why),
        }
    }
    let sequence = a.yes("return_sequences") || library == Library::Torch;
    if sequence {
        step = step.with("sequence");
    }
    let both = both || a.yes("bidirectional");
    if both {
        step = step.with("both");
    }
    if a.yes("go_backwards") {
        step = step.with("backwards");
    }
    for (theirs, ours, usual) in
        [("kernel_initializer", "init", "glorot"), ("recurrent_initializer", "recurrent", "orthogonal")]
    {
        match a.get(theirs).map(initialiser) {
            None => {}
            Some(Some(init)) if init == usual => {}
            Some(Some(init)) => step = step.with(format!("{ours}={init}")),
            Some(None) => a.not(theirs, "there is no such initialiser here"),
        }
    }
    for name in ["dropout", "recurrent_dropout"] {
        if a.number(name, 0.0)? > 0.0 {
            a.not(name, "a recurrent layer drops nothing inside; `dropout` may stand between layers");
        }
    }
    for name in ["stateful", "return_state", "kernel_regularizer", "recurrent_regularizer"] {
        if a.get(name).is_some_and(|v| !v.is(false)) {
            a.not(name, reason(name));
        }
    }
    if a.get("reset_after").is_some_and(|v| v.is(false)) {
        a.not("reset_after", "`gru` resets after the product");
    }
    let layers = if library == Library::Torch { a.number("num_layers", 1.0)? } else { 1.0 };
    if !(1.0..=64.0).contains(&layers) {
        return Err("its number of layers is not known".into());
    }
    Ok(vec![step; layers as usize])
}

/// What is said of a word that has no counterpart as an argument.
pub fn reason(word: &str) -> String {
    match nnc_syntax::habits::find(word) {
        Some(h) => {
            let lines = h.written(&[]);
            format!("{} Here: {}", h.about, lines.first().cloned().unwrap_or_default())
        }
        None => "there is no counterpart".to_string(),
    }
}

/// The steps of a layer.
pub fn render(made: &Made, library: Library) -> Rendered {
    let mut a = Args { made, places: places(&made.name, library), left: Vec::new() };
    let steps = steps(&mut a, library)?;
    for (name, v) in &made.named {
        let told = a.left.iter().any(|(what, _)| what == name);
        let default = matches!(v, Value::None | Value::Bool(false));
        if !told && !default && !KNOWN.contains(&name.as_str()) && !taken(name) {
            a.left.push((name.clone(), reason(name)));
        }
        if name == "trainable" && v.is(false) {
            a.left.push((name.clone(), "give the layer a name and write `freeze NAME`".into()));
        }
        if name == "data_format" && v.text() == Some("channels_first") {
            a.left.push((name.clone(), "channels are last here, always".into()));
        }
    }
    let left = a.left.iter().map(|(what, why)| (format!("{what} of {}", made.name), why.clone()));
    Ok((steps, left.collect()))
}

fn steps(a: &mut Args, library: Library) -> Result<Vec<Step>, String> {
    let made = a.made;
    let torch = library == Library::Torch;
    let one = |step: Step| Ok(vec![step]);
    match made.name.as_str() {
        "Dense" => {
            let step = Step::layer(format!("dense {}", a.units("units")?), "w");
            usual(a, step, library).map(|s| vec![s])
        }
        "Linear" | "LazyLinear" => {
            let step = Step::layer(format!("dense {}", a.units("out_features")?), "w");
            usual(a, step, library).map(|s| vec![s])
        }
        "Identity" => Ok(Vec::new()),
        "Input" | "InputLayer" | "InputSpec" => Ok(Vec::new()),
        n if n.starts_with("ConvTranspose") || (n.starts_with("Conv") && n.ends_with("Transpose")) => {
            conv(a, "conv_transposed", library)
        }
        n if n.starts_with("Depthwise") => conv(a, "depthwise", library),
        n if n.starts_with("Separable") => conv(a, "separable", library),
        n if n.starts_with("Conv") => conv(a, "conv", library),
        n if n.starts_with("GlobalAverage") || n.starts_with("GlobalAvg") => {
            one(Step::plain("global_avgpool"))
        }
        n if n.starts_with("GlobalMax") => one(Step::plain("global_maxpool")),
        n if n.starts_with("Adaptive") => {
            let all = a.get("output_size").and_then(Value::sizes).is_some_and(|s| s.iter().all(|n| *n == 1));
            let head = if n.contains("Max") { "global_maxpool" } else { "global_avgpool" };
            // The axes of size 1 that PyTorch keeps are gone here; `flatten` after it changes nothing.
            if all { one(Step::plain(head)) } else { Err("only the output size 1 has a counterpart".into()) }
        }
        n if n.starts_with("MaxPool") => pool(a, "maxpool", library),
        n if n.starts_with("AveragePool") || n.starts_with("AvgPool") => pool(a, "avgpool", library),
        "Flatten" => match a.number("start_dim", 1.0)? {
            1.0 => one(Step::plain("flatten")),
            _ => Err("only `start_dim=1` has a counterpart".into()),
        },
        "Dropout" | "AlphaDropout" => {
            one(Step::plain(format!("dropout {}", written(a.number(if torch { "p" } else { "rate" }, 0.5)?))))
        }
        n if n.starts_with("SpatialDropout") || n.starts_with("Dropout") => one(Step::plain(format!(
            "spatial_dropout {}",
            written(a.number(if torch { "p" } else { "rate" }, 0.5)?)
        ))),
        "GaussianNoise" => one(Step::plain(format!("gaussian_noise {}", written(a.number("stddev", 0.1)?)))),
        "BatchNormalization" => {
            let mut step = Step::plain("batchnorm");
            for (name, ours, default) in [("momentum", "momentum", 0.99), ("epsilon", "eps", 1e-3)] {
                let x = a.number(name, default)?;
                if x != default {
                    step = step.with(format!("{ours}={}", written(x)));
                }
            }
            one(step)
        }
        n if n.starts_with("BatchNorm") => {
            let keep = 1.0 - a.number("momentum", 0.1)?;
            let step =
                Step::plain("batchnorm").with(format!("momentum={}", written((keep * 1e9).round() / 1e9)));
            one(step.with(format!("eps={}", written(a.number("eps", 1e-5)?))))
        }
        "LayerNormalization" | "RMSNormalization" => {
            let (head, default) =
                if made.name.starts_with('L') { ("layernorm", 1e-3) } else { ("rmsnorm", 1e-6) };
            let eps = a.number("epsilon", default)?;
            let step = Step::plain(head);
            one(if eps == default { step } else { step.with(format!("eps={}", written(eps))) })
        }
        "LayerNorm" | "RMSNorm" => {
            let head = if made.name.starts_with('L') { "layernorm" } else { "rmsnorm" };
            one(Step::plain(head).with(format!("eps={}", written(a.number("eps", 1e-5)?))))
        }
        "GroupNormalization" => one(Step::plain(format!("groupnorm {}", written(a.number("groups", 32.0)?)))),
        "GroupNorm" => {
            let step = Step::plain(format!("groupnorm {}", written(a.number("num_groups", 32.0)?)));
            one(step.with(format!("eps={}", written(a.number("eps", 1e-5)?))))
        }
        "Embedding" => {
            let mut step = Step::plain(format!(
                "embed {}",
                a.units(if torch { "embedding_dim" } else { "output_dim" })?
            ));
            if a.yes("mask_zero") {
                step = step.with("mask_zero");
            }
            one(if torch { step.with("init=normal(1)") } else { step })
        }
        "Masking" => one(Step::plain(match a.number("mask_value", 0.0)? {
            0.0 => "masking".to_string(),
            value => format!("masking {}", written(value)),
        })),
        "LSTM" => recurrent(a, "lstm", library, false),
        "GRU" => recurrent(a, "gru", library, false),
        "SimpleRNN" | "RNN" => recurrent(a, "rnn", library, false),
        "Bidirectional" => match a.get("layer") {
            Some(Value::Made(inner)) => {
                let mut b = Args { made: inner, places: places(&inner.name, library), left: Vec::new() };
                let head = match inner.name.as_str() {
                    "LSTM" => "lstm",
                    "GRU" => "gru",
                    "SimpleRNN" => "rnn",
                    _ => return Err("only LSTM, GRU and SimpleRNN run in both directions here".into()),
                };
                if made.named("merge_mode").is_some_and(|v| v.text() != Some("concat")) {
                    return Err("both results stand side by side here: merge_mode=\"concat\"".into());
                }
                let steps = recurrent(&mut b, head, library, true);
                a.left.append(&mut b.left);
                steps
            }
            _ => Err("its layer is not known".into()),
        },
        "TimeDistributed" => match a.get("layer") {
            Some(Value::Made(inner))
                if inner.name == "Dense" || activation(&Value::Made(inner.clone())).is_ok() =>
            {
                let (steps, mut left) = render(inner, library)?;
                a.left.append(&mut left);
                Ok(steps)
            }
            _ => Err("only `dense` works on each step of a sequence by itself".into()),
        },
        "Activation" => match activation(a.get("activation").unwrap_or(&Value::Unknown))? {
            Some(word) => one(Step::activation(word)),
            None => Ok(Vec::new()),
        },
        "LeakyReLU" => {
            let default = if torch { 0.01 } else { 0.3 };
            let slope = a.number("negative_slope", a.number("alpha", default)?)?;
            one(Step::activation(format!("leaky_relu slope={}", written(slope))))
        }
        "ELU" => {
            let alpha = a.number("alpha", 1.0)?;
            one(Step::activation(if alpha == 1.0 {
                "elu".into()
            } else {
                format!("elu alpha={}", written(alpha))
            }))
        }
        "ReLU" if a.get("max_value").is_some() => match a.number("max_value", 6.0)? {
            6.0 => one(Step::activation("relu6")),
            _ => Err("only a largest value of 6 has a name here (relu6)".into()),
        },
        "PReLU" => one(Step::plain("prelu")),
        "Softmax" | "LogSoftmax" => {
            one(Step::activation(if made.name == "Softmax" { "softmax" } else { "log_softmax" }))
        }
        "GELU" => one(Step::activation(if a.get("approximate").is_some() { "gelu tanh" } else { "gelu" })),
        "Reshape" | "Unflatten" => {
            let shape = a.get("target_shape").and_then(Value::sizes);
            if shape.as_deref() == Some(&[-1]) {
                return one(Step::plain("flatten"));
            }
            let shape = shape.filter(|s| s.iter().all(|n| *n > 0));
            let shape = shape.ok_or("its shape is not known; `reshape 4x3` wants every size")?;
            one(Step::plain(format!("reshape {}", times(&shape))))
        }
        "Permute" => {
            let axes = a.get("dims").and_then(Value::sizes).ok_or("its axes are not known")?;
            let axes: Vec<String> = axes.iter().map(|n| (n - 1).to_string()).collect();
            one(Step::plain(format!("transpose [{}]", axes.join(", "))))
        }
        "RepeatVector" => one(Step::plain(format!("repeat_vector {}", a.units("n")?))),
        n @ ("UpSampling1D" | "UpSampling2D" | "Upsample") => {
            let dims = dimensions(n)?;
            let size = match a.size("scale_factor", dims)? {
                Some(size) => size,
                None if torch => return Err("only `scale_factor` has a counterpart".into()),
                None => a.size("size", dims)?.unwrap_or(vec![2; dims]),
            };
            let how = a.get("interpolation").or(a.get("mode")).and_then(Value::text).unwrap_or("nearest");
            match how {
                "nearest" => one(Step::plain(format!("upsample {}", times(&size)))),
                "bilinear" => one(Step::plain(format!("upsample {} bilinear", times(&size)))),
                _ => Err(format!("there is no `{how}` here; nearest and bilinear")),
            }
        }
        "ZeroPadding1D" | "ZeroPadding2D" | "ZeroPad2d" | "Cropping1D" | "Cropping2D" => sides(a),
        "Rescaling" => {
            a.not(
                "Rescaling",
                "columns are scaled where they are named (scale=255); pictures from files are 0 to 1 already",
            );
            Ok(Vec::new())
        }
        "MultiHeadAttention" => {
            let heads = a.units("num_heads")?;
            one(Step::plain(format!("attention {heads}")))
        }
        name => {
            let alone = [
                "ReLU",
                "ReLU6",
                "Sigmoid",
                "Tanh",
                "SELU",
                "SiLU",
                "Mish",
                "Softplus",
                "Softsign",
                "Hardsigmoid",
                "Hardswish",
                "GLU",
            ];
            match activation(&Value::Text(name.into())) {
                Ok(Some(word)) if alone.contains(&name) || name.starts_with(|c: char| c.is_lowercase()) => {
                    one(Step::activation(word))
                }
                _ => Err(match reason(name) {
                    why if why == "there is no counterpart" => {
                        format!("there is no layer `{name}` here; one's own is written with `layer`")
                    }
                    why => why,
                }),
            }
        }
    }
}

/// Padding and cropping: before, after, for each axis.
fn sides(a: &mut Args) -> Result<Vec<Step>, String> {
    let crop = a.made.name.starts_with("Crop");
    let dims = dimensions(&a.made.name)?;
    let given = a.get(if crop { "cropping" } else { "padding" });
    let pairs: Option<Vec<(i64, i64)>> = match given {
        None => Some(vec![(1, 1); dims]),
        Some(Value::List(all)) if dims == 2 && all.iter().all(|v| matches!(v, Value::List(_))) => {
            let pair = |v: &Value| v.sizes().filter(|s| s.len() == 2).map(|s| (s[0], s[1]));
            all.iter().map(pair).collect()
        }
        Some(v) => match (v.sizes().as_deref(), dims, a.made.name.as_str()) {
            (Some([n]), _, _) => Some(vec![(*n, *n); dims]),
            (Some([b, e]), 1, _) => Some(vec![(*b, *e)]),
            (Some([left, right, top, bottom]), _, "ZeroPad2d") => {
                Some(vec![(*top, *bottom), (*left, *right)])
            }
            (Some([h, w]), 2, _) => Some(vec![(*h, *h), (*w, *w)]),
            _ => None,
        },
    };
    let pairs = pairs
        .filter(|p| p.len() == dims && p.iter().all(|(b, e)| *b >= 0 && *e >= 0))
        .ok_or("its sides are not known")?;
    let before: Vec<i64> = pairs.iter().map(|p| p.0).collect();
    let after: Vec<i64> = pairs.iter().map(|p| p.1).collect();
    let sides =
        if before == after { times(&before) } else { format!("{} {}", times(&before), times(&after)) };
    Ok(vec![Step::plain(format!("{} {sides}", if crop { "crop" } else { "pad" }))])
}
