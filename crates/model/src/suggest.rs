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
];

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
    if let Some(ours) = foreign(name, known) {
        return Some(ours);
    }
    let lower = name.to_lowercase();
    let limit = (name.chars().count() / 3).max(1);
    known
        .iter()
        .map(|k| (distance(&lower, &k.to_lowercase()), *k))
        .filter(|(d, k)| *d <= limit || (lower.len() >= 3 && k.starts_with(&lower)))
        .min()
        .map(|(_, k)| k)
}

/// Edits between two words: insert, delete, replace, swap neighbours (Damerau's optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(40).collect(), b.chars().take(40).collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
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
    }
}
