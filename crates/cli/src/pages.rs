//! The pages of `nnc explain`: diagnostics and statements, from the same files that are read in the repository.

use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// The diagnostics, by the group of their codes.
const CODES: [&str; 7] = [
    include_str!("../docs/codes/N01.md"),
    include_str!("../docs/codes/N02.md"),
    include_str!("../docs/codes/N03.md"),
    include_str!("../docs/codes/N04.md"),
    include_str!("../docs/codes/N05.md"),
    include_str!("../docs/codes/N06.md"),
    include_str!("../docs/codes/N07.md"),
];
/// The statements.
const STATEMENTS: &str = include_str!("../docs/statements.md");

/// A heading of a file and what stands below it.
#[derive(Clone, Debug)]
pub struct Page {
    /// The code or the word.
    pub name: &'static str,
    /// The rest of the heading; empty where there is none.
    pub title: &'static str,
    text: &'static str,
}

fn pages(file: &'static str) -> impl Iterator<Item = Page> {
    file.split("\n## ").skip(1).map(|section| {
        let (head, text) = section.split_once('\n').unwrap_or((section, ""));
        let (name, title) = head.split_once(": ").unwrap_or((head, ""));
        Page { name, title, text }
    })
}

/// The page of a code; letters may be small.
pub fn code(code: &str) -> Option<Page> {
    CODES.iter().copied().flat_map(pages).find(|p| p.name.eq_ignore_ascii_case(code))
}

/// The groups of codes with their pages: `names and arguments`, N0201, ….
pub fn codes() -> Vec<(&'static str, Vec<Page>)> {
    let title = |file: &'static str| {
        let head = file.lines().next().unwrap_or("").trim_start_matches("# ");
        head.split_once(": ").map_or(head, |(_, title)| title)
    };
    CODES.iter().map(|file| (title(file), pages(file).collect())).collect()
}

/// The page of a statement.
pub fn statement(word: &str) -> Option<Page> {
    statements().find(|p| p.name == word)
}

/// All statements.
pub fn statements() -> impl Iterator<Item = Page> {
    pages(STATEMENTS)
}

impl Page {
    /// The page as it stands in the file.
    #[cfg(feature = "lsp")]
    pub fn markdown(&self) -> String {
        let title = if self.title.is_empty() { String::new() } else { format!(": {}", self.title) };
        format!("**{}**{title}\n\n{}", self.name, self.text.trim())
    }

    /// The page as a terminal shows it.
    pub fn show(&self, width: usize) -> String {
        let mut out = match self.title {
            "" => format!("{}\n", self.name),
            title => format!("{}: {title}\n", self.name),
        };
        let mut paragraph = String::new();
        let mut code: Option<bool> = None;
        for line in self.text.lines() {
            match (code, line.strip_prefix("```")) {
                (None, Some(info)) => {
                    flush(&mut out, &mut paragraph, width);
                    out.push_str(&heading(info, self.text));
                    code = Some(true);
                }
                (Some(_), Some(_)) => code = None,
                (Some(_), None) => {
                    let _ = writeln!(out, "{}", format!("    {line}").trim_end());
                }
                (None, None) if line.trim().is_empty() => flush(&mut out, &mut paragraph, width),
                (None, None) => {
                    if !paragraph.is_empty() {
                        paragraph.push(' ');
                    }
                    paragraph.push_str(line.trim());
                }
            }
        }
        flush(&mut out, &mut paragraph, width);
        out
    }
}

/// What stands above a block of code: ```` ```nn wrong ````.
fn heading(info: &str, page: &str) -> String {
    let words: Vec<&str> = info.split(' ').collect();
    let file = words.iter().find(|w| w.contains('.'));
    let wrong = words.contains(&"wrong");
    let options: Vec<String> =
        words.iter().filter_map(|w| w.strip_prefix("as=").map(|n| format!(", with --as {n}"))).collect();
    let word = match (file, wrong, page.contains(" wrong")) {
        (Some(file), ..) => format!("{file}:"),
        (None, true, _) => format!("wrong{}:", options.concat()),
        (None, false, true) => format!("right{}:", options.concat()),
        (None, false, false) => return "\n".into(),
    };
    format!("\n  {word}\n\n")
}

fn flush(out: &mut String, paragraph: &mut String, width: usize) {
    if paragraph.is_empty() {
        return;
    }
    out.push('\n');
    out.push_str(&fill(paragraph, "", width));
    paragraph.clear();
}

/// A paragraph in lines of at most `width` columns, each after the same indent.
pub fn fill(text: &str, indent: &str, width: usize) -> String {
    let room = width.saturating_sub(indent.len()).max(20);
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > room {
            let _ = writeln!(out, "{indent}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(out, "{indent}{line}");
    out
}

/// A text for the terminal: paragraphs are filled, lines that begin with two spaces too, each on its own; code,
/// which begins with four, stays as it is, and so do rows of a table, where spaces keep columns apart.
pub fn reflow(text: &str, width: usize) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    for line in text.lines() {
        let aligned = line.trim().contains("  ");
        if line.starts_with("  ") || line.trim().is_empty() || aligned {
            if !paragraph.is_empty() {
                out.push_str(&fill(&paragraph, "", width));
                paragraph.clear();
            }
            match line.starts_with("    ") || aligned || line.trim().is_empty() {
                true => out.push_str(&format!("{line}\n")),
                false => {
                    let filled = fill(line, "    ", width);
                    out.push_str(&filled.replacen("    ", "  ", 1));
                }
            }
            continue;
        }
        let heading = paragraph.is_empty() && line.ends_with(':');
        if !paragraph.is_empty() {
            paragraph.push(' ');
        }
        paragraph.push_str(line);
        if heading {
            out.push_str(&fill(&paragraph, "", width));
            paragraph.clear();
        }
    }
    if !paragraph.is_empty() {
        out.push_str(&fill(&paragraph, "", width));
    }
    out
}
