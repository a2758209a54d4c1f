//! What every page has: its head, its style, sections with headings.

use crate::page::text::escape;
use crate::svg::STYLE;
use std::fmt::Write as _;

const PAGE_STYLE: &str = include_str!("../../assets/report.css");
const SCRIPT: &str = include_str!("../../assets/report.js");

/// A part of a page with a heading of its own.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    /// HTML.
    pub(crate) body: String,
}

/// The page: a heading, what it is in a line, and the sections that have something in them.
pub(crate) fn page(title: &str, about: &str, sections: &[Section]) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"nnc\">\n<title>{0}</title>\n<style>\n{STYLE}{PAGE_STYLE}</style>\n</head>\n<body class=\"nnc\">\n\
         <header><h1>{0}</h1><p>{1}</p>\n<nav>",
        escape(title),
        escape(about)
    );
    let shown = || sections.iter().filter(|s| !s.body.is_empty());
    for section in shown() {
        let _ = write!(out, "<a href=\"#{}\">{}</a> ", section.id, escape(&section.title));
    }
    out.push_str("</nav></header>\n<main>\n");
    for section in shown() {
        let _ = write!(
            out,
            "<section id=\"{}\">\n<h2>{}</h2>\n{}</section>\n",
            section.id,
            escape(&section.title),
            section.body
        );
    }
    let _ = write!(out, "</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    out
}
