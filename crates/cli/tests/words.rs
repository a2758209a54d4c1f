//! Words of other libraries as arguments of `nnc explain`: each has an answer of its own, and what it says is right.
#![allow(clippy::unwrap_used)]

mod common;

use common::Place;
use nnc_syntax::habits;

/// What people type who come from the first chapters of Keras', PyTorch's and scikit-learn's guides.
const WORDS: &str = "
validation_split EarlyStopping ModelCheckpoint ReduceLROnPlateau Bidirectional return_sequences return_state input_dim
input_shape verbose fit compile predict evaluate lr learning_rate weight_decay momentum nesterov shuffle callbacks
Sequential Model Input Flatten Dense units activation kernel_initializer kernel_regularizer l1 l2 l1_l2 clipnorm clipvalue
to_categorical softmax from_logits sparse_categorical_crossentropy DataLoader nn.Module forward backward zero_grad
optimizer.step no_grad eval train nn.Linear nn.Conv2d CrossEntropyLoss BCEWithLogitsLoss state_dict load_state_dict
torch.save torch.load .to(device) cuda tensorboard TimeDistributed Masking Lambda Concatenate Add Multiply Average
GlobalAveragePooling2D Conv3D Conv2DTranspose DepthwiseConv2D SeparableConv2D MaxPooling2D UpSampling2D ZeroPadding2D
Cropping2D Permute RepeatVector Embedding LSTM GRU SimpleRNN ConvLSTM2D LSTMCell SpatialDropout2D GaussianNoise
GaussianDropout AlphaDropout ActivityRegularization BatchNormalization LayerNormalization UnitNormalization Attention
MultiHeadAttention AdditiveAttention ThresholdedReLU Normalization Rescaling Resizing CenterCrop RandomZoom
TextVectorization StringLookup Hashing Discretization EinsumDense SGD AdamW Ftrl Adafactor Lamb RAdam
MSE MAE huber_loss CTC NLLLoss GaussianNLLLoss MarginRankingLoss TruePositives FBetaScore MeanIoU ConfusionMatrix
train_test_split StandardScaler MinMaxScaler OneHotEncoder LabelEncoder Pipeline GridSearchCV cross_val_score
hidden_layer_sizes max_iter early_stopping alpha solver random_state MLPClassifier MLPRegressor tol n_iter_no_change
learning_rate_init validation_fraction warm_start power_t accuracy_score classification_report confusion_matrix
ColumnTransformer RobustScaler PCA LogisticRegression LinearRegression RandomForestClassifier r2_score roc_auc_score
steps_per_epoch validation_data validation_steps initial_epoch class_weight sample_weight weighted_metrics loss_weights
keras tf torch sklearn numpy pandas import from def class self super return for while range print
model.fit model.predict model.save model.train() model.parameters() get_weights set_weights get_layer get_config
trainable trainable_weights build count_params nn.ReLU nn.ModuleList nn.Transformer nn.Unfold nn.init.xavier_uniform_
F.mse_loss torch.cat torch.stack torch.tensor torch.cuda.is_available() super().__init__() loss.item() detach
unsqueeze view permute random_split TensorDataset num_workers pin_memory drop_last collate_fn Compose MNIST CIFAR10 imdb
StepLR ExponentialLR CyclicLR OneCycleLR get_linear_schedule_with_warmup monitor min_delta restore_best_weights mode
min_lr cooldown TerminateOnNaN BackupAndRestore SwapEMAWeights data_format channels_last kernel_constraint NonNeg
noise_shape mask_zero input_length stateful unroll recurrent_dropout merge_mode num_heads key_dim VarianceScaling
beta_1 epsilon amsgrad use_ema jit_compile run_eagerly image_dataset_from_directory pad_sequences Tokenizer
prefetch cache map GradientTape tf.function train_step custom_objects K.mean tf.reduce_mean matmul tf.stop_gradient
freeze fine-tuning transfer_learning pretrained include_top VGG16 ResNet50 BERT encoder autoencoder VAE diffusion U-Net
MLP CNN perceptron neuron label features X_train y_train epoch iteration loss_fn device gpu tpu float16 float64
mixed_precision amp GradScaler DataParallel torch.compile onnx jit quantization lightning Trainer training_step
configure_optimizers wandb from_pretrained TrainingArguments num_train_epochs gradient clip_by_norm jax.grad vmap optax
imbalance SMOTE stratify KFold GroupKFold TimeSeriesSplit LeaveOneOut overfitting regularization standardization
dropout_rate hidden_size num_layers batch_first num_embeddings embedding_dim out_features inplace track_running_stats
weights
";

