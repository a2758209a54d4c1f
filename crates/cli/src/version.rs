//! `nnc --version`, and with `--verbose` what a report of a mistake should say.

use crate::failure::Result;
use crate::output::Output;
use nnc_syntax::units::bytes;
use nnc_train::machine;

/// The features that this binary was built with.
const FEATURES: &[&str] = &[
    #[cfg(feature = "lsp")]
    "lsp",
    #[cfg(feature = "serve")]
    "serve",
];

/// Prints the version.
pub fn print(verbose: bool, out: &mut Output) -> Result<u8> {
    let mut text = format!("nnc {}\n", env!("CARGO_PKG_VERSION"));
    if verbose {
        let machine = machine();
        let features = if FEATURES.is_empty() { "none".to_string() } else { FEATURES.join(" ") };
        text += &format!(
            "target    {} {}\nfeatures  {features}\nvectors   {}\nthreads   {}\nmemory    {} may be taken\n",
            std::env::consts::ARCH,
            std::env::consts::OS,
            machine.vectors,
            machine.threads,
            bytes(machine.memory),
        );
    }
    out.result(&text)?;
    Ok(0)
}
