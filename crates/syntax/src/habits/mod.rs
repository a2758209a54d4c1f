//! Words of other libraries for which there is no one word here, with what to write instead: the one table for `nnc
//! explain`, for a word that begins a line, and for `--set`.

mod data;
mod elsewhere;
mod network;
mod training;

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

/// The tables, one after the other.
const TABLES: [&[Habit]; 4] = [data::HABITS, network::HABITS, training::HABITS, elsewhere::HABITS];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Habit> {
    TABLES.into_iter().flatten()
}

/// The entry of a word, if there is one: as it is written, else in any capitals; of `nn.Linear`, what stands behind
/// the last point is asked for where the whole is unknown.
pub fn find(word: &str) -> Option<&'static Habit> {
    let word = bare(word).replace(['-', ' '], "_");
    let same = |n: &str, w: &str| n.replace('-', "_").eq_ignore_ascii_case(w);
    let exact = |w: &str| all().find(|h| h.names.contains(&w));
    let lower = |w: &str| all().find(|h| h.names.iter().any(|n| same(n, w)));
    let last = word.rsplit('.').next().unwrap_or(&word);
    exact(&word).or_else(|| lower(&word)).or_else(|| exact(last)).or_else(|| lower(last))
}

/// The name in `.to(device)`, `super().__init__`, `kaiming_normal_`, `@tf.function`.
pub fn bare(word: &str) -> &str {
    let word = word.trim_matches(['.', '@', ',', ';', ':', '"', '\'', ' ']);
    let word = word.split('(').next().unwrap_or(word);
    match word.strip_suffix('_').filter(|w| !w.ends_with('_') && !w.is_empty()) {
        Some(plain) if all().all(|h| !h.names.contains(&word)) => plain,
        _ => word,
    }
}

impl Habit {
    /// The lines to write, with the arguments that stand there: under their names, or as the first without one.
    pub fn written(&self, arguments: &[(Option<&str>, &str)]) -> Vec<String> {
        let list = arguments.iter().find(|(key, _)| key.is_none()).and_then(|(_, value)| items(value));
        let one = |line: &&'static str| match (&list, line.contains("{value|")) {
            // `hidden_layers = [16, 8]`: a line each.
            (Some(items), true) => items.iter().map(|item| filled(line, &[(None, item)])).collect(),
            _ => vec![filled(line, arguments)],
        };
        self.lines.iter().flat_map(one).collect()
    }
}

/// The items of `[16, 8]` or `(16, 8)`, a few of them.
fn items(list: &str) -> Option<Vec<&str>> {
    let inner = list.trim().strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
    let items: Vec<&str> = inner.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    (1..=8).contains(&items.len()).then_some(items)
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