#[test]
fn words_of_the_guides_have_an_answer_of_their_own() {
    let place = Place::new();
    for word in WORDS.split_whitespace() {
        let ran = place.nnc(&["explain", word]);
        assert_eq!(ran.code, 0, "{word}: {}", ran.err);
        assert!(!ran.out.starts_with("There is no"), "{word}: {}", ran.out);
        // What it is here, and how it is written.
        assert!(ran.out.lines().count() > 2, "{word}: {}", ran.out);
    }
}

/// Tables, arrays and networks around a line of the answers: a place where it may stand.
const PLACES: &[&str] = &[
    "LINE\ndata { 0 1 2 3 -> 1; 1 0 3 1 -> 0 }\ndense 16 relu\ndense 1 sigmoid\nloss mse\noptimizer adam\n",
    "data { 0 1 2 3 -> 1; 1 0 3 1 -> 0 }\nbase = dense 4 relu\nLINE\ndense 1 sigmoid\nloss mse\noptimizer adam\n",
    "data { 0 1 2 3 -> 1; 1 0 3 1 -> 0 }\nh = dense 4 relu\ndense 1 sigmoid\nloss mse\nLINE\noptimizer adam\n",
    "data { 0 1 2 3 -> 1; 1 0 3 1 -> 0 }\nh = dense 4 relu\ndense 1 sigmoid\nLINE\noptimizer adam\n",
    "data { 0 1 2 3 -> 1; 1 0 3 1 -> 0 }\ndense 1 sigmoid\nloss mse\nLINE\n",
    "data \"f.csv\" { input a; weight w; target y }\ndense 1 sigmoid\nloss mse\noptimizer adam\nLINE\n",
    "LINE\ndense 1\nloss mse\noptimizer adam\n",
    "LINE\ndense 3 softmax\nloss crossentropy\noptimizer adam\n",
    "LINE\nflatten\ndense 1\nloss mse\noptimizer adam\n",
    "LINE\nembed 4\nflatten\ndense 3 softmax\nloss crossentropy\noptimizer adam\n",
    "LINE\nembed 4\nflatten\ndense 27 softmax\nloss crossentropy\noptimizer adam\n",
    "LINE\ndense 2\nloss = mse(output, input)\noptimizer adam\n",
    "data \"f.csv\" { input a w; target kind }\nsplit valid=20%\ndense 2 softmax\nLINE\noptimizer adam\n",
    "data \"f.csv\" { input a w; target kind }\nsplit valid=20%\nLINE\nloss crossentropy\noptimizer adam\n",
    "data \"f.csv\"\nLINE\ndense 1\nloss mse\noptimizer adam\n",
    "data \"f.csv\"\nsplit valid=20%\ndense 1\nloss mse\noptimizer adam\nLINE\n",
    "data moons 100\nLINE\nloss binary_crossentropy\noptimizer adam\n",
    "data npy \"x.npy\" -> \"y.npy\"\nLINE\nflatten\ndense 1\nloss mse\noptimizer adam\n",
    "data npy \"x.npy\" -> \"y.npy\"\nx = conv 8 3x3 same relu\nLINE\nflatten\ndense 1\nloss mse\noptimizer adam\n",
    "data npy \"s.npy\" -> \"y.npy\"\nLINE\nflatten\ndense 1\nloss mse\noptimizer adam\n",
    "data npy \"s.npy\" -> \"y.npy\"\nLINE\nglobal_avgpool\ndense 1\nloss mse\noptimizer adam\n",
    "data npz \"c.npz\" { input x category; target y }\nLINE\nflatten\ndense 1\nloss mse\noptimizer adam\n",
    "data npy \"x.npy\" -> \"y.npy\"\nflatten\nmu = it -> dense 2\nlogvar = it -> dense 2\nLINE\ndense 1\nloss mse\noptimizer adam\n",
    "data npy \"x.npy\" -> \"y.npy\"\nflatten\nh, c = it -> reshape 64x1 -> lstm 64 states\nLINE\nflatten\ndense 1\nloss mse\noptimizer adam\n",
    "LINE\nembed 4\nlstm 4 sequence\ndense 28 softmax\nloss crossentropy\noptimizer adam\n",
    "data npy \"p.npy\" -> \"y.npy\"\nLINE\nflatten\ndense 1\nloss mse\noptimizer adam\n",
    "data npy \"s.npy\" -> \"y.npy\"\nh, c = input -> lstm 64 states\nLINE\nflatten\ndense 1\nloss mse\noptimizer adam\n",
    "data \"f.csv\" { input a w; target kind }\ndense 2 softmax\nloss crossentropy\nLINE\noptimizer adam\n",
    "data npy \"s.npy\" -> \"t.npy\"\nlstm 8 sequence\ndense 5 softmax\nLINE\noptimizer adam\n",
    "data npy \"s.npy\" -> \"t.npy\"\nlstm 8 sequence\ndense 5 softmax\nloss ctc\nLINE\noptimizer adam\n",
    "LINE\ndense 2 tanh\ndense 11\nloss = mse(output, input)\noptimizer adam\n",
    "data { 1 2 3 4 -> 1; 2 1 4 2 -> 0 }\nLINE\nshift = input + noise\nshift -> dense 1\nloss mse\noptimizer adam\n",
    "data { 1 2 3 4 -> 1; 2 1 4 2 -> 0 }\nnoise = random_normal(shape(input))\ninput + noise -> dense 4\nLINE\noptimizer adam\n",
];

