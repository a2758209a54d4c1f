//! What Keras, PyTorch and others call things, and what is said to those who know them from there: the one table of
//! other libraries' names.

/// Names of other libraries, and ours.
pub const NAMES: &[(&str, &str)] = &[
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

/// A name of ours that another library has for something else, when it is given too much.
pub fn confused(ours: &str) -> Option<&'static str> {
    match ours {
        "linear" => Some("`linear` is no activation at all; PyTorch's `Linear` is `dense` here: dense 16"),
        _ => None,
    }
}

/// What is said about an argument that other libraries need and this one does not.
pub fn needless_argument(name: &str) -> Option<&'static str> {
    Some(match name {
        "from_logits" => {
            "not needed: a softmax or sigmoid before the loss is taken together with its logarithm"
        }
        "input_shape" | "input_dim" | "in_features" | "in_channels" | "input_size" => {
            "the shape of the input is known; leave this out"
        }
        "out_features" | "out_channels" | "hidden_size" | "num_units" => "it comes first and needs no name",
        "name" => "a name stands before: hidden = it -> dense 16",
        _ => return None,
    })
}

/// What is said about a name that other libraries need and this one does not.
pub fn needless_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "None" | "null" | "nil" => "leave the argument out: its default holds then",
        "Input" | "InputLayer" => "the data is there already, under the name `input`",
        "Sequential" | "Model" => "a network is the lines of the file, in their order",
        _ => return None,
    })
}

/// What a layer of Keras or PyTorch is called here, whatever its capitals and its number of dimensions; its own
/// small letters where that is not known.
pub fn layer(theirs: &str) -> String {
    let lower = theirs.to_lowercase();
    let plain = without_dimensions(&lower);
    let exact = NAMES.iter().find(|(name, _)| name.to_lowercase() == lower);
    let near = || NAMES.iter().find(|(name, _)| without_dimensions(&name.to_lowercase()) == plain);
    exact.or_else(near).map_or(plain, |(_, ours)| ours).to_string()
}

/// `conv2d` is `conv`.
fn without_dimensions(name: &str) -> &str {
    ["1d", "2d", "3d"].iter().find_map(|d| name.strip_suffix(d)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_go_by_any_number_of_dimensions() {
        for (theirs, ours) in [
            ("Linear", "dense"),
            ("Conv2D", "conv"),
            ("Conv3d", "conv"),
            ("MaxPooling3D", "maxpool"),
            ("ConvTranspose3d", "conv_transposed"),
            ("BatchNormalization", "batchnorm"),
            ("SimpleRNN", "rnn"),
            ("Flatten", "flatten"),
            ("Whatever2D", "whatever"),
        ] {
            assert_eq!(layer(theirs), ours);
        }
    }

    #[test]
    fn a_name_stands_once() {
        for (i, (theirs, _)) in NAMES.iter().enumerate() {
            assert!(NAMES[..i].iter().all(|(name, _)| name != theirs), "{theirs}");
        }
    }
}
