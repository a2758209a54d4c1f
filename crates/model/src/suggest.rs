//! "Did you mean": near names of ours, and what Keras and PyTorch call our things.

/// Names of other libraries, and ours.
const FOREIGN: &[(&str, &str)] = &[
    ("Dense", "dense"),
    ("Linear", "dense"),
    ("linear_layer", "dense"),
    ("fc", "dense"),
    ("fully_connected", "dense"),
    ("affine", "dense"),
    ("Conv1D", "conv"),
    ("Conv2D", "conv"),
    ("Conv1d", "conv"),
    ("Conv2d", "conv"),
    ("conv1d", "conv"),
    ("conv2d", "conv"),
    ("convolution", "conv"),
    ("MaxPooling2D", "maxpool"),
    ("MaxPool2d", "maxpool"),
    ("maxpool2d", "maxpool"),
    ("AveragePooling2D", "avgpool"),
    ("GlobalAveragePooling2D", "global_avgpool"),
    ("Flatten", "flatten"),
    ("Dropout", "dropout"),
    ("Activation", "activation"),
    ("BatchNormalization", "batchnorm"),
    ("BatchNorm2d", "batchnorm"),
    ("LayerNormalization", "layernorm"),
    ("LayerNorm", "layernorm"),
    ("Embedding", "embed"),
    ("embedding", "embed"),
    ("LSTM", "lstm"),
    ("GRU", "gru"),
    ("MultiHeadAttention", "attention"),
    ("ReLU", "relu"),
    ("Sigmoid", "sigmoid"),
    ("Tanh", "tanh"),
    ("Softmax", "softmax"),
    ("swish", "silu"),
    ("LeakyReLU", "leaky_relu"),
    ("mean_squared_error", "mse"),
    ("MSELoss", "mse"),
    ("MeanSquaredError", "mse"),
    ("mean_absolute_error", "mae"),
    ("L1Loss", "mae"),
    ("MeanAbsoluteError", "mae"),
    ("bce", "binary_crossentropy"),
    ("BCELoss", "binary_crossentropy"),
    ("BinaryCrossentropy", "binary_crossentropy"),
    ("BCEWithLogitsLoss", "binary_crossentropy"),
    ("categorical_crossentropy", "crossentropy"),
    ("sparse_categorical_crossentropy", "crossentropy"),
    ("CategoricalCrossentropy", "crossentropy"),
    ("SparseCategoricalCrossentropy", "crossentropy"),
    ("CrossEntropyLoss", "crossentropy"),
    ("cross_entropy", "crossentropy"),
    ("nll_loss", "crossentropy"),
    ("categorical_accuracy", "accuracy"),
    ("sparse_categorical_accuracy", "accuracy"),
    ("acc", "accuracy"),
    ("BinaryAccuracy", "binary_accuracy"),
    ("Adam", "adam"),
    ("AdamW", "adamw"),
    ("SGD", "sgd"),
    ("RMSprop", "rmsprop"),
    ("glorot_uniform", "glorot"),
    ("xavier", "glorot"),
    ("xavier_uniform", "glorot"),
    ("he_uniform", "he"),
    ("kaiming", "he"),
    ("kaiming_uniform", "he"),
    ("lecun_uniform", "lecun"),
    ("nb_epoch", "epochs"),
    ("n_epochs", "epochs"),
    ("num_epochs", "epochs"),
    ("epoch", "epochs"),
    ("max_epochs", "epochs"),
    ("batch_size", "batch"),
    ("learning_rate", "lr"),
    ("rate", "lr"),
    ("beta_1", "beta1"),
    ("beta_2", "beta2"),
    ("epsilon", "eps"),
    ("weight_decay", "decay"),
    ("use_bias", "bias"),
    ("kernel_initializer", "init"),
    ("output_dim", "units"),
    ("input_dim", "the width of the data, which is known"),
    ("input_shape", "the shape of the data, which is known"),
    ("random_state", "seed"),
    ("random_seed", "seed"),
    ("criterion", "loss"),
    ("metric", "metrics"),
    ("optim", "optimizer"),
    ("optimiser", "optimizer"),
    ("log_loss", "binary_crossentropy"),
    ("exp_linear", "elu"),
    ("DepthwiseConv2D", "depthwise"),
    ("DepthwiseConv1D", "depthwise"),
    ("SeparableConv2D", "separable"),
    ("SeparableConv1D", "separable"),
    ("Conv2DTranspose", "conv_transposed"),
    ("Conv1DTranspose", "conv_transposed"),
    ("ConvTranspose2d", "conv_transposed"),
    ("ConvTranspose1d", "conv_transposed"),
    ("deconv", "conv_transposed"),
    ("MaxPooling1D", "maxpool"),
    ("MaxPool1d", "maxpool"),
    ("max_pool", "maxpool"),
    ("AveragePooling1D", "avgpool"),
    ("AvgPool2d", "avgpool"),
    ("AvgPool1d", "avgpool"),
    ("GlobalAveragePooling1D", "global_avgpool"),
    ("AdaptiveAvgPool2d", "global_avgpool"),
    ("GlobalMaxPooling2D", "global_maxpool"),
    ("GlobalMaxPooling1D", "global_maxpool"),
    ("UpSampling2D", "upsample"),
    ("UpSampling1D", "upsample"),
    ("Upsample", "upsample"),
    ("ZeroPadding2D", "pad"),
    ("ZeroPadding1D", "pad"),
    ("ZeroPad2d", "pad"),
    ("Cropping2D", "crop"),
    ("Cropping1D", "crop"),
    ("Permute", "transpose"),
    ("permute", "transpose"),
    ("RepeatVector", "repeat_vector"),
    ("Reshape", "reshape"),
    ("BatchNorm1d", "batchnorm"),
    ("GroupNormalization", "groupnorm"),
    ("GroupNorm", "groupnorm"),
    ("InstanceNorm2d", "groupnorm"),
    ("RMSNormalization", "rmsnorm"),
    ("RMSNorm", "rmsnorm"),
    ("SpatialDropout2D", "spatial_dropout"),
    ("SpatialDropout1D", "spatial_dropout"),
    ("Dropout2d", "spatial_dropout"),
    ("GaussianNoise", "gaussian_noise"),
    ("PositionEmbedding", "positions"),
    ("SimpleRNN", "rnn"),
    ("RNN", "rnn"),
    ("Bidirectional", "both"),
    ("return_sequences", "sequence"),
    ("go_backwards", "backwards"),
    ("MultiheadAttention", "attention"),
    ("TransformerEncoderLayer", "transformer"),
    ("Concatenate", "concat"),
    ("Average", "average"),
    ("Dot", "dot"),
    ("ReLU6", "relu6"),
    ("ELU", "elu"),
    ("SELU", "selu"),
    ("GELU", "gelu"),
    ("SiLU", "silu"),
    ("Mish", "mish"),
    ("PReLU", "prelu"),
    ("Softplus", "softplus"),
    ("Softsign", "softsign"),
    ("Hardsigmoid", "hard_sigmoid"),
    ("Hardswish", "hard_silu"),
    ("hard_swish", "hard_silu"),
    ("LogSoftmax", "log_softmax"),
    ("GLU", "glu"),
    ("exponential", "exp"),
    ("MeanAbsolutePercentageError", "mape"),
    ("mean_absolute_percentage_error", "mape"),
    ("MeanSquaredLogarithmicError", "msle"),
    ("mean_squared_logarithmic_error", "msle"),
    ("HuberLoss", "huber"),
    ("SmoothL1Loss", "huber"),
    ("LogCosh", "log_cosh"),
    ("KLDivergence", "kl"),
    ("KLDivLoss", "kl"),
    ("kl_divergence", "kl"),
    ("PoissonNLLLoss", "poisson"),
    ("CosineSimilarity", "cosine_similarity"),
    ("CosineEmbeddingLoss", "cosine_similarity"),
    ("BinaryFocalCrossentropy", "binary_focal"),
    ("CategoricalFocalCrossentropy", "focal"),
    ("SquaredHinge", "squared_hinge"),
    ("CategoricalHinge", "categorical_hinge"),
    ("label_smoothing", "smoothing"),
    ("class_weight", "class_weights"),
    ("TopKCategoricalAccuracy", "top_k"),
    ("top_k_categorical_accuracy", "top_k"),
    ("NAdam", "nadam"),
    ("weight_averaging", "ema"),
    ("use_ema", "ema"),
    ("initial_accumulator_value", "start"),
    ("max_norm_constraint", "max_norm"),
    ("MaxNorm", "max_norm"),
    ("ReduceLROnPlateau", "plateau"),
    ("OneCycleLR", "one_cycle"),
    ("Precision", "precision"),
    ("Recall", "recall"),
    ("sensitivity", "recall"),
    ("F1Score", "f1"),
    ("f1_score", "f1"),
    ("AUC", "auc"),
    ("roc_auc", "auc"),
    ("average_precision", "pr_auc"),
    ("RootMeanSquaredError", "rmse"),
    ("R2Score", "r2"),
    ("r2_score", "r2"),
    ("confusion_matrix", "confusion"),
    ("CosineDecay", "cosine"),
    ("CosineAnnealingLR", "cosine"),
    ("CosineDecayRestarts", "cosine_restarts"),
    ("CosineAnnealingWarmRestarts", "cosine_restarts"),
    ("ExponentialDecay", "exponential"),
    ("StepLR", "exponential"),
    ("InverseTimeDecay", "inverse_time"),
    ("PolynomialDecay", "polynomial"),
    ("PiecewiseConstantDecay", "piecewise"),
    ("MultiStepLR", "piecewise"),
    ("warmup_steps", "warmup"),
    ("decay_steps", "steps"),
    ("decay_rate", "rate"),
    ("GlorotUniform", "glorot"),
    ("GlorotNormal", "glorot_normal"),
    ("xavier_normal", "glorot_normal"),
    ("HeUniform", "he"),
    ("HeNormal", "he_normal"),
    ("kaiming_normal", "he_normal"),
    ("LecunUniform", "lecun"),
    ("LecunNormal", "lecun_normal"),
    ("TruncatedNormal", "truncated_normal"),
    ("RandomNormal", "normal"),
    ("RandomUniform", "uniform"),
    ("Orthogonal", "orthogonal"),
    ("kernel_size", "kernel"),
    ("strides", "stride"),
    ("dilation_rate", "dilation"),
    ("pool_size", "window"),
    ("num_heads", "heads"),
    ("negative_slope", "slope"),
    ("depth_multiplier", "multiplier"),
    ("recurrent_initializer", "recurrent"),
];