/// An array of small whole numbers in doubles.
fn npy(place: &Place, name: &str, shape: &[usize], integers: bool) {
    let dims: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let dims = if dims.len() == 1 { format!("{},", dims[0]) } else { dims.join(", ") };
    let kind = if integers { "<i8" } else { "<f8" };
    let mut head = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({dims}), }}");
    while (head.len() + 11) % 64 != 0 {
        head.push(' ');
    }
    head.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((head.len() as u16).to_le_bytes());
    bytes.extend(head.bytes());
    for i in 0..shape.iter().product::<usize>() {
        let x = (i * 7 % 5) as i64;
        bytes.extend(if integers { x.to_le_bytes() } else { (x as f64).to_le_bytes() });
    }
    std::fs::write(place.path(name), bytes).unwrap();
}

/// Files by the names that the lines have.
fn files(place: &Place) {
    let row = |i: usize| {
        let (kind, colour) = (["x", "z"][i % 2], ["red", "blue"][i / 2 % 2]);
        format!(
            "{},{},{},{},{},{kind},{colour},{},{}\n",
            i + 1,
            i % 7,
            i * 5 % 11,
            i % 3 + 1,
            i % 9,
            i % 4,
            i % 2
        )
    };
    let rows: String = (0..20).map(row).collect();
    for name in ["f.csv", "valid.csv", "test.csv"] {
        place.write(name, &format!("id,a,b,w,age,kind,colour,patient,y\n{rows}"));
    }
    place.write("f.txt", &"the quick brown fox jumps over the lazy dog and runs away. ".repeat(20));
    place.write("blocks.nn", "layer block(units: int) of x { dense units relu }\n");
    npy(place, "x.npy", &[20, 8, 8, 1], false);
    npy(place, "p.npy", &[20, 784], false);
    npy(place, "s.npy", &[20, 6, 4], false);
    npy(place, "y.npy", &[20, 1], false);
    npy(place, "t.npy", &[20, 2], true);
}

/// What stands for files that this test does not make, and for what is told of classes and places by number.
fn known(line: &str) -> String {
    line.replace(
        "data idx \"train-images-idx3-ubyte\" -> \"train-labels-idx1-ubyte\"",
        "data npy \"x.npy\" -> \"y.npy\"",
    )
    .replace("window=24 horizon=1 { input v; target v }", "window=3 horizon=1 { input a; target a }")
    .replace("{ input price", "{ input w")
    .replace("input price", "input w")
}

#[test]
fn the_lines_of_the_answers_are_right_where_they_belong() {
    let place = Place::new();
    files(&place);
    let mut wrong = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for line in habits::all().flat_map(|h| h.written(&[])) {
        if !seen.insert(line.clone()) {
            continue;
        }
        if let Some(command) = line.strip_prefix("nnc ") {
            // A command that clap does not understand fails before it shows its help.
            let words: Vec<&str> = command.split(' ').collect();
            let ran = match words[..] {
                ["explain", ..] => place.nnc(&words),
                _ => place.nnc(&[&words[..], &["--help"]].concat()),
            };
            if ran.code != 0 {
                wrong.push(format!("{line}\n{}", ran.err));
            }
            continue;
        }
        // No pictures and no archive are made here.
        if ["data images", "mask_zero", "lstm 64 mask=", "input left"].iter().any(|w| line.contains(w)) {
            continue;
        }
        let stands = PLACES.iter().any(|around| {
            place.write("net.nn", &around.replace("LINE", &known(&line)));
            place.nnc(&["check", "net.nn"]).code == 0
        });
        if !stands {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{} lines are wrong wherever they stand:\n{}", wrong.len(), wrong.join("\n"));
}
