//! Words of other libraries for which there is no one word here, with what to write instead: the one table for `nnc
//! explain`, for a word that begins a line, and for `--set`.

/// A word of another library.
#[derive(Debug)]
pub struct Habit {
    /// How it is written there, in all spellings.
    pub names: &'static [&'static str],
    /// What it is about, in a sentence.
    pub about: &'static str,
    /// The lines to write, of a program or of a shell (these begin with `nnc `). `{lr|0.001}` is the argument `lr`, or
    /// the first without a name, and 0.001 where there is none; `{…%|…}` the same as a share.
    pub lines: &'static [&'static str],
}

const fn habit(names: &'static [&'static str], about: &'static str, lines: &'static [&'static str]) -> Habit {
    Habit { names, about, lines }
}

/// All of them.
pub const HABITS: &[Habit] = &[
    // ---- data
    habit(
        &["validation_split", "val_split", "valid_split", "random_split"],
        "A share of the rows is kept for validation.",
        &["split valid={value%|20%}"],
    ),
    habit(
        &["test_split", "test_size"],
        "A share of the rows is kept for the test.",
        &["split test={value%|20%}"],
    ),
    habit(
        &["train_test_split"],
        "The rows are shared out in the program.",
        &["split valid=10% test={test_size%|20%}", "split test={test_size%|20%} stratify"],
    ),
    habit(
        &["validation_data", "val_data", "eval_set"],
        "Rows of their own to validate with.",
        &["valid \"valid.csv\""],
    ),
    habit(
        &["shuffle", "no_shuffle"],
        "Every epoch has its own order, and `split` takes rows at random. `ordered` takes the last rows instead, as \
         series want it.",
        &["split valid=20% ordered", "nnc train net.nn --no-shuffle"],
    ),
    habit(
        &[
            "StandardScaler",
            "standard_scaler",
            "Normalization",
            "Normalize",
            "normalize",
            "scaler",
            "scale",
            "preprocessing",
        ],
        "Columns are scaled where they are named, by statistics of the training rows that the model keeps.",
        &["data \"f.csv\" { input rest standardize; target y }"],
    ),
    habit(
        &["MinMaxScaler", "Rescaling", "rescale", "ToTensor"],
        "Columns are scaled where they are named; pictures have numbers from 0 to 1 already.",
        &[
            "data \"f.csv\" { input rest minmax; target y }",
            "data \"f.csv\" { input rest scale=255; target y }",
        ],
    ),
    habit(
        &[
            "to_categorical",
            "get_dummies",
            "OneHotEncoder",
            "LabelEncoder",
            "LabelBinarizer",
            "CategoryEncoding",
            "IntegerLookup",
            "StringLookup",
            "one_hot_encoding",
        ],
        "A text column is of classes already, a column of numbers where it is declared so; losses and layers make \
         vectors of classes where they want these.",
        &[
            "data \"f.csv\" { input a b; target kind category }",
            "data \"f.csv\" { input colour one_hot; target y }",
        ],
    ),
    habit(
        &["sample_weight", "sample_weights", "sample_weight_col"],
        "A column says how much each row counts.",
        &["data \"f.csv\" { input a b; target y; weight w }"],
    ),
    habit(
        &["class_weight", "class_weights", "pos_weight", "scale_pos_weight"],
        "The loss has a number for each class, by which its samples count, in the order of the classes.",
        &["loss crossentropy class_weights=[1, 5]"],
    ),
    habit(
        &[
            "DataLoader",
            "Dataset",
            "TensorDataset",
            "read_csv",
            "loadtxt",
            "genfromtxt",
            "from_tensor_slices",
            "load_data",
            "dataset",
            "csv",
            "file",
        ],
        "A statement says where the rows come from; the last column is the target, unless a block says otherwise.",
        &["data \"f.csv\"", "data npy \"x.npy\" -> \"y.npy\"", "batch {batch_size|32}"],
    ),
    habit(
        &[
            "ImageDataGenerator",
            "ImageFolder",
            "image_dataset_from_directory",
            "flow_from_directory",
            "RandomFlip",
            "RandomTranslation",
            "RandomCrop",
            "RandomHorizontalFlip",
            "RandomRotation",
            "transforms",
            "Resize",
            "augment",
            "augmentation",
        ],
        "A folder with a folder for each class is read as pictures of one size, and changed at random while training.",
        &["data images \"folder\" 64x64x3 augment=[flip, shift]"],
    ),
    habit(
        &[
            "Tokenizer",
            "TextVectorization",
            "pad_sequences",
            "tokenizer",
            "maxlen",
            "vocab_size",
            "num_words",
        ],
        "A text is read character by character, in windows of one length; the characters are classes.",
        &["data text \"f.txt\" window={maxlen|100}", "embed 64"],
    ),
    habit(
        &[
            "TimeseriesGenerator",
            "timeseries_dataset_from_array",
            "lookback",
            "timesteps",
            "window_size",
            "n_steps",
            "look_back",
        ],
        "Rows of a series are read in windows.",
        &["data \"f.csv\" window={value|24} horizon=1 { input v; target v }"],
    ),
    habit(
        &["drop_columns", "usecols", "feature_columns"],
        "The lines of a data block say which columns are for what.",
        &["data \"f.csv\" { drop id; input a b; target y }"],
    ),
    habit(
        &["fillna", "SimpleImputer", "imputer", "dropna"],
        "A gap in a column has a rule.",
        &["data \"f.csv\" { input age missing=mean; target y }"],
    ),
    // ---- the network
    habit(
        &["Bidirectional", "bidirectional", "BiLSTM"],
        "A recurrent layer reads a sequence in both directions, and gives both results side by side.",
        &["lstm {units|64} both", "gru {units|64} sequence both"],
    ),
    habit(
        &["TimeDistributed", "time_distributed"],
        "`dense` and other layers of the last axis work on each step of a sequence by themselves.",
        &["dense {units|16} relu"],
    ),
    habit(
        &["return_sequences"],
        "A recurrent layer gives its last output, or with `sequence` that of every step.",
        &["lstm 64 sequence"],
    ),
    habit(
        &["return_state", "initial_state", "encoder_states", "return_states"],
        "With `states` a recurrent layer gives its last states too, and with `start` it begins with those of another.",
        &["h, c = input -> lstm 64 states", "input -> lstm 64 sequence start=[h, c]"],
    ),
    habit(
        &["Masking", "mask_zero", "mask", "pack_padded_sequence", "supports_masking", "key_padding_mask"],
        "A mask says which steps of a sequence are padding. It goes with the tensor, and recurrent layers, `attention`, \
         global pools, losses and metrics leave these steps out.",
        &["masking", "embed 64 mask_zero", "lstm 64 mask=(max(abs(input), axis=-1) > 0)"],
    ),
    habit(
        &["stateful", "reset_states", "reset_state", "recurrent_dropout"],
        "Each sample begins anew with a state of zeros; between layers there is `dropout`.",
        &["lstm 64 sequence", "dropout {recurrent_dropout|0.2}", "lstm 64"],
    ),
    habit(
        &["Lambda", "lambda"],
        "A formula is a step, and a function of your own too.",
        &["it * 2 + 1", "fn swish(x, beta = 1.0) = x * sigmoid(beta * x)"],
    ),
    habit(
        &[
            "Layer",
            "Module",
            "call",
            "forward",
            "add_weight",
            "Parameter",
            "register_buffer",
            "build",
            "custom_layer",
        ],
        "A layer of your own declares its weights and says what it computes.",
        &[
            "layer affine(units: int) of x[n] -> [units] { weight w[n, units] = glorot; weight b[units] = zeros; x @ w + b }",
        ],
    ),
    habit(
        &["Sequential", "Model", "Functional", "model", "network", "ModuleList", "net", "layers"],
        "A network is the lines of the file, in their order; a name leads back to a tensor.",
        &["h = dense 16 relu", "dense 1 sigmoid"],
    ),
    habit(
        &[
            "Input",
            "InputLayer",
            "input_dim",
            "input_shape",
            "in_features",
            "in_channels",
            "input_size",
            "n_features",
            "input_layer",
            "inputs",
        ],
        "The data says what goes in, so that nothing has to be said about it; a picture made of columns gets a shape.",
        &["data \"f.csv\"", "input left 28x28x1"],
    ),
    habit(
        &[
            "units",
            "neurons",
            "nodes",
            "hidden",
            "hidden_units",
            "hidden_size",
            "hidden_layer",
            "hidden_layers",
            "hidden_layer_sizes",
            "n_hidden",
            "dim",
        ],
        "A layer is a line with its number of neurons and its activation.",
        &["dense {value|16} relu"],
    ),
    habit(
        &["activation", "Activation", "nonlinearity", "act"],
        "An activation is a word of its layer, or a line of its own.",
        &["dense 16 {value|relu}", "{value|relu}"],
    ),
    habit(
        &["output_layer", "outputs", "out", "num_classes", "n_classes", "classes"],
        "The last layer has a neuron for each class, and a softmax.",
        &["dense {value|10} softmax"],
    ),
    habit(
        &["view", "unsqueeze", "expand_dims", "Unflatten"],
        "A tensor of one sample gets another shape; there is no batch axis.",
        &["reshape 28x28x1", "flatten"],
    ),
    habit(
        &["trainable", "requires_grad", "requires_grad_", "frozen", "set_trainable", "fine_tune", "finetune"],
        "Layers whose weights and states are to stay as they are, are named; a trained model is the start with --init.",
        &["freeze base", "nnc train net.nn --init base.safetensors"],
    ),
    habit(
        &["dropout_rate", "drop_rate", "p_drop"],
        "A share of the numbers is set to 0 while training.",
        &["dropout {value|0.5}"],
    ),
    // ---- the training
    habit(
        &["lr", "learning_rate", "learning_rate_init", "eta", "eta0", "step_size", "base_lr", "alpha"],
        "The learning rate is an option of the optimizer.",
        &["optimizer adam lr={value|0.001}"],
    ),
    habit(
        &["momentum"],
        "Momentum is an option of the optimizer.",
        &["optimizer sgd lr=0.01 momentum={value|0.9}"],
    ),
    habit(
        &["weight_decay", "decay", "l2_reg"],
        "Decay is an option of the optimizer, or a part of the loss.",
        &["optimizer adamw decay={value|0.004}", "loss = mse(output, target) + 0.01 * l2(weights)"],
    ),
    habit(
        &[
            "kernel_regularizer",
            "regularizer",
            "regularizers",
            "L1L2",
            "activity_regularizer",
            "bias_regularizer",
            "penalty",
        ],
        "What keeps weights small is a part of the loss.",
        &["loss = mse(output, target) + 0.01 * l2(weights)"],
    ),
    habit(
        &[
            "EarlyStopping",
            "early_stopping",
            "earlystopping",
            "early_stop",
            "patience",
            "restore_best_weights",
            "n_iter_no_change",
            "monitor",
            "min_delta",
        ],
        "The training ends when a figure gets no better any more; the best weights are kept.",
        &["stop when {monitor|val_loss} stalls for {patience|5}", "save best={monitor|val_loss}"],
    ),
    habit(
        &[
            "ModelCheckpoint",
            "model_checkpoint",
            "checkpoint",
            "checkpoints",
            "save_best_only",
            "save_best",
            "callbacks",
            "callback",
            "save_freq",
        ],
        "The run's folder has the last weights; the best ones, and some on the way, are kept where the program says so.",
        &["save best=val_loss", "save every=5"],
    ),
    habit(
        &[
            "LearningRateScheduler",
            "scheduler",
            "lr_scheduler",
            "lr_schedule",
            "LambdaLR",
            "learning_rate_schedule",
            "warmup",
        ],
        "A schedule is a factor on the learning rate.",
        &["schedule cosine warmup=100", "schedule plateau patience=3"],
    ),
    habit(
        &[
            "clipnorm",
            "clipvalue",
            "global_clipnorm",
            "clip_grad_norm_",
            "clip_grad_norm",
            "clip_grad_value_",
            "max_grad_norm",
            "grad_clip",
            "gradient_clip",
            "clip_norm",
            "gradient_clip_val",
        ],
        "Gradients are kept small by a statement.",
        &["clip {value|1.0}", "clip norm={value|1.0}", "clip value=0.5"],
    ),
    habit(
        &[
            "iterations",
            "iters",
            "max_iter",
            "n_iter",
            "max_steps",
            "num_steps",
            "total_steps",
            "train_steps",
            "steps_per_epoch",
        ],
        "A training ends after some steps, each with one batch, or after some epochs, each over all samples.",
        &["steps {value|1000}"],
    ),
    habit(&["batch_size", "minibatch", "bs"], "So many samples make one step.", &["batch {value|32}"]),
    habit(
        &["epochs", "nb_epoch", "num_epochs", "n_epochs", "max_epochs"],
        "So often all samples are seen.",
        &["epochs {value|10}"],
    ),
    habit(
        &["verbose", "disable_tqdm", "tqdm", "progress_bar", "silent", "quiet"],
        "How much is said is an option of the command.",
        &["nnc train net.nn -q"],
    ),
    habit(
        &["fit", "fit_generator", "train_on_batch", "partial_fit", "fit_transform"],
        "The program says how long, the command trains.",
        &["epochs {epochs|10}", "batch {batch_size|32}", "nnc train net.nn"],
    ),
    habit(
        &["compile"],
        "Loss, optimizer and metrics have a line each.",
        &["loss {loss|mse}", "optimizer {optimizer|adam}", "metrics {metrics|mae}"],
    ),
    habit(
        &["predict", "predict_proba", "predict_classes", "transform"],
        "The trained network answers for rows of a file.",
        &["nnc predict net.nn new.csv"],
    ),
    habit(
        &[
            "evaluate",
            "eval",
            "score",
            "no_grad",
            "inference_mode",
            "train_mode",
            "training_mode",
            "set_grad_enabled",
        ],
        "Layers know by themselves whether the network is trained; loss and metrics of a trained one are a command.",
        &["nnc eval net.nn"],
    ),
    habit(
        &[
            "zero_grad",
            "backward",
            "step",
            "apply_gradients",
            "GradientTape",
            "optimizer.step",
            "loss.backward",
            "autograd",
            "minimize",
            "training_step",
            "detach",
            "retain_graph",
        ],
        "Gradients, and the step of the optimizer, are made by the training; a derivative of your own is `grad(y, x)`, \
         and `stop_gradient(x)` lets none through.",
        &["optimizer adam", "nnc train net.nn"],
    ),
    habit(
        &[
            "state_dict",
            "load_state_dict",
            "load_weights",
            "save_weights",
            "save_model",
            "load_model",
            "from_pretrained",
            "pickle",
            "joblib",
        ],
        "A run keeps its model as a safetensors file; weights of Keras and PyTorch are brought in by a command.",
        &["nnc train net.nn --init model.safetensors", "nnc import weights.safetensors net.nn --from torch"],
    ),
    habit(
        &["summary", "torchsummary", "plot_model", "count_params"],
        "Layers, shapes and weights are a command.",
        &["nnc summary net.nn", "nnc graph net.nn --stage layers"],
    ),
    habit(
        &["TensorBoard", "CSVLogger", "History", "wandb", "history"],
        "The run's folder has the figures of every epoch, as a table.",
        &["nnc train net.nn --out runs/first"],
    ),
    habit(
        &["seed", "manual_seed", "set_random_seed", "set_seed", "random_state", "random_seed"],
        "All random numbers have one key: same seed, same result.",
        &["seed {value|1}"],
    ),
    habit(
        &[
            "GridSearchCV",
            "RandomizedSearchCV",
            "KerasTuner",
            "keras_tuner",
            "optuna",
            "cross_val_score",
            "KFold",
            "StratifiedKFold",
            "cv",
            "n_splits",
        ],
        "Rows take turns in validating; parameters of the program are set from outside.",
        &["nnc train net.nn --folds {value|5}", "nnc train net.nn --set hidden=32"],
    ),
    habit(
        &["cuda", "device", "gpu", "cpu", "DataParallel", "n_jobs", "num_workers", "workers"],
        "The training runs on all cores of the processor; the result is the same for any number of threads.",
        &["nnc train net.nn --threads {value|4}"],
    ),
    habit(
        &["dtype", "mixed_precision", "autocast", "float16", "bfloat16", "half"],
        "The engine computes in single precision.",
        &["nnc train net.nn"],
    ),
    habit(
        &["loss_fn", "criterion", "cost", "objective", "loss_function"],
        "The loss is a line with its name, or a formula.",
        &["loss {value|mse}", "loss = mean((output - target)^2)"],
    ),
    habit(
        &["solver", "optim", "opt", "algorithm"],
        "The optimizer is a line with its name.",
        &["optimizer {value|adam}"],
    ),
    habit(&["metric", "scoring", "measures"], "Metrics are a line of names.", &["metrics {value|accuracy}"]),
];

