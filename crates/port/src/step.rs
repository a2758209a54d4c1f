//! A step of a program here, in its parts.

/// `dense 16 relu init=he`
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// The layer with what stands directly behind it: `conv 32 3x3`.
    pub head: String,
    /// The activation behind that.
    pub activation: Option<String>,
    /// Words and options behind that.
    pub options: Vec<String>,
    /// Whether an activation may stand there.
    pub activates: bool,
    /// How its kernel is called, where it has one weight of rank 2 and more.
    pub kernel: &'static str,
    /// Whether it is an activation and nothing else, which the layer before may take as a word.
    pub bare: bool,
    /// The factors of `l1` and `l2` of its kernel.
    pub keep_small: Vec<(&'static str, f64)>,
}

impl Step {
    /// A step without options.
    pub fn plain(head: impl Into<String>) -> Self {
        Step { head: head.into(), ..Step::default() }
    }

    /// An activation, or a function, as a step.
    pub fn activation(name: impl Into<String>) -> Self {
        let head: String = name.into();
        let bare = !head.contains(' ');
        Step { head, bare, ..Step::default() }
    }

    /// A layer that takes an activation.
    pub fn layer(head: impl Into<String>, kernel: &'static str) -> Self {
        Step { head: head.into(), activates: true, kernel, ..Step::default() }
    }

    /// With an option.
    pub fn with(mut self, option: impl Into<String>) -> Self {
        self.options.push(option.into());
        self
    }

    /// The line.
    pub fn text(&self) -> String {
        let mut out = self.head.clone();
        for word in self.activation.iter().chain(&self.options) {
            out.push(' ');
            out.push_str(word);
        }
        out
    }
}
