//! Text from a trained model of characters or bytes, one after the other.
//!
//! The network predicts at every place of its window what follows there. A text shorter than the window stands
//! at its beginning, and what follows it is read at its last place; a longer one is cut to its end. What stands
//! behind the text in the window must not matter, which is tried before anything is written.

use crate::binding::encode::fault_problem;
use crate::execute::runner::{Planner, Runner, inference};
use crate::infer::inference::Trained;
use crate::memory;
use crate::problem::{Outcome, Problem, ProblemKind};
use nnc_backend::{Slice, State};
use nnc_data::{ColumnKind, PortId};
use nnc_graph::OutputKind;
use nnc_graph::random::{Key, site};
use nnc_syntax::{Code, Diagnostic};

/// What to write.
#[derive(Clone, Debug)]
pub struct GenerateOptions {
    /// How the text begins.
    pub prompt: String,
    /// How many characters (or bytes) follow.
    pub length: usize,
    /// How daring the choice is: 1 chooses by the predicted probabilities, less makes the likely likelier, and 0
    /// always takes the likeliest.
    pub temperature: f64,
    /// Chooses among so many of the likeliest only.
    pub top_k: Option<usize>,
    /// The key of the choices: the same text for the same seed.
    pub seed: u64,
    /// Threads; 0 takes as many as the machine has.
    pub threads: usize,
    /// Bytes that may be taken; four fifths of the machine's memory where not given.
    pub memory_limit: Option<u64>,
}

impl Default for GenerateOptions {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            length: 300,
            temperature: 1.0,
            top_k: None,
            seed: 0,
            threads: 0,
            memory_limit: None,
        }
    }
}

/// The code of a model that cannot write.
const NO_WRITER: Code = Code::N0607;

fn refused(message: impl Into<String>, help: impl Into<String>) -> Box<Problem> {
    Problem::new(ProblemKind::Data, Diagnostic::error(NO_WRITER, message.into()).help(help.into()))
}

/// Writes text piece by piece, the prompt first, until the length is reached or `write` gives false.
///
/// # Errors
/// The model is none of text, sees what it should predict, or never saw a character of the prompt.
pub fn generate(
    model: &Trained,
    options: &GenerateOptions,
    write: &mut dyn FnMut(&str) -> bool,
) -> Outcome<()> {
    let text = Text::of(model)?;
    let mut codes = text.encode(&options.prompt)?;
    if !options.prompt.is_empty() && !write(&options.prompt) {
        return Ok(());
    }
    if codes.is_empty() {
        // Something has to stand at the beginning: a new line, where the model knows it.
        codes = text.encode("\n").unwrap_or_else(|_| vec![0]);
    }
    write_on(&text, options, codes, write)
}

/// A model of text.
struct Text<'a> {
    model: &'a Trained,
    input: &'a str,
    output: &'a str,
    window: usize,
    classes: usize,
    /// Whether the output is probabilities rather than their logarithms up to a constant.
    probabilities: bool,
    /// Whether a class is a byte.
    bytes: bool,
}

impl<'a> Text<'a> {
    fn of(model: &'a Trained) -> Outcome<Self> {
        let help = "a model of text is trained on: data text \"some.txt\" window=100";
        let [input] = &model.ports.inputs[..] else {
            return Err(refused("this model reads several inputs, and no text", help));
        };
        let column = model.stats.schema.columns.iter().find(|c| c.role == nnc_data::Role::Input);
        let kind = column.map(|c| c.kind);
        let (Some(ColumnKind::Characters | ColumnKind::Bytes), Some(names), [window]) =
            (kind, &input.classes, &input.shape[..])
        else {
            return Err(refused(format!("this model reads {}, which is no text", input.about), help));
        };
        let fits = |shape: &[usize]| shape == [*window, names.len()];
        let help = format!(
            "its last layer gives {} probabilities at each of {window} places: dense input.classes softmax",
            names.len()
        );
        let [output] = &model.model.outputs[..] else {
            return Err(refused("this model has several outputs", help));
        };
        if !fits(&output.shape) {
            let message = format!(
                "this model's output {:?} is no prediction of the next of {} characters",
                output.shape,
                names.len()
            );
            return Err(refused(message, help));
        }
        Ok(Self {
            model,
            input: &input.name,
            output: &output.name,
            window: *window,
            classes: names.len(),
            probabilities: output.probabilities,
            bytes: kind == Some(ColumnKind::Bytes),
        })
    }

    fn encode(&self, text: &str) -> Outcome<Vec<u32>> {
        self.model.stats.encode_text(PortId::Input(0), text).map_err(|f| fault_problem(&f))
    }

    /// As much of the codes as is whole characters; what is not stays for later.
    fn decode(&self, codes: &mut Vec<u32>, end: bool) -> String {
        let mut keep = 0;
        if self.bytes && !end {
            let bytes: Vec<u8> = codes.iter().map(|&c| c as u8).collect();
            if let Err(e) = std::str::from_utf8(&bytes)
                && e.error_len().is_none()
            {
                keep = bytes.len() - e.valid_up_to();
            }
        }
        let rest = codes.split_off(codes.len() - keep);
        let whole = std::mem::replace(codes, rest);
        self.model.stats.decode_text(PortId::Input(0), &whole).unwrap_or_default()
    }
}