/// A name of ours that another library has for something else, when it is called with too much.
pub(crate) fn confused(ours: &str) -> Option<&'static str> {
    match ours {
        "linear" => Some("`linear` is no activation at all; PyTorch's `Linear` is `dense` here: dense 16"),
        _ => None,
    }
}

/// What other libraries call a thing of ours, such as `Dense`, `Linear` for `dense`.
pub fn foreign_names(ours: &str) -> Vec<&'static str> {
    let names = FOREIGN.iter().filter(|(_, o)| *o == ours).map(|(theirs, _)| *theirs);
    names.filter(|n| n.starts_with(char::is_uppercase)).collect()
}

/// What another library's name is called here, if it is among `known`.
pub fn foreign<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let lower = name.to_lowercase();
    FOREIGN
        .iter()
        .filter(|(theirs, _)| *theirs == name || theirs.to_lowercase() == lower)
        .find_map(|(_, ours)| known.iter().find(|k| *k == ours).copied())
}

/// The nearest of `known`, if it is near enough to be meant.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known.iter().filter_map(|k| Some((farness(name, k)?, *k))).min().map(|(_, k)| k)
}

/// The nearest of `known`, where it is certainly meant: the name of another library, or one slip of the keyboard
/// away from one name and from no other.
pub fn certain<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = nearest(name, known)?;
    let far = farness(name, near)?;
    let rivals = known.iter().filter(|k| **k != near && farness(name, k) == Some(far));
    (far == 0 || far <= SLIP && rivals.count() == 0).then_some(near)
}

