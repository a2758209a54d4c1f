//! The words that begin statements: one list for the parser, the formatter and the meaning.

macro_rules! heads {
    ($($head:ident $word:literal)*) => {
        /// A word that begins a statement of its own.
        ///
        /// None is reserved: `batch = it` and `batch -> dense 8` are about a tensor called `batch`.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Head {
            $(#[doc = concat!("`", $word, "`")] $head,)*
        }

        impl Head {
            /// All of them.
            pub const ALL: &'static [Head] = &[$(Head::$head,)*];

            /// As it is written.
            pub fn word(self) -> &'static str {
                match self {
                    $(Head::$head => $word,)*
                }
            }

            /// The head that is written so.
            pub fn of(word: &str) -> Option<Head> {
                match word {
                    $($word => Some(Head::$head),)*
                    _ => None,
                }
            }
        }
    };
}

heads! {
    Loss "loss"
    Optimizer "optimizer"
    Schedule "schedule"
    Metrics "metrics"
    Epochs "epochs"
    Steps "steps"
    Batch "batch"
    Seed "seed"
    Clip "clip"
    Save "save"
    Split "split"
    Freeze "freeze"
    Rate "rate"
    Then "then"
    Input "input"
    Target "target"
    Output "output"
    Experiment "experiment"
    Language "language"
    Stop "stop"
    Expect "expect"
    Data "data"
    Valid "valid"
    Test "test"
    Param "param"
    Repeat "repeat"
    Shared "shared"
    Layer "layer"
    Fn "fn"
    Rule "rule"
    Init "init"
    Rewrite "rewrite"
    Use "use"
    Weight "weight"
    State "state"
    Require "require"
}

impl Head {
    /// Whether its statement is a list of arguments.
    pub fn is_setting(self) -> bool {
        self.is_training()
            || matches!(
                self,
                Head::Split | Head::Freeze | Head::Rate | Head::Input | Head::Target | Head::Output
            )
            || matches!(self, Head::Experiment | Head::Language)
    }

    /// Whether it says how to train, so that `epochs = 5` is meant to be `epochs 5`.
    pub fn is_training(self) -> bool {
        matches!(
            self,
            Head::Loss | Head::Optimizer | Head::Schedule | Head::Metrics | Head::Epochs | Head::Steps
        ) || matches!(self, Head::Batch | Head::Seed | Head::Clip | Head::Save)
    }

    /// Whether a program says it once at most.
    pub fn is_single(self) -> bool {
        self.is_training() && !matches!(self, Head::Metrics | Head::Save)
            || matches!(self, Head::Split | Head::Language)
    }

    /// Whether its block holds rows of data.
    pub fn is_dataset(self) -> bool {
        matches!(self, Head::Data | Head::Valid | Head::Test)
    }

    /// Whether programs have it; `rewrite` belongs to the library.
    pub fn is_for_programs(self) -> bool {
        self != Head::Rewrite
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found() {
        assert!(Head::ALL.iter().all(|head| Head::of(head.word()) == Some(*head)));
        assert_eq!(Head::of("dense"), None);
    }
}