/// A model of text with its memory.
struct Writer<'a> {
    text: &'a Text<'a>,
    runner: Runner,
    state: Box<dyn State>,
}

impl Writer<'_> {
    /// The logarithms of the probabilities of what follows, up to a constant; `behind` stands behind the text.
    fn scores(&mut self, codes: &[u32], behind: u32) -> Outcome<Vec<f64>> {
        let text = self.text;
        let seen = &codes[codes.len().saturating_sub(text.window)..];
        let values = seen.iter().copied().chain(std::iter::repeat(behind));
        if let Some(mut input) = self.runner.input_mut(text.input) {
            input.write(values.map(f64::from));
        }
        self.runner.run(&mut *self.state, 0, 0)?;
        let place = (seen.len() - 1) * text.classes;
        let all = self.runner.output(OutputKind::Prediction, text.output);
        let row = all.map(|all| all.part(place..place + text.classes)).into_iter().flat_map(Slice::iter);
        let scores: Vec<f64> = row.map(|x| if text.probabilities { x.max(0.0).ln() } else { x }).collect();
        if scores.iter().any(|s| s.is_nan()) || !scores.iter().any(|s| s.is_finite()) {
            let d = Diagnostic::error(NO_WRITER, "the model's predictions are no numbers");
            let d = d.help("its weights may have run away; train it again, with a smaller learning rate");
            return Err(Problem::new(ProblemKind::Data, d));
        }
        Ok(scores)
    }
}

fn write_on(
    text: &Text<'_>,
    options: &GenerateOptions,
    mut codes: Vec<u32>,
    write: &mut dyn FnMut(&str) -> bool,
) -> Outcome<()> {
    let model = text.model;
    let layout = inference(&model.model, options.threads)?;
    let limit = memory::limit(options.memory_limit);
    let mut planner = Planner::new(&*layout, limit);
    let plan = planner.plan(&model.model.eval, 1)?;
    planner.need.add("weights", layout.bytes());
    planner.need.check(limit)?;
    let state = model.state(&*layout)?;
    let runner = Runner::new(plan, &model.ports, &model.model)?;
    let mut writer = Writer { text, runner, state };
    if codes.len() < text.window && text.classes > 1 && options.length > 0 {
        let last = text.classes as u32 - 1;
        if writer.scores(&codes, 0)? != writer.scores(&codes, last)? {
            return Err(refused(
                "this model looks at what comes after a place to predict it, so it cannot write on",
                "recurrent layers without `both` or `backwards`, `attention … causal`, and `conv … causal` see \
                 the past alone",
            ));
        }
    }
    let mut pending = Vec::new();
    for number in 0..options.length {
        let scores = writer.scores(&codes, 0)?;
        let key = Key::new(options.seed, number as u64, site("generate"));
        let next = choose(&scores, options, key.uniform(0));
        codes.push(next);
        if codes.len() > 2 * text.window {
            codes.drain(..codes.len() - text.window);
        }
        pending.push(next);
        let piece = text.decode(&mut pending, number + 1 == options.length);
        if !piece.is_empty() && !write(&piece) {
            return Ok(());
        }
    }
    Ok(())
}

/// Chooses a class: `uniform` is a number in [0, 1).
fn choose(scores: &[f64], options: &GenerateOptions, uniform: f64) -> u32 {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // The likeliest first; of equals the first.
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let most = options.top_k.unwrap_or(usize::MAX).clamp(1, order.len().max(1));
    order.truncate(if options.temperature > 0.0 { most } else { 1 });
    let top = order.first().map_or(0.0, |&i| scores[i]);
    let shares: Vec<f64> = order
        .iter()
        .map(|&i| ((scores[i] - top) / options.temperature.max(f64::MIN_POSITIVE)).exp())
        .collect();
    let mut left = uniform * shares.iter().sum::<f64>();
    for (&class, share) in order.iter().zip(&shares) {
        left -= share;
        if left < 0.0 {
            return class as u32;
        }
    }
    order.first().copied().unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(scores: &[f64], temperature: f64, top_k: Option<usize>) -> Vec<usize> {
        let options = GenerateOptions { temperature, top_k, ..GenerateOptions::default() };
        let mut counts = vec![0; scores.len()];
        for i in 0..1000 {
            counts[choose(scores, &options, f64::from(i) / 1000.0) as usize] += 1;
        }
        counts
    }

    #[test]
    fn choices_follow_the_probabilities() {
        let scores = [0.2f64.ln(), 0.5f64.ln(), 0.3f64.ln(), f64::NEG_INFINITY];
        let near =
            |counts: Vec<usize>, want: [usize; 4]| counts.iter().zip(want).all(|(c, w)| c.abs_diff(w) <= 1);
        assert!(near(chosen(&scores, 1.0, None), [200, 500, 300, 0]));
        assert!(near(chosen(&scores, 0.0, None), [0, 1000, 0, 0]));
        assert!(near(chosen(&scores, 1.0, Some(2)), [0, 625, 375, 0]));
        // Squares of the probabilities.
        assert!(near(chosen(&scores, 0.5, None), [105, 658, 237, 0]));
        assert!(near(chosen(&scores, 1e-300, Some(9)), [0, 1000, 0, 0]));
        assert!(near(chosen(&[1.0, 1.0, 1.0, 1.0], 1.0, Some(1)), [1000, 0, 0, 0]));
    }
}
