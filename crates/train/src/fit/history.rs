//! The figures of every epoch.

use crate::execute::metrics::Metrics;

/// A row of figures for every epoch.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    names: Vec<String>,
    values: Vec<f64>,
}

impl History {
    /// `loss`, the metrics, and both once more for the validation part.
    pub(crate) fn new(metrics: &[String], valid: bool) -> Self {
        let own: Vec<String> = std::iter::once("loss".to_string()).chain(metrics.iter().cloned()).collect();
        let mut names = own.clone();
        if valid {
            names.extend(own.iter().map(|n| format!("val_{n}")));
        }
        Self { names, values: Vec::new() }
    }

    /// Takes over the rows of a run that goes on, but for those after an epoch.
    pub(crate) fn restore(&mut self, mut values: Vec<f64>, epochs: u64) {
        values.truncate((epochs as usize).saturating_mul(self.names.len()));
        self.values = values;
    }

    /// All figures, row after row.
    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn push(&mut self, row: &[f64]) {
        self.values.extend_from_slice(row);
    }

    /// The number of epochs.
    pub(crate) fn len(&self) -> usize {
        self.values.len() / self.names.len().max(1)
    }

    /// The figures of an epoch, from 1.
    pub(crate) fn row(&self, epoch: u64) -> &[f64] {
        let width = self.names.len();
        let at = (epoch as usize).saturating_sub(1).saturating_mul(width);
        self.values.get(at..at.saturating_add(width)).unwrap_or_default()
    }

    /// Loss and metrics of an epoch.
    pub(crate) fn figures(&self, epoch: u64, metrics: &[String]) -> Metrics {
        let row = self.row(epoch);
        let metrics = metrics.iter().cloned().zip(row.iter().skip(1).copied());
        Metrics {
            loss: row.first().copied().unwrap_or(f64::NAN),
            metrics: metrics.collect(),
            ..Metrics::default()
        }
    }

    /// The table as text; every number is the shortest that reads back exactly. Where a training has stages, `begins`
    /// says after which epochs the later ones began, and every row says of which it is.
    pub(crate) fn csv(&self, begins: Option<&[u64]>) -> String {
        use std::fmt::Write;
        let stage = if begins.is_some() { "stage," } else { "" };
        let mut out = format!("epoch,{stage}{}\n", self.names.join(","));
        for (i, row) in self.values.chunks(self.names.len().max(1)).enumerate() {
            let _ = write!(out, "{}", i + 1);
            if let Some(begins) = begins {
                let _ = write!(out, ",{}", 1 + begins.iter().filter(|&&after| after <= i as u64).count());
            }
            for x in row {
                let _ = write!(out, ",{}", number(*x));
            }
            out.push('\n');
        }
        out
    }
}

/// A number in the shortest form that reads back exactly.
pub(crate) fn number(x: f64) -> String {
    let text = format!("{x:?}");
    match text.strip_suffix(".0") {
        Some(whole) => whole.to_string(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_exactly() {
        for x in [0.1, 1.0, -0.0, 1e-300, 5e-324, f64::MAX, 1.0 / 3.0, 0.234_241_297_022_120_13] {
            assert_eq!(number(x).parse::<f64>().map(f64::to_bits), Ok(x.to_bits()), "{x}");
        }
        assert_eq!(number(0.75), "0.75");
        assert_eq!(number(1.0), "1");
        assert_eq!(number(1e-7), "1e-7");
    }

    #[test]
    fn a_history_is_a_table() {
        let mut history = History::new(&["acc".to_string()], true);
        history.push(&[0.5, 1.0, 0.25, 0.75]);
        history.push(&[0.1, 1.0, 0.2, 0.5]);
        assert_eq!(
            history.csv(None),
            "epoch,loss,acc,val_loss,val_acc\n1,0.5,1,0.25,0.75\n2,0.1,1,0.2,0.5\n"
        );
        let staged = "epoch,stage,loss,acc,val_loss,val_acc\n1,1,0.5,1,0.25,0.75\n2,2,0.1,1,0.2,0.5\n";
        assert_eq!(history.csv(Some(&[1])), staged);
        assert_eq!(history.len(), 2);
        assert_eq!(history.row(2), [0.1, 1.0, 0.2, 0.5]);
        assert!(history.row(3).is_empty());
        assert_eq!(history.figures(1, &["acc".to_string()]).metrics, [("acc".to_string(), 1.0)]);
    }
}
