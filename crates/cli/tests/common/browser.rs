//! Pages in a headless browser.

use super::Place;
use std::path::Path;
use std::process::Command;

/// A browser that can be started, if there is one.
pub fn browser() -> Option<String> {
    let own = std::env::var("NNC_BROWSER").ok();
    let names = own.into_iter().chain(["chromium", "chromium-browser", "google-chrome"].map(String::from));
    names.into_iter().find(|n| Command::new(n).arg("--version").output().is_ok_and(|o| o.status.success()))
}

/// How to look at a page.
pub struct Look<'a> {
    /// Width and height of the window.
    pub size: (u32, u32),
    /// Whether the person likes it dark.
    pub dark: bool,
    /// Where the screenshot goes, instead of the elements to stdout.
    pub shot: Option<&'a Path>,
}

/// What the page says when it is loaded: its elements, and the console.
pub fn load(browser: &str, place: &Place, page: &Path, look: &Look<'_>) -> (String, String) {
    let size = format!("--window-size={},{}", look.size.0, look.size.1);
    let profile = format!("--user-data-dir={}", place.path("profile").display());
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.args(["--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=4000"]);
    command.args([&size, &profile]);
    if look.dark {
        command.arg("--blink-settings=preferredColorScheme=0");
    }
    match look.shot {
        Some(shot) => command.arg(format!("--screenshot={}", shot.display())),
        None => command.arg("--dump-dom"),
    };
    let output = command.arg(format!("file://{}", page.display())).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

/// The title of a page, where scripts of tests leave what they have found.
pub fn title(dom: &str) -> String {
    let title = dom.split("<title>").nth(1).and_then(|t| t.split("</title>").next()).unwrap_or_default();
    title.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
}