/// How far a name may be from the one that is certainly meant.
const SLIP: usize = 2;
/// The farness of what is only a guess.
const GUESS: usize = 100;

/// How far a name is from one of ours that may be meant: 0 for the name another library has for it, else the
/// number of slips and one, more where only the beginning is the same; `None` where it is none of these.
pub(crate) fn farness(name: &str, ours: &str) -> Option<usize> {
    let (lower, ours_lower) = (name.to_lowercase(), ours.to_lowercase());
    let foreign = |(theirs, o): &(&str, &str)| *o == ours && theirs.to_lowercase() == lower;
    if lower == ours_lower || FOREIGN.iter().any(foreign) {
        return Some(0);
    }
    // Every letter is near every other: one letter is meant only if it is the same one, and of two one is a guess.
    let letters = name.chars().count();
    if letters < 2 || ours.chars().count() < 2 {
        return None;
    }
    let slips = distance(&lower, &ours_lower);
    if slips <= (letters / 3).max(1) {
        return Some(if letters < 3 { GUESS } else { 1 + slips });
    }
    (letters >= 3 && ours_lower.starts_with(&lower)).then_some(GUESS)
}

/// Edits between the beginnings of two words: insert, delete, replace, swap neighbours.
fn distance(a: &str, b: &str) -> usize {
    let beginning = |word: &str| word.chars().take(40).collect::<String>();
    strsim::osa_distance(&beginning(a), &beginning(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_and_foreign_names() {
        let known = ["dense", "conv", "dropout", "epochs", "relu"];
        assert_eq!(nearest("dens", &known), Some("dense"));
        assert_eq!(nearest("Linear", &known), Some("dense"));
        assert_eq!(nearest("fc", &known), Some("dense"));
        assert_eq!(nearest("nb_epoch", &known), Some("epochs"));
        assert_eq!(nearest("Conv2D", &known), Some("conv"));
        assert_eq!(nearest("rleu", &known), Some("relu"));
        assert_eq!(nearest("banana", &known), None);
        assert_eq!(nearest("t", &["u", "x"]), None);
        assert_eq!(nearest("X", &["u", "x"]), Some("x"));
        assert_eq!(nearest("x", &["a", "xs", "X"]), Some("X"));
    }

    #[test]
    fn one_slip_is_certain_where_there_is_no_other() {
        let known = ["dense", "conv", "cos", "concat", "relu", "elu", "selu", "crossentropy"];
        for (name, meant) in [
            ("dens", Some("dense")),
            ("Linear", Some("dense")),
            ("rleu", Some("relu")),
            ("con", None),
            ("crossentrpoy", Some("crossentropy")),
            ("corssentorpy", None),
            ("cross", None),
        ] {
            assert_eq!(certain(name, &known), meant, "{name}");
            assert!(name == "corssentorpy" || nearest(name, &known).is_some(), "{name}");
        }
    }
}