/// The entry of a word, if there is one: as it is written, else in any capitals; of `nn.Linear`, what stands behind
/// the last point is asked for where the whole is unknown.
pub fn find(word: &str) -> Option<&'static Habit> {
    let exact = |w: &str| HABITS.iter().find(|h| h.names.contains(&w));
    let lower = |w: &str| HABITS.iter().find(|h| h.names.iter().any(|n| n.eq_ignore_ascii_case(w)));
    let last = word.rsplit('.').next().unwrap_or(word);
    exact(word).or_else(|| lower(word)).or_else(|| exact(last)).or_else(|| lower(last))
}

impl Habit {
    /// The lines to write, with the arguments that stand there: under their names, or as the first without one.
    pub fn written(&self, arguments: &[(Option<&str>, &str)]) -> Vec<String> {
        self.lines.iter().map(|line| filled(line, arguments)).collect()
    }
}

fn filled(line: &str, arguments: &[(Option<&str>, &str)]) -> String {
    let mut out = String::new();
    let mut rest = line;
    // Braces of blocks have a space behind them.
    while let Some(at) =
        rest.match_indices('{').map(|(i, _)| i).find(|i| !rest[i + 1..].starts_with([' ', '}']))
    {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        let Some((hole, after)) = after[1..].split_once('}') else { break };
        let (key, default) = hole.split_once('|').unwrap_or((hole, ""));
        let (key, share) = key.strip_suffix('%').map_or((key, false), |k| (k, true));
        let named = arguments.iter().find(|(k, _)| *k == Some(key)).map(|(_, v)| *v);
        let first = || arguments.iter().find(|(k, _)| k.is_none()).map(|(_, v)| *v);
        let value = named.or_else(first).map(|v| v.trim_matches(['"', '\'']));
        // Something else than a word or number was meant for something else.
        let value =
            value.filter(|v| !v.is_empty() && v.chars().all(|c| c.is_alphanumeric() || "._-%".contains(c)));
        match value {
            Some(v) if share => out.push_str(&percent(v).unwrap_or_else(|| default.to_string())),
            Some(v) if default.starts_with(|c: char| c.is_ascii_digit()) && v.parse::<f64>().is_err() => {
                out.push_str(default);
            }
            Some(v) => out.push_str(v),
            None => out.push_str(default),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// `0.2` as `20%`
fn percent(text: &str) -> Option<String> {
    if text.ends_with('%') {
        return Some(text.to_string());
    }
    let share = text.parse::<f64>().ok().filter(|x| (0.0..1.0).contains(x))?;
    Some(format!("{}%", (share * 1e4).round() / 100.0))
}
