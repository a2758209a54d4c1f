//! Where a program has its samples from.

use crate::value::{Data, Made, Value, written};

/// Whether something is a loss: of Keras or PyTorch, a class or a function.
pub fn is_loss(made: &Made) -> bool {
    ours_of_loss(&made.name).is_some()
}

/// The loss here of one there, and the activation that it takes before itself there.
pub fn ours_of_loss(name: &str) -> Option<(&'static str, Option<&'static str>)> {
    Some(match name {
        "CrossEntropyLoss" | "cross_entropy" => ("crossentropy", Some("softmax")),
        "NLLLoss" | "nll_loss" => ("crossentropy", Some("log_softmax")),
        "BCEWithLogitsLoss" | "binary_cross_entropy_with_logits" => ("binary_crossentropy", Some("sigmoid")),
        "BCELoss" | "binary_cross_entropy" | "binary_crossentropy" | "BinaryCrossentropy" | "bce" => {
            ("binary_crossentropy", None)
        }
        "categorical_crossentropy"
        | "sparse_categorical_crossentropy"
        | "CategoricalCrossentropy"
        | "SparseCategoricalCrossentropy" => ("crossentropy", None),
        "mse" | "MSE" | "mean_squared_error" | "MeanSquaredError" | "MSELoss" | "mse_loss" => ("mse", None),
        "mae" | "MAE" | "mean_absolute_error" | "MeanAbsoluteError" | "L1Loss" | "l1_loss" => ("mae", None),
        "mape" | "MAPE" | "mean_absolute_percentage_error" | "MeanAbsolutePercentageError" => ("mape", None),
        "msle" | "MSLE" | "mean_squared_logarithmic_error" | "MeanSquaredLogarithmicError" => ("msle", None),
        "huber" | "Huber" | "HuberLoss" | "huber_loss" | "SmoothL1Loss" | "smooth_l1_loss" => ("huber", None),
        "log_cosh" | "logcosh" | "LogCosh" => ("log_cosh", None),
        "kl_divergence" | "kld" | "KLDivergence" => ("kl", None),
        "poisson" | "Poisson" => ("poisson", None),
        "hinge" | "Hinge" => ("hinge", None),
        "squared_hinge" | "SquaredHinge" => ("squared_hinge", None),
        "categorical_hinge" | "CategoricalHinge" => ("categorical_hinge", None),
        "cosine_similarity" | "CosineSimilarity" => ("cosine_similarity", None),
        "BinaryFocalCrossentropy" | "binary_focal_crossentropy" => ("binary_focal", None),
        "CategoricalFocalCrossentropy" | "categorical_focal_crossentropy" => ("focal", None),
        _ => return None,
    })
}

/// Samples that a call reads or makes.
pub fn source(made: &Made) -> Option<Data> {
    let file = || made.args.first().and_then(Value::text).map(str::to_string);
    let file = match made.name.as_str() {
        "read_csv" | "loadtxt" | "genfromtxt" | "read_excel" | "read_parquet" | "load" | "open" => file(),
        "load_data" => Some(format!("{}.load_data", made.path.rsplit('.').next().unwrap_or(""))),
        "MNIST" | "FashionMNIST" | "CIFAR10" | "CIFAR100" => {
            Some(format!("{}.load_data", made.name.to_lowercase()))
        }
        name if name.starts_with("load_") || name.starts_with("fetch_") || name.starts_with("make_") => {
            Some(format!("{name}.load_data"))
        }
        "random"
        | "rand"
        | "randn"
        | "randint"
        | "normal"
        | "uniform"
        | "zeros"
        | "ones"
        | "linspace"
        | "arange"
        | "image_dataset_from_directory"
        | "flow_from_directory"
        | "ImageFolder"
        | "random_sample" => None,
        _ => return None,
    };
    Some(Data { name: made.name.clone(), file, line: made.line })
}

/// A number, a row or rows, as cells.
fn cells(v: &Value) -> Option<Vec<String>> {
    match v {
        Value::Num(x) if x.is_finite() => Some(vec![written(*x)]),
        Value::Bool(b) => Some(vec![u8::from(*b).to_string()]),
        Value::List(all) => {
            let each: Option<Vec<Vec<String>>> = all.iter().map(cells).collect();
            each.map(|e| e.concat())
        }
        _ => None,
    }
}

/// Rows that stand in the program itself: inputs and targets.
pub fn rows(x: &Value, y: &Value) -> Option<Vec<String>> {
    let (Value::List(x), Value::List(y)) = (x, y) else { return None };
    if x.is_empty() || x.len() != y.len() {
        return None;
    }
    let row = |(a, b): (&Value, &Value)| Some(format!("{} -> {}", cells(a)?.join(" "), cells(b)?.join(" ")));
    x.iter().zip(y).map(row).collect()
}

/// The shape of a sample of rows in the program, where it has more than one axis.
pub fn rank(x: &Value) -> Option<Vec<i64>> {
    let Value::List(rows) = x else { return None };
    let mut shape = Vec::new();
    let mut now = rows.first()?;
    while let Value::List(inner) = now {
        shape.push(inner.len() as i64);
        now = inner.first()?;
    }
    (shape.len() > 1).then_some(shape)
}
