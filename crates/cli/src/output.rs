//! The two streams: stdout is the result, stderr is the conversation.

use crate::failure::Result;
use crate::render::Renderer;
use nnc_syntax::{Diagnostic, Severity, SourceMap};
use nnc_train::Style;
use std::io::{IsTerminal, Write, stderr, stdout};

/// Columns of stdout where it does not say how many it has.
const WIDTH: usize = 88;

/// The columns of stdout.
pub fn width() -> usize {
    terminal_size::terminal_size_of(stdout()).map_or(WIDTH, |(w, _)| usize::from(w.0).max(40))
}

/// Both streams, and how to draw on them.
#[derive(Debug)]
pub struct Output {
    quiet: bool,
    live: bool,
    renderer: Renderer,
    shown: Vec<Diagnostic>,
}

impl Output {
    /// The streams of this process; `quiet` leaves only the result and what is wrong.
    pub fn new(quiet: bool) -> Self {
        let terminal = stderr().is_terminal();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            quiet,
            live: terminal && !dumb,
            renderer: Renderer::for_stderr(terminal, dumb),
            shown: Vec::new(),
        }
    }

    /// How to draw on stdout: colours only on a terminal, and not where `NO_COLOR` forbids them.
    pub fn style() -> Style {
        let out = stdout();
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let terminal = out.is_terminal() && !dumb;
        let forbidden = std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        let width = terminal_size::terminal_size_of(out).map(|(w, _)| usize::from(w.0));
        Style {
            width: width.or_else(columns_of_environment).unwrap_or(Style::default().width),
            colour: terminal && !forbidden,
            unicode: !terminal || supports_unicode::on(supports_unicode::Stream::Stdout),
        }
    }

    /// Whether a line on stderr can be written over.
    pub fn live(&self) -> bool {
        self.live && !self.quiet
    }

    /// Whether stderr shows more than ASCII.
    pub fn unicode(&self) -> bool {
        supports_unicode::on(supports_unicode::Stream::Stderr)
    }

    /// Writes a line of a result that has many; [`Output::flush`] makes it readable for others.
    pub fn line(&mut self, text: &str) -> Result<()> {
        Ok(writeln!(stdout().lock(), "{text}")?)
    }

    /// Makes readable what was written so far.
    pub fn flush(&mut self) -> Result<()> {
        Ok(stdout().lock().flush()?)
    }

    /// Writes a result.
    pub fn result(&mut self, text: &str) -> Result<()> {
        Self::write(text)
    }

    /// Writes a result, where the conversation goes on meanwhile.
    pub fn write(text: &str) -> Result<()> {
        let mut out = stdout().lock();
        out.write_all(text.as_bytes())?;
        Ok(out.flush()?)
    }

    /// Writes one JSON object, and nothing else.
    pub fn json(&mut self, value: &serde_json::Value) -> Result<()> {
        self.result(&format!("{value}\n"))
    }

    /// Says a line, unless quiet.
    pub fn note(&mut self, line: &str) {
        if !self.quiet {
            self.say(line);
        }
    }

    /// Says a line. A conversation that nobody hears is no mistake.
    pub fn say(&mut self, line: &str) {
        let _ = stderr().lock().write_all(format!("{line}\n").as_bytes());
    }

    /// Writes over the present line of a terminal.
    pub fn over(&mut self, line: &str) {
        let mut err = stderr().lock();
        let _ = err.write_all(format!("\r{line}\x1b[K").as_bytes());
        let _ = err.flush();
    }

    /// Shows diagnostics, each once; notes are left out when quiet.
    pub fn diagnostics(&mut self, list: &[Diagnostic], sources: &SourceMap) {
        for d in list {
            if self.shown.contains(d) || (self.quiet && d.severity == Severity::Note) {
                continue;
            }
            let text = self.renderer.render(d, sources);
            self.say(&text);
            self.shown.push(d.clone());
        }
    }

    /// Says how many mistakes there are, and what follows.
    pub fn count(&mut self, list: &[Diagnostic], tail: &str) {
        let errors = list.iter().filter(|d| d.is_error()).count();
        let count = if errors == 1 { "1 mistake".to_string() } else { format!("{errors} mistakes") };
        match tail {
            "" if errors < 2 => {}
            "" => self.say(&count),
            tail => self.say(&format!("{count}; {tail}")),
        }
    }
}

/// `COLUMNS`, as shells and tests set it.
fn columns_of_environment() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}
