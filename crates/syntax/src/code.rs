//! The codes of diagnostics: each has one meaning, one group, and a page in `crates/cli/docs/codes`.

use serde::{Serialize, Serializer};
use std::fmt;

macro_rules! codes {
    ($($group:ident $prefix:literal $about:literal { $($code:ident $title:literal)* })*) => {
        /// What a diagnostic says, for ever the same: `nnc explain N0201` explains it.
        ///
        /// A code is never given another meaning; one that is no longer used stays unused.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $($(#[doc = $title] $code,)*)*
        }

        /// Codes that belong together, by the first digits.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Group {
            $(#[doc = $about] $group,)*
        }

        impl Code {
            /// All codes, in their order.
            pub const ALL: &'static [Code] = &[$($(Code::$code,)*)*];

            /// `N0201`
            pub fn name(self) -> &'static str {
                match self {
                    $($(Code::$code => stringify!($code),)*)*
                }
            }

            /// What it says, in a line.
            pub fn title(self) -> &'static str {
                match self {
                    $($(Code::$code => $title,)*)*
                }
            }

            /// What it is about.
            pub fn group(self) -> Group {
                match self {
                    $($(Code::$code)|* => Group::$group,)*
                }
            }
        }

        impl Group {
            /// All groups, in the order of their codes.
            pub const ALL: &'static [Group] = &[$(Group::$group,)*];

            /// How the codes of the group begin: `N02`.
            pub fn prefix(self) -> &'static str {
                match self {
                    $(Group::$group => $prefix,)*
                }
            }

            /// What the group is about.
            pub fn title(self) -> &'static str {
                match self {
                    $(Group::$group => $about,)*
                }
            }
        }
    };
}

codes! {
    Syntax "N01" "the text cannot be read" {
        N0101 "something is missing, or stands where it means nothing"
        N0102 "a bracket or brace has no partner"
        N0103 "a string has no end, or an escape in it means nothing"
        N0104 "a number cannot be read, or is too big"
        N0105 "arithmetic, or a minus, in an argument takes brackets"
        N0106 "a character or quote that the language does not have"
        N0107 "nested too deep"
        N0108 "a habit of Python or another language"
        N0109 "a row of data cannot be read"
        N0110 "a word with a fixed meaning is given another"
        N0111 "no text at all, or too much of it"
        N0112 "more mistakes than are shown"
    }
    Names "N02" "names and arguments" {
        N0201 "there is no layer of this name"
        N0202 "there is nothing of this name"
        N0203 "there is no argument of this name"
        N0204 "too few or too many arguments, or of the wrong form"
        N0205 "a value of the wrong kind, or outside what is allowed"
        N0206 "this statement belongs at the top of the file"
        N0207 "a condition that is not known before training"
        N0208 "as many names as values"
        N0209 "this is nothing that can be applied"
        N0210 "nothing was computed, or no tensor"
        N0211 "this has nothing of that name"
        N0212 "there is no experiment of this name"
        N0213 "there is no parameter of this name"
        N0214 "a file cannot be used"
        N0215 "a used file has more than definitions"
        N0216 "a program has no `rewrite`"
        N0217 "defined twice"
        N0218 "a name of the library is hidden"
        N0219 "a setting is made twice"
        N0220 "a setting with `=`"
    }
    Shapes "N03" "shapes and sizes" {
        N0301 "a layer does not work on this shape"
        N0302 "used before it is computed"
        N0303 "computed, but nothing uses it"
        N0304 "one name for two weights"
        N0305 "a layer or function that uses itself"
        N0306 "a size that is too large"
        N0307 "a program that is too long"
        N0308 "one value for all samples"
        N0309 "no derivative of this"
        N0311 "these shapes do not go together"
        N0312 "which branch is the output?"
    }
    Training "N04" "training" {
        N0401 "there is no loss"
        N0402 "softmax over one number"
        N0403 "loss, output and target do not fit"
        N0404 "there is no network"
        N0405 "one number for a sample, or one of several"
        N0406 "the data has no target"
        N0407 "no optimizer is given"
        N0408 "a crossentropy of something that is no probability"
        N0409 "another version of the language"
        N0410 "there is no figure of this name"
        N0411 "the network is linear"
        N0412 "more weights than the samples can carry"
        N0413 "an optimizer that changes nothing"
        N0414 "a figure that does not fit the output"
        N0416 "a sum over all samples, where there is one sample"
        N0417 "a figure of which it is not said what is better"
        N0418 "a target that a loss or metric is not made for"
        N0419 "a target that no loss uses"
        N0420 "a mask that ends"
        N0421 "a metric of the scaled target"
        N0422 "what does not go with an optimizer"
    }
    Data "N05" "data" {
        N0500 "there is no data"
        N0501 "a row with too many or too few values"
        N0502 "a cell that is not a number"
        N0503 "a missing value without a rule"
        N0504 "a file that cannot be read"
        N0505 "a column that is not there"
        N0506 "a source without rows"
        N0507 "roles that contradict each other, or leave no input"
        N0508 "a file that is not what it claims to be"
        N0509 "more data than fits"
        N0510 "an encoding that does not suit the column"
        N0511 "a category that training never saw"
        N0512 "a split that cannot be made"
        N0513 "sources that do not fit together"
        N0514 "a source or an option that makes no sense"
        N0515 "a row weight below zero"
        N0550 "a text column became one-hot inputs"
        N0551 "a column that is always the same"
        N0552 "a column that looks like an identifier"
        N0553 "an input that gives the target away"
        N0554 "very unbalanced classes"
        N0555 "windows that overlap between training and validation"
        N0556 "a class the training part lacks"
        N0557 "rows left out for missing values"
        N0558 "rows that have no answer"
        N0559 "windows that run from one series into the next"
        N0560 "a first line that may be names or a row"
        N0561 "how a table was read"
        N0562 "numbers of another size than those of training"
    }
    Runs "N06" "runs and models" {
        N0601 "the loss became no number"
        N0602 "no trained network here"
        N0603 "these weights belong to another program"
        N0604 "the run's files cannot be written"
        N0605 "a run that cannot go on"
        N0606 "another library's weights that do not fit"
        N0607 "a network that writes no text"
    }
    Machine "N07" "the machine, files and the command line" {
        N0701 "a program that cannot be read"
        N0702 "this cannot be asked for"
        N0703 "the result cannot be written"
        N0704 "a file cannot be written"
        N0705 "this stage cannot be printed"
        N0706 "nothing is promised"
        N0707 "more memory than is allowed"
        N0708 "more than the engine can compute"
        N0709 "the engine lacks something"
    }
    Internal "N09" "nnc itself" {
        N0901 "a mistake in nnc itself"
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_stand_in_their_order_with_a_meaning_of_their_own() {
        assert!(Code::ALL.is_sorted_by(|a, b| a.name() < b.name()));
        assert!(Code::ALL.iter().all(|code| code.name().starts_with(code.group().prefix())));
        let titles: BTreeSet<&str> = Code::ALL.iter().map(|code| code.title()).collect();
        assert_eq!(titles.len(), Code::ALL.len());
    }
}
