//! Convolutions, and folds of moving windows.

pub(crate) mod convolution;
pub(crate) mod geometry;
pub(crate) mod walk;
pub(crate) mod window;

/// Sizes along the axes of space, without leading ones.
fn times(sizes: &[usize; 3]) -> String {
    let first = sizes.iter().position(|&n| n != 1).unwrap_or(sizes.len() - 1);
    let sizes: Vec<String> = sizes[first..].iter().map(ToString::to_string).collect();
    sizes.join("x")
}
